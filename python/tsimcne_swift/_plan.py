"""From parameters and X to all that training needs: every check comes before the first step."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import recipes
from ._alignment import Alignment, check_alignment
from ._annealing import check_degrees
from ._augmentation import PRESETS, Augmentation, FeatureAugmentation, check_augmentation
from ._automatic import automatic_stages, continued_stages
from ._durations import check_duration
from ._files import check_path
from ._images import Images
from ._network import HEADS, Architecture, Normalization, check_backbone, moments
from ._params import is_function
from ._ranks import Ranks
from ._saved import Init, load_init
from ._sizes import check_size
from ._stages import (
    LARGEST_LR,
    LONGEST_EPOCHS,
    LONGEST_WARMUP,
    LR_STEPS,
    METRICS,
    OPTIMIZERS,
    SHAPES,
    TEMPERATURES,
    Stage,
    check_stage,
    common_fields,
    core_fields,
    paper_stages,
    resolve,
)
from ._stored import StoredImages, is_stored
from ._validation import (
    check_bool,
    check_choice,
    check_hidden,
    check_integer,
    check_jobs,
    check_number,
    check_per_stage,
    check_seed,
)
from ._vectors import Vectors

# What the core takes.
MOST_STAGES = 64
Function = Callable[[Any, np.random.Generator], Any]

# Seconds between two checkpoints.
CHECKPOINT_EVERY = 60.0


@dataclass(frozen=True)
class Plan:
    """What one ``fit`` will do."""

    images: Images
    architecture: Architecture
    stages: list[Stage]
    common: dict[str, float]
    batch_size: int
    normalization: Normalization | None
    augmentation: Augmentation | None
    # Makes the views instead of the core.
    pipeline: Function | None
    noise: dict[str, float]
    views: int
    ema_decay: float
    seed: int
    threads: int
    max_time: float | None
    max_memory: int | None
    ranks: Ranks | None
    callbacks: list[Callable[[Any], Any]]
    checkpoint: str | None
    checkpoint_every: float
    resume: bool
    init: Init | None
    alignment: Alignment | None
    verbose: int

    @property
    def steps_per_epoch(self) -> int:
        whole, rest = divmod(int(self.images.shape[0]), self.batch_size)
        # As in the core: fewer images than ranks are left out.
        return whole + (rest > 0 and (self.ranks is None or rest >= self.ranks.size))

    def core_stages(self, stages: Sequence[Stage]) -> list[dict[str, Any]]:
        """As the core wants them."""
        return [core_fields(stage, self.steps_per_epoch, self.common) for stage in stages]

    @property
    def first_outputs(self) -> int:
        """Output dimension of the network that training begins with."""
        if self.init is not None and not self.init.is_backbone:
            return self.init.network.outputs
        return int(self.stages[0].first_components or 0)


def make_plan(est: Any, X: Any, resume: bool, ranks: Ranks | None) -> Plan:
    """Check everything."""
    threads = check_jobs(est.n_jobs)
    seed = check_seed(est.random_state)
    if ranks is not None:
        seed = ranks.share(seed)
    verbose = check_integer("verbose", est.verbose, 0, 100)
    views = check_integer("n_views", est.n_views, 2, 16)
    ema_decay = 0.0 if est.ema_decay is None else check_number("ema_decay", est.ema_decay, 0, 1 - 1e-9)
    callbacks = _check_callbacks(est.callbacks)
    checkpoint, every = _check_checkpoint(est, resume)
    check_choice("lr_step", est.lr_step, LR_STEPS)
    batch_size = check_integer("batch_size", est.batch_size, 2, 1 << 20)
    max_time = None if est.max_time is None else check_duration("max_time", est.max_time)
    if max_time is not None and est.lr_step == "epoch":
        raise ValueError("max_time: excludes lr_step='epoch', whose epochs have no end in time; want 'batch'")
    backbone = check_backbone("backbone", est.backbone)
    augmentation, pipeline, noise = _check_augmentation(est.augmentation, backbone)
    if backbone == "identity":
        if est.image_shape is not None:
            raise ValueError("image_shape: excludes backbone='identity', whose X is (n, features)")
        images: Images = Vectors(est, X, reset=True)
    else:
        images = StoredImages(X, est.image_shape) if is_stored(X) else Images(X, est.image_shape)
    n, _, _, channels = images.shape
    if n < 2:
        raise ValueError("X: got 1 image, want at least 2")
    batch_size = min(batch_size, n)
    if ranks is not None and batch_size < ranks.size:
        raise ValueError(f"batch_size: got {batch_size}, want one for each of {ranks.size} ranks at least")
    architecture = Architecture(
        backbone=backbone,
        width=check_integer("width", est.width, 1, 1024),
        projection_head=check_choice("projection_head", est.projection_head, HEADS),
        hidden_dim=check_hidden("hidden_dim", est.hidden_dim),
        channels=channels,
    )
    init = None if est.init is None else load_init(est.init, architecture)
    outputs_before, metric_before = None, None
    if init is not None:
        _check_init(est, architecture, init.network.architecture)
        if not init.is_backbone:
            outputs_before, metric_before = init.network.outputs, init.metric
    stages = _stages(est, images, views, batch_size, outputs_before, metric_before, augmentation)
    if pipeline is not None:
        _check_pipeline(stages)
    if max_time is not None and any(stage.stretches for stage in stages):
        raise ValueError("max_time: excludes stages with stretches, which repeat a run; want None")
    normalization = (
        init.network.normalization if init is not None else _check_normalize(est.normalize, images)
    )
    return Plan(
        images=images,
        architecture=architecture,
        stages=stages,
        common=common_fields(est, stages),
        batch_size=batch_size,
        normalization=normalization,
        augmentation=augmentation,
        pipeline=pipeline,
        noise=noise,
        views=views,
        ema_decay=ema_decay,
        seed=seed,
        threads=threads,
        max_time=max_time,
        max_memory=None if est.max_memory is None else check_size("max_memory", est.max_memory),
        callbacks=callbacks,
        checkpoint=checkpoint,
        checkpoint_every=every,
        resume=resume,
        init=init,
        ranks=ranks,
        alignment=check_alignment(est.align_to, images, int(stages[-1].n_components or 0)),
        verbose=verbose,
    )


def _check_callbacks(callbacks: Any) -> list[Callable[[Any], Any]]:
    if callbacks is None:
        return []
    result = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in result:
        if not callable(callback):
            raise TypeError(
                f"callbacks: got {callback!r}, want a function of one argument, or a list of them"
            )
    return result


def _check_checkpoint(est: Any, resume: Any) -> tuple[str | None, float]:
    check_bool("resume", resume)
    if est.checkpoint is None:
        if resume:
            raise ValueError("resume: got True, but checkpoint=None; say where to go on from")
        if est.checkpoint_every is not None:
            raise ValueError(f"checkpoint_every: got {est.checkpoint_every!r}, but checkpoint=None")
        return None, 0.0
    path = check_path("checkpoint", est.checkpoint)
    if not resume and os.path.exists(path):
        raise ValueError(
            f"checkpoint: {path} exists; fit(X, resume=True) goes on from it, or remove it to begin anew"
        )
    if est.checkpoint_every is None:
        return path, CHECKPOINT_EVERY
    return path, check_duration("checkpoint_every", est.checkpoint_every)


def _check_augmentation(
    value: Any, backbone: Any
) -> tuple[Augmentation | None, Function | None, dict[str, float]]:
    """That of images, or the function that makes their views, and noise and dropout of feature vectors."""
    none = {"noise": 0.0, "dropout": 0.0}
    if backbone == "identity":
        if isinstance(value, str) and value == "natural":
            value = FeatureAugmentation()
        if not isinstance(value, FeatureAugmentation):
            raise ValueError(
                f"augmentation: got {value!r}, want 'natural' or FeatureAugmentation(...) "
                "for backbone='identity'"
            )
        return None, None, value._fields()
    if isinstance(value, FeatureAugmentation):
        raise ValueError("augmentation: got a FeatureAugmentation, which is for backbone='identity'")
    if is_function(value):
        return None, value, none
    return check_augmentation("augmentation", value), None, none


def _check_pipeline(stages: list[Stage]) -> None:
    for i, stage in enumerate(stages):
        if stage.image_size is not None:
            raise ValueError(
                f"total_epochs[{i}].image_size: got {stage.image_size!r}, but the function of augmentation "
                "makes views as large as the images; want None"
            )
        if stage.augmentation not in (None, PRESETS["none"]):
            raise ValueError(
                f"total_epochs[{i}].augmentation: got {stage.augmentation!r}, want None or 'none' beside a "
                "function"
            )


def _check_init(est: Any, wanted: Architecture, got: Architecture) -> None:
    ours, theirs = wanted.written(), got.written()
    for name in ("backbone", "width", "projection_head", "hidden_dim"):
        if name == "width" and not wanted.has_width:
            continue
        if name == "hidden_dim" and wanted.projection_head == "linear":
            continue
        if ours[name] != theirs[name]:
            raise ValueError(f"{name}: got {ours[name]!r}, but init has {theirs[name]!r}; want the same")
    if wanted.channels != got.channels:
        raise ValueError(f"X: got {wanted.channels} channels, but init was trained on {got.channels}")
    if est.normalize is not None:
        raise ValueError("normalize: excludes init, whose own normalisation goes on; want None")


def _stages(
    est: Any,
    images: Images,
    views: int,
    batch_size: int,
    outputs_before: int | None,
    metric_before: str | None,
    augmentation: Augmentation | None,
) -> list[Stage]:
    components = check_integer("n_components", est.n_components, 1, 4096)
    pretrain = check_integer("pretrain_dim", est.pretrain_dim, 1, 4096)
    output_init = check_choice("output_init", est.output_init, ["principal", "normal"])
    stages = _written(
        est.total_epochs,
        images,
        views,
        components,
        pretrain,
        output_init,
        outputs_before,
        is_function(est.augmentation),
    )
    count = len(stages)
    metrics = check_per_stage("metric", est.metric, count)
    for metric in metrics:
        check_choice("metric", metric, METRICS)
    schedulers = check_per_stage("lr_scheduler", est.lr_scheduler, count)
    for scheduler in schedulers:
        check_choice("lr_scheduler", scheduler, SHAPES)
    temperatures = check_per_stage("temperature", est.temperature, count)
    return resolve(
        stages,
        components=components,
        output_init=output_init,
        metrics=metrics,
        temperatures=[
            value if value is None else check_number("temperature", value, *TEMPERATURES)
            for value in temperatures
        ],
        dof=check_degrees("dof", est.dof),
        rates=_rates(est.lr, count, batch_size),
        schedulers=schedulers,
        warmups=_warmups(est, count),
        lr_step=est.lr_step,
        optimizer=check_choice("optimizer", est.optimizer, OPTIMIZERS),
        batch_size=batch_size,
        outputs_before=outputs_before,
        metric_before=metric_before,
        augmentation=augmentation,
    )


def _written(
    value: Any,
    images: Images,
    views: int,
    components: int,
    pretrain: int,
    output_init: str,
    outputs_before: int | None,
    is_pipeline: bool,
) -> list[Stage]:
    """The stages that ``total_epochs`` stands for."""
    n, height, width, _ = images.shape
    name = "total_epochs"
    size = None if isinstance(images, Vectors) else (height, width)
    if isinstance(value, str):
        check_choice(name, value, recipes.PAIRS)
        if outputs_before is None:
            return automatic_stages(value, n, size, views, pretrain, grows=not is_pipeline)
        _check_continued(components, outputs_before)
        return continued_stages(value, n, size, views, components)
    wanted = f"want {', '.join(map(repr, recipes.PAIRS))}, [a], [a, b, c], or a list of Stage"
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{name}: got {value!r}, {wanted}")
    if all(isinstance(stage, Stage) for stage in value):
        if len(value) > MOST_STAGES:
            raise ValueError(f"{name}: got {len(value)} stages, want at most {MOST_STAGES}")
        return [check_stage(stage, f"{name}[{i}]", size) for i, stage in enumerate(value)]
    if len(value) not in (1, 3):
        raise ValueError(f"{name}: got {value!r}, {wanted}")
    epochs = [check_number(f"{name}[{i}]", epoch, 1e-9, LONGEST_EPOCHS) for i, epoch in enumerate(value)]
    if outputs_before is not None and len(epochs) == 1:
        _check_continued(components, outputs_before)
        return [Stage(epochs[0], components)]
    stages = paper_stages(epochs, pretrain, components, output_init)
    if outputs_before is not None:
        stages[0] = replace(stages[0], output_init="keep" if outputs_before == pretrain else "normal")
    return stages


def _check_continued(components: int, outputs: int) -> None:
    """A trained network goes on in its own dimension."""
    if components != outputs:
        raise ValueError(
            f"n_components: got {components}, but init has {outputs} outputs; want the same, or three stages"
        )


def _rates(lr: Any, count: int, batch_size: int) -> list[float | None]:
    """Of each stage, where they do not depend on it."""
    if not isinstance(lr, str):
        return [check_number("lr", rate, 0, LARGEST_LR) for rate in check_per_stage("lr", lr, count)]
    check_choice("lr", lr, ["auto", *recipes.BATCH_RULES])
    if lr == "auto":
        return [None] * count
    rates: list[float | None] = [recipes.BATCH_RULES[lr](batch_size)] * count
    if count == 3:
        rates[-1] = recipes.BATCH_RULES[lr](batch_size) / 1000
    return rates


def _is_auto(name: str, value: Any) -> bool:
    if isinstance(value, str):
        check_choice(name, value, ["auto"])
        return True
    return False


def _warmups(est: Any, count: int) -> list[float | None]:
    result: list[float | None] = []
    if _is_auto("warmup", est.warmup):
        by_epoch = ([10.0, 0.0, 10.0] + [10.0] * count)[:count]
        result += [None] * count if est.lr_step == "batch" else by_epoch
        return result
    for value in check_per_stage("warmup", est.warmup, count):
        if est.lr_step == "batch":
            result.append(check_number("warmup", value, 0, 1))
        else:
            result.append(float(check_integer("warmup", value, 0, LONGEST_WARMUP)))
    return result


def _check_normalize(normalize: Any, images: Images) -> Normalization | None:
    channels = images.shape[3]
    vectors = isinstance(images, Vectors)
    if normalize is None:
        # Features come in any unit; one common scale keeps their geometry.
        return moments(images, common_scale=True) if vectors else None
    if isinstance(normalize, str):
        check_choice("normalize", normalize, ["dataset"])
        return moments(images)
    if not isinstance(normalize, list | tuple) or len(normalize) != 2:
        raise TypeError(f"normalize: got {normalize!r}, want None, 'dataset' or (mean, std)")
    values = []
    for name, value in zip(("mean", "std"), normalize, strict=True):
        try:
            row = np.broadcast_to(np.asarray(value, dtype=np.float32), (channels,)).copy()
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"normalize: got {name} {value!r}, want a number or {channels} of them"
            ) from error
        if not np.isfinite(row).all() or (name == "std" and (row <= 0).any()):
            raise ValueError(f"normalize: got {name} {value!r}, want finite numbers, std positive")
        values.append(row)
    return values[0], values[1]

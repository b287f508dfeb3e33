"""All that training needs, from parameters and X: every check comes before the first step."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .._checks.values import check_bool, check_choice, check_number
from .._eyes.eyes import Eyes
from .._eyes.onnx import Onnx
from .._eyes.opening import open_eyes
from .._inputs.chunked import StoredImages, is_stored
from .._inputs.images import Images
from .._inputs.vectors import Vectors
from .._networks.backbones import IDENTITY, is_identity
from .._networks.network import Architecture, Normalization, moments
from .._parameters import check_parameters, core_numbers
from .._patches.shrinking import shrunk_size
from .._patches.vocabulary import geometry
from .._plane.memory import Numbers, Room, room_within
from .._plane.places import Places
from .._stages.augmentation import PRESETS, Augmentation, FeatureAugmentation, check_augmentation
from .._stages.core_fields import core_fields
from .._stages.resolving import resolve
from .._stages.stage import Stage
from .._stages.written import default_stages, written_stages
from .._storage.json_params import is_function
from .._storage.model_file import Init, load_init
from .._storage.safetensors import check_path
from .alignment import Alignment, check_alignment
from .one_rank import OneRank

Function = Callable[[Any, np.random.Generator], Any]

# Seconds between two checkpoints.
CHECKPOINT_EVERY = 60.0


@dataclass(frozen=True)
class Plan:
    """What one ``fit`` will do."""

    # What the network reads.
    images: Images
    # What X has: the same, or what eyes look at.
    given: Images
    eyes: Eyes | None
    architecture: Architecture
    stages: list[Stage]
    # The checked parameters.
    values: SimpleNamespace
    batch_size: int
    normalization: Normalization | None
    augmentation: Augmentation | None
    # The function that makes the views instead of the core.
    pipeline: Function | None
    noise: dict[str, float]
    seed: int
    ranks: OneRank
    checkpoint: str | None
    checkpoint_every: float
    resume: bool
    init: Init | None
    alignment: Alignment | None
    # Whether points move by themselves in the end.
    frees_points: bool
    # Number of words of patches beside the network's features; 0 for none.
    patch_words: int
    # What may be there at once where points are free.
    room: Room

    @property
    def steps_per_epoch(self) -> int:
        whole, rest = divmod(int(self.images.shape[0]), self.batch_size)
        # Fewer images than ranks are left out, as in the core.
        return whole + (rest > 0 and rest >= self.ranks.size)

    @property
    def views(self) -> int:
        """Random views of an image in a batch."""
        return int(self.values.n_views)

    @property
    def threads(self) -> int:
        """Number of threads; 0 for all cores that this process may use."""
        return int(self.values.n_jobs)

    @property
    def max_time(self) -> float | None:
        """Seconds that the run may take, if it has to end in time: where nothing is trained, it just ends."""
        seconds: float | None = self.values.max_time
        return seconds if any(stage.lr for stage in self.stages) else None

    def core_stages(self, stages: Sequence[Stage]) -> list[dict[str, Any]]:
        """The stages as the core wants them."""
        common = core_numbers(self.values, "stage")
        common["schedule"] = _core.SCHEDULES[self.values.lr_step]
        return [
            core_fields(stage, self.steps_per_epoch, self.values.temperature_lr or 0.0) | common
            for stage in stages
        ]

    @property
    def older_places(self) -> Places | None:
        """Where an older map has images, if this one goes on from it in its own dimension."""
        goes_on = all(stage.first_components == stage.n_components == 2 for stage in self.stages)
        return self.init.places if self.init is not None and goes_on else None

    @property
    def has_head(self) -> bool:
        """Whether the head learns the plane, or has learnt it before."""
        knew = self.init is not None and self.init.places is None and self.init.network.outputs == 2
        return bool(self.stages[-1].lr) or knew

    @property
    def first_outputs(self) -> int:
        """Output dimension of the network that training begins with."""
        if self.init is not None and not self.init.is_backbone:
            return self.init.network.outputs
        return int(self.stages[0].first_components or 0)


def make_plan(est: Any, X: Any, resume: bool, ranks: OneRank) -> Plan:
    """Check everything."""
    values = check_parameters(est)
    checkpoint, every = _check_checkpoint(values, resume)
    if values.max_time is not None and values.lr_step == "epoch":
        raise ValueError("max_time: excludes lr_step='epoch', whose epochs have no end in time; want 'batch'")
    augmentation, pipeline, noise = _check_augmentation(values.augmentation, values.backbone)
    given = _check_images(est, X, values)
    images, eyes = given, None
    if isinstance(values.backbone, Onnx):
        eyes = open_eyes(values.backbone, given.shape[1:], values.max_memory, values.n_jobs)
        # Features are found when all is checked; until then there are zeros, which take no memory.
        images = Vectors.of(np.zeros((given.shape[0], eyes.columns), np.float32))
        values.backbone = IDENTITY
    n, height, width, channels = images.shape
    batch_size = min(values.batch_size, n)
    if batch_size < ranks.size:
        raise ValueError(f"batch_size: got {batch_size}, want one for each of {ranks.size} ranks at least")
    architecture = Architecture(
        backbone=values.backbone,
        width=values.width,
        projection_head=values.projection_head,
        hidden_dim=values.hidden_dim,
        channels=channels,
    )
    init = None if values.init is None else load_init(values.init, architecture)
    outputs_before, metric_before = None, None
    if init is not None:
        _check_eyes(eyes, init)
        _check_init(values, architecture, init.network.architecture)
        if not init.is_backbone:
            outputs_before, metric_before = init.network.outputs, init.metric
    if init is not None and init.network.normalization is not None:
        images = images.about(init.network.normalization.origin)
    elif init is None and isinstance(images, Vectors):
        images = images.about(images.centre())
    normalization = _normalization(init, values.normalize, images)
    if eyes is None and isinstance(images, Vectors) and (losses := images.losses()) is not None:
        warnings.warn(losses, UserWarning, stacklevel=6)
    image = None if architecture.reads_vectors else (height, width)
    written = written_stages(values, n, image, outputs_before, grows=pipeline is None)
    stages = resolve(
        written,
        default_stages(values, len(written), batch_size, augmentation),
        lr_step=values.lr_step,
        batch_size=batch_size,
        outputs_before=outputs_before,
        metric_before=metric_before,
    )
    _check_stages(stages, values, pipeline)
    frees_points = _frees_points(values.plane, stages[-1])
    words = _patch_words(values.patch_words, frees_points, None if image is None else images.shape)
    return Plan(
        images=images,
        given=given,
        eyes=eyes,
        architecture=architecture,
        stages=stages,
        values=values,
        batch_size=batch_size,
        normalization=normalization,
        augmentation=augmentation,
        pipeline=pipeline,
        noise=noise,
        seed=values.random_state,
        ranks=ranks,
        checkpoint=checkpoint,
        checkpoint_every=every,
        resume=resume,
        init=init,
        alignment=check_alignment(values.align_to, given, int(stages[-1].n_components or 0)),
        frees_points=frees_points,
        patch_words=words,
        room=room_within(values.max_memory if frees_points else None, n, Numbers.of(architecture, words)),
    )


def _frees_points(plane: str, last: Stage) -> bool:
    """Whether points are to move by themselves: the outputs of the cosine are places on a sphere."""
    if plane == "points" and last.n_components != 2:
        raise ValueError(
            f"plane: got 'points' for {last.n_components} dimensions, want 'auto' or 'parametric'"
        )
    if plane == "points" and last.metric == "cosine":
        raise ValueError("plane: got 'points', but the last stage's metric is 'cosine'; want 'parametric'")
    return plane == "points" or (plane == "auto" and last.n_components == 2 and last.metric != "cosine")


def _patch_words(wanted: int | str, frees_points: bool, images: tuple[int, ...] | None) -> int:
    """Number of words; ``images`` is their shape, None for vectors."""
    kind = None if images is None else geometry(*shrunk_size(*images[1:3]), images[3])
    if wanted == "auto":
        return recipes.PATCH_WORDS if frees_points and kind is not None else 0
    if wanted and not frees_points:
        raise ValueError(f"patch_words: got {wanted}, but the map is that of the head alone; want 0")
    if wanted and images is None:
        raise ValueError(f"patch_words: got {wanted}, but feature vectors have no patches; want 0")
    if wanted and images is not None and kind is None:
        raise ValueError(f"patch_words: got {wanted} for images of too many channels ({images[3]}); want 0")
    return int(wanted)


def _check_images(est: Any, X: Any, values: SimpleNamespace) -> Images:
    images: Images
    if is_identity(values.backbone):
        if values.image_shape is not None:
            raise ValueError("image_shape: excludes backbone='identity', whose X is (n, features)")
        images = Vectors(est, X, reset=True)
    else:
        images = StoredImages(X, values.image_shape) if is_stored(X) else Images(X, values.image_shape)
    if images.shape[0] < 2:
        raise ValueError("X: got 1 image, want at least 2")
    return images


def with_features(plan: Plan, features: npt.NDArray[np.float32]) -> Plan:
    """The plan of what eyes have seen: rows of unit length."""
    images = Vectors.of(features)
    normalization = _normalization(plan.init, plan.values.normalize, images)
    return replace(plan, images=images, normalization=normalization)


def _normalization(init: Init | None, normalize: Any, images: Images) -> Normalization | None:
    return init.network.normalization if init is not None else _check_normalize(normalize, images)


def _check_eyes(eyes: Eyes | None, init: Init) -> None:
    """Raise an error unless a network goes on with the eyes that it has."""
    ours, theirs = (None if one is None else one.sight for one in (eyes, init.eyes))
    if (ours is None) != (theirs is None) or (
        ours is not None and theirs is not None and not ours.sees_as(theirs.written())
    ):
        raise ValueError(
            f"backbone: got {ours or 'no eyes'}, but init has {theirs or 'no eyes'}; want the same"
        )


def _check_stages(stages: list[Stage], values: SimpleNamespace, pipeline: Function | None) -> None:
    """Raise an error for stages that other parameters exclude."""
    if pipeline is not None:
        _check_pipeline(stages)
    if values.max_time is not None and any(stage.stretches for stage in stages):
        raise ValueError("max_time: excludes stages with stretches, which repeat a run; want None")
    if any(stage.optimizer in ("adam", "adamw") for stage in stages):
        # Adam divides by 1 - momentum at the first step.
        check_number("momentum", values.momentum, 0, 1 - 1e-9)


def _check_checkpoint(values: SimpleNamespace, resume: Any) -> tuple[str | None, float]:
    check_bool("resume", resume)
    if values.checkpoint is None:
        if resume:
            raise ValueError("resume: got True, but checkpoint=None; say where to go on from")
        if values.checkpoint_every is not None:
            raise ValueError(f"checkpoint_every: got {values.checkpoint_every:g}, but checkpoint=None")
        return None, 0.0
    path = check_path("checkpoint", values.checkpoint)
    if not resume and os.path.exists(path):
        raise ValueError(
            f"checkpoint: {path} exists; fit(X, resume=True) goes on from it, or remove it to begin anew"
        )
    return path, CHECKPOINT_EVERY if values.checkpoint_every is None else values.checkpoint_every


def _check_augmentation(
    value: Any, backbone: Any
) -> tuple[Augmentation | None, Function | None, dict[str, float]]:
    """Augmentation of images, or the function that makes their views; noise and dropout of vectors."""
    none = {"noise": 0.0, "dropout": 0.0}
    if is_identity(backbone) or isinstance(backbone, Onnx):
        if isinstance(value, str) and value == "natural":
            value = FeatureAugmentation()
        if not isinstance(value, FeatureAugmentation):
            raise ValueError(
                f"augmentation: got {value!r}, want 'natural' or FeatureAugmentation(...) "
                f"for backbone={backbone!r}, which trains on features"
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


def _check_init(values: SimpleNamespace, wanted: Architecture, got: Architecture) -> None:
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
    if values.normalize is not None:
        raise ValueError("normalize: excludes init, whose own normalisation goes on; want None")


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
            given = np.broadcast_to(np.asarray(value, dtype=np.float64), (channels,))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"normalize: got {name} {value!r}, want a number or {channels} of them"
            ) from error
        if name == "mean" and images.origin is not None:
            given = given - images.origin
        row = given.astype(np.float32)
        if not np.isfinite(row).all() or (name == "std" and (row <= 0).any()):
            raise ValueError(f"normalize: got {name} {value!r}, want finite numbers, std positive")
        values.append(row)
    return Normalization(values[0], values[1], images.origin)

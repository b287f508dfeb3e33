"""What ``total_epochs`` stands for, and what the other parameters say of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from .. import _core, recipes
from .._checks.core_limits import check_whole
from .._checks.values import check_choice, check_number, check_per_stage
from .augmentation import Augmentation
from .automatic import Size, automatic_stages, continued_stages
from .stage import LONGEST_EPOCHS, Stage, check_stage


def written_stages(
    values: SimpleNamespace,
    n: int,
    image: Size | None,
    outputs_before: int | None,
    grows: bool,
) -> list[Stage]:
    """The stages of ``total_epochs``, with what it says and no more.

    Parameters
    ----------
    values : SimpleNamespace
        The checked parameters.
    n : int
        Number of images.
    image : (height, width) or None
        Size of the images in pixels; None for feature vectors.
    outputs_before : int or None
        Output dimension of the network that training begins with, if it is trained already.
    grows : bool
        Whether views may be smaller than the images.
    """
    name, value = "total_epochs", values.total_epochs
    components, pretrain = values.n_components, values.pretrain_dim
    if isinstance(value, str):
        check_choice(name, value, recipes.PAIRS)
        metric = values.metric[-1] if isinstance(values.metric, list) else values.metric
        frees_points = values.plane != "parametric" and components == 2 and metric != "cosine"
        if outputs_before is None:
            # A rate of one's own is meant for the usual optimiser, and Muon would soon turn away from weights
            # that know something. It was tried with images only.
            is_free = values.optimizer == "auto" and values.lr == "auto"
            is_free = is_free and values.init is None and image is not None
            return automatic_stages(
                value, n, image, values.n_views, pretrain, grows=grows, frees_points=frees_points,
                optimizer=recipes.OPTIMIZER if is_free else None,
            )  # fmt: skip
        _check_continued(components, outputs_before)
        return continued_stages(value, n, image, values.n_views, components, frees_points)
    wanted = f"want {', '.join(map(repr, recipes.PAIRS))}, [a], [a, b, c], or a list of Stage"
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{name}: got {value!r}, {wanted}")
    if all(isinstance(stage, Stage) for stage in value):
        if len(value) > _core.MOST_STAGES:
            raise ValueError(f"{name}: got {len(value)} stages, want at most {_core.MOST_STAGES}")
        return [check_stage(stage, f"{name}[{i}]", image) for i, stage in enumerate(value)]
    if len(value) not in (1, 3):
        raise ValueError(f"{name}: got {value!r}, {wanted}")
    epochs = [check_number(f"{name}[{i}]", epoch, 1e-9, LONGEST_EPOCHS) for i, epoch in enumerate(value)]
    if outputs_before is not None and len(epochs) == 1:
        _check_continued(components, outputs_before)
        return [Stage(epochs[0], components)]
    stages = paper_stages(epochs, pretrain, components, values.output_init)
    if outputs_before is not None:
        stages[0] = replace(stages[0], output_init="keep" if outputs_before == pretrain else "normal")
    return stages


def paper_stages(
    epochs: Sequence[float], pretrain_dim: int, components: int, output_init: str
) -> list[Stage]:
    """The paper's stages: one in many dimensions, and of three a new output layer alone, then everything."""
    stages = [
        Stage(epochs[0], pretrain_dim),
        Stage(epochs[1] if len(epochs) > 1 else 0, components, "output", output_init),
        Stage(epochs[-1], components),
    ]
    return stages[: len(epochs)]


def _check_continued(components: int, outputs: int) -> None:
    """Raise an error unless the trained network goes on in its own dimension."""
    if components != outputs:
        raise ValueError(
            f"n_components: got {components}, but init has {outputs} outputs; want the same, or three stages"
        )


def default_stages(
    values: SimpleNamespace, count: int, batch_size: int, augmentation: Augmentation | None
) -> list[Stage]:
    """What the parameters say of each of ``count`` stages; ``"auto"`` is None."""
    per_stage = {
        "metric": check_per_stage("metric", values.metric, count),
        "temperature": check_per_stage("temperature", values.temperature, count),
        "lr": _rates(values.lr, count, batch_size),
        "lr_scheduler": check_per_stage("lr_scheduler", values.lr_scheduler, count),
        "warmup": _warmups(values.warmup, values.lr_step, count),
    }
    common = Stage(
        1,
        values.n_components,
        output_init=values.output_init,
        dof=values.dof,
        optimizer="sgd" if values.optimizer == "auto" else values.optimizer,
        augmentation=augmentation,
    )
    return [replace(common, **{name: row[i] for name, row in per_stage.items()}) for i in range(count)]


def _rates(lr: Any, count: int, batch_size: int) -> list[float | None]:
    """Learning rate of each stage; None where it depends on the stage."""
    if not isinstance(lr, str):
        return check_per_stage("lr", lr, count)
    if lr == "auto":
        return [None] * count
    rates: list[float | None] = [recipes.BATCH_RULES[lr](batch_size)] * count
    if count == 3:
        rates[-1] = recipes.BATCH_RULES[lr](batch_size) / 1000
    return rates


def _warmups(warmup: Any, lr_step: str, count: int) -> list[float | None]:
    if isinstance(warmup, str):
        epochs = [10.0, 0.0, 10.0] + [10.0] * count
        return [None if lr_step == "batch" else epochs[i] for i in range(count)]
    values = check_per_stage("warmup", warmup, count)
    if lr_step == "batch":
        return [check_number("warmup", value, 0, 1) for value in values]
    return [float(check_whole("warmup", value, "stage", "warmup")) for value in values]

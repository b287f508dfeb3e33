"""Stages with nothing left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from .. import recipes
from .._checks.values import check_number
from .stage import Stage

# Fields that a stage takes from the estimator where it says None.
OPEN = tuple(
    field.name
    for field in fields(Stage)
    if field.default is None and field.name not in ("anneal_from", "image_size")
)


def resolve(
    stages: Sequence[Stage],
    defaults: Sequence[Stage],
    *,
    lr_step: str,
    batch_size: int,
    outputs_before: int | None,
    metric_before: str | None,
) -> list[Stage]:
    """Stages with nothing left open; a size of None is the images', whatever that is.

    Parameters
    ----------
    stages : sequence of Stage
        Stages as they were written.
    defaults : sequence of Stage
        Values of the estimator for each stage; its ``lr``, ``warmup`` and ``temperature`` may be None, for
        values that depend on the stage.
    lr_step : str
        Parameter of the estimator.
    batch_size : int
    outputs_before : int or None
        Output dimension of the network that training begins with; None for a new one, which has the dimension
        of the first stage.
    metric_before : str or None
        Metric that this network was last trained with.

    Returns
    -------
    list of Stage

    Raises
    ------
    ValueError
        If stages do not fit each other. Every value was checked before, but for warm-ups of stages.
    """
    result: list[Stage] = []
    outputs = outputs_before
    final = stages[-1].n_components or defaults[-1].n_components
    for i, (written, default) in enumerate(zip(stages, defaults, strict=True)):
        name = f"total_epochs[{i}]"
        given = {field: getattr(written, field) for field in OPEN if getattr(written, field) is not None}
        stage = replace(written, **{field: getattr(default, field) for field in OPEN} | given)
        dimension, begins = int(stage.n_components or 0), int(stage.first_components or 0)
        if begins < dimension:
            raise ValueError(f"{name}.anneal_from: got {begins}, want at least n_components={dimension}")
        if written.output_init is None and outputs in (None, begins):
            stage = replace(stage, output_init="keep")
        if outputs is None and stage.output_init != "keep":
            raise ValueError(
                f"{name}.output_init: got {stage.output_init!r}, but a new network can only begin with 'keep'"
            )
        if metric_before == "cosine" and stage.metric != "cosine":
            stage = replace(stage, output_init=_after_cosine(name, stage.output_init))
        if outputs is not None:
            _check_start(name, str(stage.output_init), begins, outputs)
        temperature = stage.temperature
        if temperature is None:
            temperature = 0.5 if stage.metric == "cosine" else 1.0
        rate = stage.lr
        if rate is None:
            pretrains = outputs is None or dimension != final
            rate = _automatic_rate(stage, _role(stage, pretrains), batch_size)
        result.append(
            replace(
                stage,
                temperature=float(temperature),
                lr=float(rate),
                warmup=_warmup(name, stage, lr_step),
            )
        )
        outputs, metric_before = dimension, stage.metric
    return result


def _automatic_rate(stage: Stage, role: str, batch_size: int) -> float:
    """The peak of the recipes for a batch of this size."""
    batches = batch_size / 256
    optimizer = str(stage.optimizer)
    return recipes.LEARNING_RATES[optimizer][role] * (batches**0.5 if optimizer == "muon" else batches)


def _role(stage: Stage, pretrains: bool) -> str:
    """The role by which a stage's learning rate is chosen."""
    if stage.inputs == "features":
        return "features"
    if stage.trains == "output":
        return "output"
    return "pretrain" if pretrains else "plane"


def _warmup(name: str, stage: Stage, lr_step: str) -> float:
    """The warm-up of a stage, which does not know itself whether it counts a share of steps or epochs."""
    warmup = stage.warmup
    if warmup is None:
        warmup = recipes.WARMUP[str(stage.lr_scheduler)]
    if lr_step == "batch":
        check_number(f"{name}.warmup", warmup, 0, 1)
    elif warmup != int(warmup):
        raise ValueError(f"{name}.warmup: got {warmup!r}, want whole epochs with lr_step='epoch'")
    return float(warmup)


def _after_cosine(name: str, start: str | None) -> str | None:
    """The start after a cosine, which leaves the scale free: a layer that is kept is brought to one."""
    if start == "normal":
        raise ValueError(
            f"{name}: output_init='normal' cannot follow a cosine stage, which leaves the scale "
            "free; want 'principal' or 'scaled'"
        )
    return "scaled" if start == "keep" else start


def _check_start(name: str, start: str, dimension: int, outputs: int) -> None:
    if start in ("keep", "scaled") and dimension != outputs:
        raise ValueError(
            f"{name}.output_init: got {start!r}, but n_components={dimension} and the layer has {outputs}"
        )
    if start == "principal" and dimension > outputs:
        raise ValueError(
            f"n_components: got {dimension}, more than the {outputs} outputs before ({name}); "
            "take output_init='normal' or a larger pretrain_dim"
        )

"""The estimator's parameters, a row each: all that is known of one without the images."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import _core, recipes
from ._checks.core_limits import check_hidden, check_real, check_whole
from ._checks.durations import check_duration
from ._checks.memory_sizes import check_size
from ._checks.values import (
    check_bool,
    check_choice,
    check_functions,
    check_integer,
    check_jobs,
    check_number,
    check_seed,
)
from ._eyes.onnx import Onnx, check_onnx
from ._networks.network import HEADS, check_backbone
from ._stages.annealing import check_degrees
from ._stages.stage import METRICS
from ._system.config import show_config

Check = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter of the estimator.

    Parameters
    ----------
    check : callable
        ``check(name, value)`` gives the value that is used, or raises an error that names the parameter, what
        it got and what it wants. A value whose meaning depends on others or on the images is left as it is:
        `plan` looks at it.
    optional : bool
        Whether None is a value of its own, which is not checked.
    per_stage : bool
        Whether a list with a value for each stage may be given too.
    kept : bool
        Whether a file keeps it, and gives it back. What is of one process is not kept, nor a place: a
        stranger's file must not say where a later ``fit`` writes or what it reads.
    free : bool
        Whether a run that goes on from a checkpoint may have another value than when it began.
    core : (str, str) or None
        The structure and number of the core that the parameter is, in all stages; None then is 0.
    """

    check: Check
    optional: bool = False
    per_stage: bool = False
    kept: bool = True
    free: bool = False
    core: tuple[str, str] | None = None

    def checked(self, name: str, value: Any) -> Any:
        """The value that is used; with ``per_stage`` a list of a list's values."""
        if self.per_stage and isinstance(value, list | tuple):
            return [self._one(name, item) for item in value]
        return self._one(name, value)

    def _one(self, name: str, value: Any) -> Any:
        return None if value is None and self.optional else self.check(name, value)


def _whole(structure: str, field: str) -> Check:
    return lambda name, value: check_whole(name, value, structure, field)


def _real(structure: str, field: str) -> Check:
    return lambda name, value: check_real(name, value, structure, field)


def _choice(choices: Collection[str]) -> Check:
    return lambda name, value: check_choice(name, value, choices)


def _lr(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return check_choice(name, value, ["auto", *recipes.BATCH_RULES])
    return check_real(name, value, "stage", "learning_rate")


def _backbone(name: str, value: Any) -> Any:
    return check_onnx(name, value) if isinstance(value, Onnx) else check_backbone(name, value)


def _patch_words(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return check_choice(name, value, ["auto"])
    return 0 if value == 0 and not isinstance(value, bool) else check_whole(name, value, "patches", "words")


def _precision(name: str, value: Any) -> int:
    """The core's number of a precision that this processor has."""
    check_choice(name, value, _core.PRECISIONS)
    if value not in (available := show_config()["precisions"]):
        raise ValueError(
            f"{name}: got {value!r}, but this processor has no instructions for it (avx512_bf16); "
            f"want {' or '.join(map(repr, available))}"
        )
    return int(_core.PRECISIONS[value])


def _warmup(name: str, value: Any) -> Any:
    """The warm-up is left as it is, as ``lr_step`` says whether it has to be whole."""
    if isinstance(value, str):
        check_choice(name, value, ["auto"])
    else:
        check_real(name, value, "stage", "warmup")
    return value


def _check_verbose(name: str, value: Any) -> int:
    """True and False are 1 and 0, as other estimators take them."""
    return int(value) if isinstance(value, bool | np.bool_) else check_integer(name, value, 0, 100)


def _later(name: str, value: Any) -> Any:
    """The images or other parameters decide what the value may be."""
    return value


#: All parameters, in the order of the estimator's signature.
PARAMETERS: dict[str, Parameter] = {
    "n_components": Parameter(_whole("stage", "output_dim")),
    "backbone": Parameter(_backbone),
    "width": Parameter(_whole("model", "base_width")),
    "projection_head": Parameter(_choice(HEADS)),
    "hidden_dim": Parameter(check_hidden),
    "pretrain_dim": Parameter(_whole("stage", "output_dim")),
    "metric": Parameter(_choice(METRICS), per_stage=True),
    "temperature": Parameter(_real("stage", "temperature"), optional=True, per_stage=True),
    "temperature_lr": Parameter(_real("stage", "learning_rate"), optional=True),
    "dof": Parameter(check_degrees),
    "n_views": Parameter(_whole("trainer", "views"), core=("trainer", "views")),
    "augmentation": Parameter(_later),
    "normalize": Parameter(_later),
    "total_epochs": Parameter(_later),
    "batch_size": Parameter(lambda name, value: check_integer(name, value, 2, 1 << 20)),
    "max_time": Parameter(check_duration, optional=True, free=True),
    "optimizer": Parameter(_choice(["auto", *_core.OPTIMIZERS])),
    "lr": Parameter(_lr, per_stage=True),
    "momentum": Parameter(_real("stage", "momentum"), core=("stage", "momentum")),
    "weight_decay": Parameter(_real("stage", "weight_decay"), core=("stage", "weight_decay")),
    "decay_biases": Parameter(check_bool, core=("stage", "decays_biases")),
    "clip_value": Parameter(
        lambda name, value: check_number(name, value, 1e-30, 1e30),
        optional=True,
        core=("stage", "clip_value"),
    ),
    "lr_scheduler": Parameter(_choice(_core.SHAPES), per_stage=True),
    "lr_step": Parameter(_choice(_core.SCHEDULES)),
    "warmup": Parameter(_warmup, per_stage=True),
    "ema_decay": Parameter(
        lambda name, value: check_number(name, value, 0, 1 - 1e-9),
        optional=True,
        core=("trainer", "average_decay"),
    ),
    "precision": Parameter(_precision, core=("trainer", "precision")),
    "plane": Parameter(_choice(["auto", "points", "parametric"])),
    "patch_words": Parameter(_patch_words),
    "output_init": Parameter(_choice(["principal", "normal"])),
    "init": Parameter(_later, kept=False),
    "align_to": Parameter(_later, kept=False),
    "max_memory": Parameter(check_size, optional=True),
    "comm": Parameter(_later, kept=False),
    "sync_batchnorm": Parameter(check_bool),
    "checkpoint": Parameter(_later, kept=False),
    "checkpoint_every": Parameter(check_duration, optional=True, kept=False),
    "callbacks": Parameter(check_functions, kept=False),
    "image_shape": Parameter(_later),
    # The seed itself is compared, as a run without one has its own.
    "random_state": Parameter(check_seed, free=True),
    "n_jobs": Parameter(check_jobs, free=True),
    "verbose": Parameter(_check_verbose, free=True),
}


def check_parameters(estimator: Any) -> SimpleNamespace:
    """Every parameter's value that is used, by its name.

    Raises
    ------
    TypeError, ValueError
        If a parameter is wrong: the error names the first one, what it got and what it wants.
    """
    return SimpleNamespace(
        **{name: row.checked(name, getattr(estimator, name)) for name, row in PARAMETERS.items()}
    )


def core_numbers(values: SimpleNamespace, structure: str) -> dict[str, float]:
    """Those numbers of a structure of the core that are parameters, as the core has them."""
    result = {}
    for name, row in PARAMETERS.items():
        if row.core is not None and row.core[0] == structure:
            value = getattr(values, name)
            result[row.core[1]] = 0 if value is None else value
    return result

"""What a checkpoint holds: read, checked and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks.core_limits import largest
from .._checks.values import check_integer, check_number
from .._networks.network import AVERAGE, TEMPERATURE, Network
from .._storage.document import DAMAGE, Reader
from .._storage.safetensors import Tensors

# Arrays that a model's file has, and those that a step makes anew. All others are what a stage has made since
# it began, which a resumed run wants.
MADE_ANEW = (
    "parameter",
    "buffer",
    "gradient",
    "sums",
    "embeddings",
    "embedding_gradient",
    "features",
    AVERAGE,
)
# Of the parameters the temperature alone is among them, as the model has the others.
OF_STAGE = {word: kind for word, kind in _core.ARRAYS.items() if word not in MADE_ANEW} | {
    "trained": _core.ARRAY_PARAMETER
}
# Numbers of the core's progress that are not whole.
REAL = ("position", "stride")
MOST_STEPS = largest("progress", "steps")
# Largest size of a temperature's logarithm: far beyond, its exponential is no number.
STEEPEST = 100.0


@dataclass
class Stored:
    """What a checkpoint holds."""

    path: str
    tensors: Tensors
    seed: int
    seconds: float
    progress: dict[str, float]
    history: list[dict[str, Any]]
    stretches: list[list[tuple[int, int]]]
    epoch: dict[str, float]

    @classmethod
    def make(cls, path: str, tensors: Tensors, document: dict[str, Any]) -> Stored:
        """Make it from what is in a file.

        Raises
        ------
        ValueError
            If something in the file is not as it was written; the error names both.
        """
        reader = Reader(document, path)
        try:
            training = document["training"]
            return cls(
                path=path,
                tensors=tensors,
                seed=check_integer("seed", training["seed"], 0, (1 << 64) - 1),
                seconds=check_number("seconds", training["seconds"], 0, 1e12),
                progress=_progress(training["progress"]),
                history=reader.history(),
                stretches=[_stretches(stage) for stage in training["stretches"]],
                epoch=_epoch(training["epoch"]),
            )
        except DAMAGE as error:
            raise damaged(path, error) from error

    def restore(self, trainer: _core.Trainer, network: Network, stages: int) -> None:
        """Put the trainer, which is new and has so many stages, where the other one stood.

        Raises
        ------
        ValueError
            If the trainer cannot take something in the file; the error names both.
        """
        try:
            if len(self.stretches) != stages:
                raise ValueError(f"stretches: got those of {len(self.stretches)} stages, want {stages}")
            trainer.seek(self.progress)
            network.read(self.tensors)
            for key, kind, name in self._arrays(trainer):
                trainer.set_array(kind, name, self._array(key, *trainer.array(kind, name)[:2]))
        except DAMAGE as error:
            raise damaged(self.path, error) from error

    def _arrays(self, trainer: _core.Trainer) -> Iterator[tuple[str, int, str]]:
        """Arrays of the file: the key, and the kind and name that the trainer has for it."""
        begun = self.progress["step"] > 0
        for prefix, kind in (*(OF_STAGE if begun else {}).items(), (AVERAGE, _core.ARRAY_AVERAGE)):
            for name in names(trainer, kind):
                key = f"{prefix}/{name}"
                # A stage that has not begun has averages only where one before it made them.
                if prefix != AVERAGE or begun or key in self.tensors:
                    yield key, kind, name

    def _array(self, key: str, shape: tuple[int, ...], letter: str) -> npt.NDArray[Any]:
        """An array of the file, checked to have the shape, type and values that training makes."""
        if key not in self.tensors:
            raise ValueError(f"it lacks {key}")
        values = self.tensors[key]
        if values.shape != shape or values.dtype != np.dtype(letter):
            raise ValueError(
                f"{key}: got {values.dtype} of shape {values.shape}, want {np.dtype(letter)} of {shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"{key}: got NaN or infinity")
        prefix = key.partition("/")[0]
        if prefix in ("squares", "maxima") or key.endswith(".running_var"):
            if (values < 0).any():
                raise ValueError(f"{key}: got {values.min()}, want at least 0")
        elif prefix == "trained" and (abs(values) > STEEPEST).any():
            raise ValueError(f"{key}: got {values[0]}, want the logarithm of a temperature")
        return np.ascontiguousarray(values)


def damaged(path: str, error: Exception) -> ValueError:
    """The error to raise where reading raised another one."""
    what = {KeyError: "it lacks", RecursionError: "it is nested too deeply:"}.get(type(error), "")
    return ValueError(f"checkpoint: {path} is damaged: {what}{' ' if what else ''}{error}")


def names(trainer: _core.Trainer, kind: int) -> list[str]:
    """Names of the arrays of a kind that a checkpoint holds."""
    all_names = [name for k, name in trainer.arrays() if k == kind]
    return [name for name in all_names if name == TEMPERATURE] if kind == _core.ARRAY_PARAMETER else all_names


def _progress(values: dict[str, Any]) -> dict[str, float]:
    """The core, which knows the stages, looks at the rest."""
    whole = [key for key in _core.NUMBERS["progress"] if key not in REAL]
    result: dict[str, float] = {
        key: check_integer(f"progress.{key}", values[key], 0, MOST_STEPS) for key in whole
    }
    return result | {key: check_number(f"progress.{key}", values[key], 0, 2 * MOST_STEPS) for key in REAL}


def _stretches(stage: list[Any]) -> list[tuple[int, int]]:
    return [
        (
            check_integer("stretches", step, 0, MOST_STEPS),
            check_integer("stretches", remaining, 1, MOST_STEPS),
        )
        for step, remaining in stage
    ]


def _epoch(values: dict[str, Any]) -> dict[str, float]:
    """Sums over the steps of an epoch so far."""
    checks: dict[str, tuple[Callable[..., float], float, float]] = {
        "loss": (check_number, -1e300, 1e300),
        "steps": (check_integer, 0, MOST_STEPS),
        "pairs": (check_integer, 0, 1 << 60),
        "seconds": (check_number, 0, 1e12),
    }
    return {key: check(f"epoch.{key}", values[key], low, high) for key, (check, low, high) in checks.items()}

"""What changes over the epochs of a stage: its output dimension and degrees of freedom (tsimcne 0.4)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._checks.values import check_number

SHAPES = ("cosine", "linear", "piecewise-linear", "piecewise-cosine")
DEGREES = (1e-3, 1e6)


def output_dimensions(shape: str, first: int, last: int, epochs: int) -> list[int]:
    """The dimension in each epoch; the first epoch of a cosine has fallen a little already.

    Parameters
    ----------
    shape : str
        A name of ``SHAPES``. The piecewise ones stay for two thirds of the epochs and fall within an eighth.
    first, last : int
    epochs : int
    """
    if shape == "linear":
        return [int(value) for value in np.linspace(first, last, epochs).astype(int)]
    if shape == "cosine":
        return _cosine(first, last, epochs)
    high, falling = epochs * 2 // 3, epochs // 8
    if shape == "piecewise-linear":
        fall = [int(value) for value in np.linspace(first, last, falling, endpoint=False).astype(int)]
    else:
        fall = _cosine(first, last, falling)
    return [first] * high + fall + [last] * (epochs - high - falling)


def _cosine(first: int, last: int, epochs: int) -> list[int]:
    # The cosine is in float32, as the reference has it: at a third of all lengths double precision rounds
    # an epoch down that the reference rounds up.
    turn = np.arange(1, epochs + 1).astype(np.float32) * np.float32(np.pi) / np.float32(max(1, epochs))
    cosine = np.cos(turn.astype(np.float64)).astype(np.float32)
    half = np.float32(0.5 * (first + 1 - last))
    return [int(value) for value in np.floor(np.float32(last) + half * (np.float32(1) + cosine))]


def check_degrees(name: str, value: Any) -> float | str | tuple[float, float]:
    """Degrees of freedom: a number, a pair, or "dimension"."""
    if isinstance(value, str):
        if value != "dimension":
            raise ValueError(f"{name}: got {value!r}, want a number, (first, last) or 'dimension'")
        return value
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(f"{name}: got {value!r}, want a number, (first, last) or 'dimension'")
        first, last = (check_number(name, part, *DEGREES) for part in value)
        return first, last
    return check_number(name, value, *DEGREES)


def degrees_of_freedom(
    value: float | str | tuple[float, float], dimensions: list[int], epochs: int
) -> list[float]:
    """Degrees of freedom in each epoch, or one where all are the same: the number itself; half a cosine from
    the first to the last; or one less than the dimension, but at least 1.
    """
    if isinstance(value, tuple):
        first, last = value
        return [last + 0.5 * (first - last) * (1 + math.cos(math.pi * e / epochs)) for e in range(epochs)]
    if value == "dimension":
        return [float(max(1, dimension - 1)) for dimension in dimensions]
    return [float(value)]

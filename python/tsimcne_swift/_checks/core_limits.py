"""Checks against the limits of the core's numbers, which stand in tsimcne.h and nowhere else."""

from __future__ import annotations

from typing import Any

from .. import _core
from .values import check_integer, check_number, is_whole


def largest(structure: str, field: str) -> int:
    """The largest value of a whole number of a structure ("stage", "model", "trainer", "layer")."""
    return int(_core.NUMBERS[structure][field][2])


def check_whole(name: str, value: Any, structure: str, field: str) -> int:
    """A whole number that the core takes as ``field``."""
    _, low, high = _core.NUMBERS[structure][field]
    return check_integer(name, value, int(low), int(high))


def check_real(name: str, value: Any, structure: str, field: str) -> float:
    """A real number that the core takes as ``field``."""
    _, low, high = _core.NUMBERS[structure][field]
    return check_number(name, value, low, high)


def check_hidden(name: str, value: Any) -> tuple[int, ...]:
    """Widths of a projection head's hidden layers; one number is the width of the only one."""
    most, widest = _core.MOST_HIDDEN, _core.WIDEST_HIDDEN
    wanted = f"want a whole number from 1 to {widest}, or a list of 1 to {most} of them"
    widths = value if isinstance(value, list | tuple) else [value]
    if not all(is_whole(width) for width in widths):
        raise TypeError(f"{name}: got {value!r}, {wanted}")
    if not 1 <= len(widths) <= most or not all(1 <= width <= widest for width in widths):
        raise ValueError(f"{name}: got {value!r}, {wanted}")
    return tuple(int(width) for width in widths)

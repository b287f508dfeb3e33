"""Checks against the limits of the core's numbers, which stand in tsimcne.h and nowhere else."""

from __future__ import annotations

from typing import Any

from .. import _core
from .values import check_integer, check_number


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

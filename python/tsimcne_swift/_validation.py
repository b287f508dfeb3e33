"""Checks of parameters; each error names the parameter, what it got and what it wants."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any

import numpy as np


def check_number(name: str, value: Any, low: float, high: float) -> float:
    """A real number in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: got {value!r}, want a number from {low:g} to {high:g}")
    try:
        number = float(value)
    except OverflowError:  # a whole number that no float holds
        number = math.inf
    if not low <= number <= high:
        raise ValueError(f"{name}: got {value!r}, want a number from {low:g} to {high:g}")
    return number


def check_integer(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: got {value!r}, want a whole number from {low} to {high}")
    if not low <= int(value) <= high:
        raise ValueError(f"{name}: got {value!r}, want a whole number from {low} to {high}")
    return int(value)


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """One of some names."""
    wanted = ", ".join(repr(choice) for choice in choices)
    if not isinstance(value, str):
        raise TypeError(f"{name}: got {value!r}, want one of {wanted}")
    if value not in choices:
        raise ValueError(f"{name}: got {value!r}, want one of {wanted}")
    return value


def check_per_stage(name: str, value: Any, stages: int) -> list[Any]:
    """One value for all stages, or a list with one for each."""
    if isinstance(value, list | tuple):
        if len(value) != stages:
            raise ValueError(f"{name}: got {len(value)} values, want one for each of {stages} stages")
        return list(value)
    return [value] * stages


def check_seed(random_state: Any) -> int:
    """A 64-bit seed from None, a whole number, or numpy's generators."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) >> 1
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31))
    return check_integer("random_state", random_state, 0, 2**63 - 1)


def check_jobs(n_jobs: Any) -> int:
    """A number of threads; 0 stands for all cores that this process may use."""
    if n_jobs is None or (isinstance(n_jobs, numbers.Integral) and n_jobs == -1):
        return 0
    return check_integer("n_jobs", n_jobs, 1, 1024)

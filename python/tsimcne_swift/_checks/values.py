"""Checks of parameters; each error names the parameter, what it got and what it wants."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Collection
from typing import Any

import numpy as np


def check_regular(name: str, path: str | os.PathLike[str]) -> None:
    """A file that ends: to open a pipe waits for who writes to it, and a device may give for ever."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"{name}: there is no {os.fspath(path)}")
    if not os.path.isfile(path):
        raise ValueError(f"{name}: got {os.fspath(path)}, which is no regular file")


def check_number(name: str, value: Any, low: float, high: float) -> float:
    """A real number in [low, high]."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: got {value!r}, want a number from {low:g} to {high:g}")
    try:
        number = float(value)
    except OverflowError:  # it is a whole number that no float holds
        number = math.inf
    if not low <= number <= high:
        raise ValueError(f"{name}: got {value!r}, want a number from {low:g} to {high:g}")
    return number


def check_bool(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: got {value!r}, want True or False")
    return bool(value)


def check_integer(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in [low, high]."""
    if not is_whole(value):
        raise TypeError(f"{name}: got {value!r}, want a whole number from {low} to {high}")
    if not low <= int(value) <= high:
        raise ValueError(f"{name}: got {value!r}, want a whole number from {low} to {high}")
    return int(value)


def is_whole(value: Any) -> bool:
    """Whether the value is a whole number, and no truth value."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def as_written(widths: tuple[int, ...]) -> int | tuple[int, ...]:
    """The shortest form that `check_hidden` takes for these widths."""
    return widths[0] if len(widths) == 1 else widths


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


def check_functions(name: str, value: Any) -> list[Callable[[Any], Any]]:
    """A function of one argument, a list of them, or None for an empty list."""
    functions = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    for function in functions:
        if not callable(function):
            raise TypeError(f"{name}: got {function!r}, want a function of one argument, or a list of them")
    return functions


def check_seed(name: str, random_state: Any) -> int:
    """A 64-bit seed from None, a whole number, or numpy's generators."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) >> 1
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31))
    return check_integer(name, random_state, 0, 2**63 - 1)


def check_jobs(name: str, n_jobs: Any) -> int:
    """A number of threads; 0 stands for all cores that this process may use."""
    if n_jobs is None or (isinstance(n_jobs, numbers.Integral) and n_jobs == -1):
        return 0
    return check_integer(name, n_jobs, 1, 1024)

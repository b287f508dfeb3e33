"""Directions of largest variance, with the same bits on any number of threads."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .. import _core
from .linear import Linear

# Rows that are looked at; more change little.
ROWS = 8192
ITERATIONS = 15
# Rows that are float64 at a time.
DOUBLED = 512
# Rows and directions of a search that is timed.
PROBE = (512, 64)

Rows = npt.NDArray[np.float32]


def directions(rows: Rows, wanted: int, threads: int) -> tuple[Rows, Rows, Rows]:
    """Mean of rows, directions in which they vary most, and the deviations along them.

    Parameters
    ----------
    rows : ndarray of shape (n, columns)
        More than `ROWS` are sampled evenly.
    wanted : int
        Number of directions, at most that of rows and of columns.
    threads : int
        0 for all cores; they change nothing but the time.

    Returns
    -------
    mean : ndarray of shape (columns,)
    basis : ndarray of shape (wanted, columns)
        Of unit length; a direction in which nothing is left is zero.
    deviations : ndarray of shape (wanted,)
        The largest first.
    """
    n, columns = rows.shape
    some = rows if n <= ROWS else rows[np.linspace(0, n - 1, ROWS).astype(np.intp)]
    mean, deviations = np.empty(columns, np.float32), np.empty(wanted, np.float32)
    basis = np.empty((wanted, columns), np.float32)
    _core.directions(
        np.ascontiguousarray(some), mean, basis, deviations, iterations=ITERATIONS, threads=threads
    )
    return mean, basis, deviations


def plane_of(some: Rows, threads: int) -> Callable[[Rows], Rows]:
    """What gives places of rows in the plane of the two largest principal components of some, (n, 2)."""
    mean, basis, _ = directions(some, min(2, some.shape[1]), threads)

    def places(rows: Rows) -> Rows:
        result = np.zeros((len(rows), 2), np.float32)
        for start in range(0, len(rows), DOUBLED):
            part = rows[start : start + DOUBLED].astype(np.float64) - mean
            result[start : start + DOUBLED, : len(basis)] = np.einsum("ij,kj->ik", part, basis)
        return result

    return places


def reduction(some: Rows, wanted: int, threads: int) -> Callable[[Rows], Rows]:
    """What gives rows in the wanted largest principal components of some, if these have more columns."""
    if some.shape[1] <= wanted or len(some) <= wanted:
        return lambda rows: rows
    mean, basis, _ = directions(some, wanted, threads)
    linear = Linear.about(mean, basis.T)
    return lambda rows: linear(rows, threads)


def reduced(rows: Rows, wanted: int, threads: int) -> Rows:
    """Rows in their wanted largest principal components, if they have more columns than that."""
    return reduction(rows, wanted, threads)(rows)


def directions_seconds(count: int, columns: int, wanted: int, threads: int) -> float:
    """Seconds to find so many directions of so many rows, by a smaller search."""
    count, some = min(count, ROWS), min(count, PROBE[0])
    few = min(wanted, PROBE[1], some, columns)
    rows = np.random.Generator(np.random.Philox(0)).standard_normal((some, columns), np.float32)
    before = time.perf_counter()
    directions(rows, few, threads)
    return (time.perf_counter() - before) * count * min(wanted, count, columns) / (some * few)

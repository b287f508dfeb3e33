"""Points that go where their neighbours are."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .. import _core, recipes

Rows = npt.NDArray[np.float32]
# Multiplications of a call of the core, about: a few hundred milliseconds, after which signals are handled.
WORK = 2e10
# Steps of points of a call.
MOVED = 2_000_000
# Rows of a search that is timed.
PROBE = 4096
# Seconds that a thread takes for a step of one point, about.
STEP = 6e-7


def nearest(
    rows: Rows, neighbors: int, threads: int, report: Callable[[float], None]
) -> npt.NDArray[np.int32]:
    """The nearest other rows to each, the nearest first; ``report`` gets the part that is done."""
    n, columns = rows.shape
    result = np.empty((n, neighbors), np.int32)
    chunk = max(1, int(WORK / (n * columns)))
    for start in range(0, n, chunk):
        stop = min(n, start + chunk)
        _core.nearest(rows, rows[start:stop], result[start:stop], own_row=start, threads=threads)
        report(stop / n)
    return result


def graph_neighbors(n: int) -> int:
    """How many neighbours draw a point, of n."""
    return min(recipes.NEIGHBORS, max(1, (n - 1) // 3))


def search_seconds(n: int, columns: int, threads: int) -> float:
    """Seconds to find the neighbours of so many rows, by a smaller search: it grows with their square."""
    some = min(n, PROBE)
    rows = np.random.Generator(np.random.Philox(0)).standard_normal((some, columns), np.float32)
    before = time.perf_counter()
    nearest(rows, graph_neighbors(some), threads, lambda part: None)
    return (time.perf_counter() - before) * (n / some) ** 2


def moving_seconds(n: int, threads: int) -> float:
    """Seconds that the points take, about."""
    return sum(steps for steps, _, _ in recipes.POINTS) * n * STEP / threads


def nearest_to(queries: Rows, rows: Rows, neighbors: int, threads: int) -> npt.NDArray[np.int32]:
    """The nearest rows to each query, by distance, the nearest first."""
    result = np.empty((len(queries), neighbors), np.int32)
    chunk = max(1, int(WORK / rows.size))
    for start in range(0, len(queries), chunk):
        part = slice(start, start + chunk)
        _core.nearest(rows, queries[part], result[part], threads=threads)
    return result


def move(
    neighbors: npt.NDArray[np.int32],
    start: Rows,
    threads: int,
    report: Callable[[float], None],
    settled: bool = False,
) -> Rows:
    """Places of points from those of ``start``, each drawn by its neighbours and kept off by all others.

    Parameters
    ----------
    neighbors : ndarray of shape (n, k)
        The neighbours of each point; a pair is drawn from both sides.
    start : ndarray of shape (n, 2)
        Its arrangement is what the map keeps as a whole; its scale does not matter.
    threads : int
    report : callable
        Gets the part of the work that is done.
    settled : bool
        Whether points begin from a map of points, whose scale is right: they then are not drawn together
        first.
    """
    n = len(start)
    offsets, others, weights = _graph(neighbors)
    centred = start - start.mean(axis=0, dtype=np.float64)
    spread = np.sqrt((centred**2).mean())
    phases = recipes.POINTS[1:] if settled else recipes.POINTS
    scale = recipes.POINTS_RADIUS / spread if spread > 0 else 1
    points: Rows = start.copy() if settled else (centred * scale).astype(np.float32)
    velocities, gains = np.zeros_like(points), np.ones_like(points)
    total, done = sum(steps for steps, _, _ in phases), 0
    for steps, exaggeration, momentum in phases:
        left = steps
        while left > 0:
            some = min(left, max(1, MOVED // n))
            _core.move_points(
                points,
                velocities,
                gains,
                offsets,
                others,
                weights,
                steps=some,
                exaggeration=exaggeration,
                rate=recipes.POINTS_RATE,
                momentum=momentum,
                threads=threads,
            )
            left -= some
            done += some
            report(done / total)
    return points


def _graph(
    neighbors: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Who draws whom: offsets, numbers and weights, as the core wants them."""
    n, k = neighbors.shape
    own = np.repeat(np.arange(n, dtype=np.int64), k)
    other = neighbors.ravel().astype(np.int64)
    pairs, counts = np.unique(np.concatenate([own * n + other, other * n + own]), return_counts=True)
    offsets = np.searchsorted(pairs, np.arange(n + 1, dtype=np.int64) * n)
    return offsets, (pairs % n).astype(np.int32), (counts * (0.5 / k)).astype(np.float32)

"""Points that go where their neighbours are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .. import _core, recipes
from .alone import Alone

Rows = npt.NDArray[np.float32]
# Steps of points of a call.
MOVED = 2_000_000
# Seconds that a thread takes for a step of one point, about.
STEP = 6e-7
# Points that spread less across than this share of how they spread along a line are bent by so much of it.
LINE, BEND = 1e-3, 0.1


def moving_seconds(n: int, threads: int) -> float:
    """Seconds that the points take, about."""
    return sum(steps for steps, _, _ in recipes.POINTS) * n * STEP / threads


def move(
    neighbors: npt.NDArray[np.int32],
    start: Rows,
    threads: int,
    report: Callable[[float], None],
    settled: bool = False,
    ranks: Alone | None = None,
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
    ranks : Alone or None
        Those that move points together, if there are several: all give the same, and get the same.
    """
    n = len(start)
    offsets, others, weights = _graph(neighbors)
    phases = recipes.POINTS[1:] if settled else recipes.POINTS
    points = start.copy() if settled else _begun(start)
    velocities, gains = np.zeros_like(points), np.ones_like(points)
    total, done = sum(steps for steps, _, _ in phases), 0
    ranks = ranks or Alone()
    shared = None if ranks.size == 1 else np.empty(3 * n, np.float32)
    for steps, exaggeration, momentum in phases:
        left = steps
        while left > 0:
            some = 1 if shared is not None else min(left, max(1, MOVED // n))
            if shared is not None:
                _core.repel_points(points, shared, part=ranks.rank, parts=ranks.size, threads=threads)
                ranks.add(shared)
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
                repulsion=shared,
            )
            left -= some
            done += some
            report(done / total)
    return points


def _begun(start: Rows) -> Rows:
    """Places about the origin, spread as the first steps want it."""
    centred = _off_a_line(start.astype(np.float64) - start.mean(axis=0, dtype=np.float64))
    spread = np.sqrt((centred**2).mean())
    scale = recipes.POINTS_RADIUS / spread if spread > 0 else 1
    begun: Rows = (centred * scale).astype(np.float32)
    return begun


def _off_a_line(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Centred points, bent to a parabola where they lie on a line, which no force would ever leave.

    A head that learnt little may map all images to one, and so do features of one direction. Points of one
    place stay at one place.
    """
    x, y = points.T
    angle = 0.5 * np.arctan2(2 * np.mean(x * y), np.mean(x * x) - np.mean(y * y))
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    spread = along.std()
    if spread == 0 or across.std() > LINE * spread:
        return points
    across += BEND * (along**2 / spread - spread)
    turned = along * np.cos(angle) - across * np.sin(angle), along * np.sin(angle) + across * np.cos(angle)
    return np.stack(turned, axis=1)


def _graph(
    neighbors: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Who draws whom: offsets, numbers and weights, as the core wants them."""
    n, k = neighbors.shape
    half = np.full(n * k, 0.5 / k, np.float32)
    one_way = csr_array((half, neighbors.ravel().copy(), np.arange(0, n * k + 1, k)), shape=(n, n))
    one_way.sort_indices()
    both = one_way + one_way.T.tocsr()
    return both.indptr.astype(np.int64), both.indices.astype(np.int32, copy=False), both.data

"""At which zoom an image's picture appears: level by level as many as do not overlap, as `spread.js` has it.

The page does this itself for fewer images, and for those that a filter leaves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# Sides of a picture at the first level, in distances of points that lie close; what is left of them from a
# level to the next; and how many levels there are.
FIRST, SHRINK, LEVELS = 3.0, 2 ** (-3 / 8), 33
# Of an image that no level shows, since another one is at its place.
NEVER = LEVELS
# Cells along a side, at most, by which it is known how much of the map is covered.
CELLS = 64
# Shares of the points at each end that may lie far out; beyond so many times the others' spread they do.
TAIL, FAR, FEWEST = 0.02, 1.0, 10
# Places of a cell beside another one.
AROUND = [(across, up) for across in (-1, 0, 1) for up in (-1, 0, 1)]


def near_box(points: Points) -> tuple[Points, Points]:
    """The least corner and the largest one of a box around all points that do not lie far out."""
    if len(points) < FEWEST:
        return points.min(axis=0), points.max(axis=0)
    low, high = np.quantile(points, [TAIL, 1 - TAIL], axis=0)
    far = FAR * (high - low)
    flat = far == 0
    least, most = np.where(flat, -np.inf, low - far), np.where(flat, np.inf, high + far)
    near = points[((points >= least) & (points <= most)).all(axis=1)]
    return near.min(axis=0), near.max(axis=0)


def distance_between(points: Points) -> float:
    """How far apart points are where they lie close."""
    low, high = near_box(points)
    extent = np.where(high > low, high - low, 1.0)
    cells = int(np.clip(round(np.sqrt(len(points)) / 2), 1, CELLS))
    places = (np.clip((points - low) / extent, 0, 0.999) * cells).astype(np.int64)
    filled = len(np.unique(places[:, 0] * cells + places[:, 1]))
    return float(np.sqrt(filled * extent.prod() / cells**2 / len(points)))


def picture_levels(points: Points, size: tuple[int, int], distance: float) -> npt.NDArray[np.uint8]:
    """The level of each image's picture, from 0 on.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    size : tuple of int
        Height and width of a picture.
    distance : float
        Of points that lie close.

    Returns
    -------
    ndarray of shape (n,), uint8
    """
    # In an order that has nothing to do with the map's, those before others may be shown.
    order = np.random.default_rng(0).permutation(len(points))
    height, width = size
    # A picture then is a square.
    places = points[order] / (np.array([width, height]) / max(size))
    levels = np.full(len(points), NEVER, np.uint8)
    shown: Numbers = np.zeros(0, np.int64)
    # The level from which on each may be free of those that are shown.
    until = np.zeros(len(points), np.int64)
    for level in range(LEVELS):
        side = distance * FIRST * SHRINK**level
        free = np.flatnonzero((levels == NEVER) & (until <= level))
        added = shown
        while len(free) > 0:
            nearest = _distances(places, free, added, side)
            blocked = free[nearest < side]
            with np.errstate(divide="ignore"):
                opens = np.ceil(np.log(nearest[nearest < side] / (distance * FIRST)) / np.log(SHRINK))
            until[blocked] = np.clip(opens, level + 1, NEVER)
            free = free[nearest >= side]
            added = _first_ones(places, free, side)
            levels[added] = level
            shown = np.concatenate([shown, added])
            free = free[levels[free] == NEVER]
    result = np.empty_like(levels)
    result[order] = levels
    return result


def _keys(cells: Numbers) -> Numbers:
    return (cells[:, 0] << 32) + cells[:, 1]


def _cells(places: Points, some: Numbers, side: float) -> Numbers:
    return np.floor(places[some] / side).astype(np.int64)


def _distances(places: Points, asked: Numbers, others: Numbers, side: float) -> Points:
    """From each to the nearest of the others, by the axis that parts them more, where it is below a side.

    No two of the others are in one cell.
    """
    nearest = np.full(len(asked), np.inf)
    if len(others) == 0:
        return nearest
    keys = _keys(_cells(places, others, side))
    sorting = np.argsort(keys)
    keys, others = keys[sorting], others[sorting]
    own = _cells(places, asked, side)
    for step in AROUND:
        wanted = _keys(own + step)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found = np.flatnonzero(keys[at] == wanted)
        between = np.abs(places[asked[found]] - places[others[at[found]]]).max(axis=1)
        nearest[found] = np.minimum(nearest[found], between)
    return nearest


def _first_ones(places: Points, free: Numbers, side: float) -> Numbers:
    """Of each cell the first, but for those over which an earlier one of a cell beside it lies."""
    if len(free) == 0:
        return free
    cells = _cells(places, free, side)
    keys, first = np.unique(_keys(cells), return_index=True)
    winners, cells = free[first], cells[first]
    stays = np.ones(len(winners), bool)
    for step in AROUND:
        wanted = _keys(cells + step)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        is_earlier = (keys[at] == wanted) & (winners[at] < winners)
        over = np.abs(places[winners] - places[winners[at]]).max(axis=1) < side
        stays &= ~(is_earlier & over)
    return winners[stays]


def along_curve(points: Points) -> Numbers:
    """Numbers that are near for points that lie near: the bits of both places in turns (Morton 1966)."""
    low, high = near_box(points)
    extent = np.where(high > low, high - low, 1.0)
    places = (np.clip((points - low) / extent, 0, 1) * 0xFFFF).astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        places = (places | (places << np.uint64(shift))) & np.uint64(mask)
    numbers: Numbers = (places[:, 0] | (places[:, 1] << np.uint64(1))).astype(np.int64)
    return numbers

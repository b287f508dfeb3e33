"""Images that are the same, or nearly, found in their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from sklearn.neighbors import NearestNeighbors

from ._checks.maps import check_rows
from ._checks.values import check_integer, check_number
from ._evaluation import neighbors
from ._inputs.images import as_pictures
from ._likeness import Likeness
from ._links import Links, grouped

# Cells a side at which images are shifted, and compared: noise and compression do not show.
FINE, THUMBNAIL = 32, 16
# Shifts in cells of the finer grid; the opposite ones are seen from the other image.
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
# Principal components of thumbnails, and the number of images that they are found from.
COMPONENTS, SAMPLE = 32, 20_000
# Most neighbours that are compared.
MOST = 1000
# Of an image's candidates, those that are compared in all pixels.
NEAREST = 6
CHUNK = 1024


@dataclass(frozen=True)
class Duplicates:
    """Groups of images that show the same; in a group every image shows the same as every other.

    Parameters
    ----------
    groups : list of ndarray of int
        Indices of each group, ascending. Groups of exact copies come first; then groups of near ones, by
        distance, in which the first of each group of exact copies stands for all of them.
    distances : ndarray of shape (groups,)
        The largest root-mean-square difference between two images of a group, at 16×16, in grey levels of 0
        to 255; 0 for exact copies, and more for all others.
    """

    groups: list[npt.NDArray[np.int64]]
    distances: npt.NDArray[np.float64]


def duplicates(X: Any, Y: Any = None, *, threshold: float | None = None, k: int = 15) -> Duplicates:
    """Groups of exact and near duplicates.

    Pixels are compared with those of all other images, also shifted by a 32nd of the side: what noise,
    compression, resizing and small shifts leave is found.

    Parameters
    ----------
    X : ndarray of shape (n, height, width[, channels]), uint8
    Y : array-like of shape (n, d), or None
        The map, or features: the k nearest neighbours of each image there are compared mirrored and turned,
        too, as the network sees little of that.
    threshold : float or None
        Largest root-mean-square difference of the pixels of near duplicates, at 16×16, in grey levels. None:
        relative to what differs in the set. No thing that could be seen may differ by a third of what
        differs between an image and its k-th neighbour; and their grain must be the same, beyond what chance
        and the set's other images have in common: dark or plain images are not the same for being dark.
    k : int, default=15
        Number of an image's neighbours, in pixels and in Y, that are compared.

    Returns
    -------
    Duplicates
    """
    images = _check_images(X)
    if threshold is not None:
        check_number("threshold", threshold, 0, 255)
    check_integer("k", k, 1, MOST)
    if Y is not None and len(images) > 0:
        Y = check_rows("Y", Y, len(images))
    copies, first = _exact_groups(images)
    # Of copies the first stands for all.
    kept = np.flatnonzero(first == np.arange(len(images)))
    near = _near_groups(images[kept], None if Y is None else Y[kept], threshold, k)
    groups = copies + [kept[group] for group in near.groups]
    return Duplicates(groups, np.concatenate([np.zeros(len(copies)), near.distances]))


def _near_groups(images: npt.NDArray[np.uint8], Y: Any, threshold: float | None, k: int) -> Duplicates:
    n = len(images)
    if n < 2:
        return Duplicates([], np.zeros(0))
    fine = _means(images, FINE).astype(np.float16)
    small = _thumbnails(fine)
    found = [*_near_pairs([small], small, threshold, k)]
    # At the borders a shifted image shows something else.
    inner = small[:, 1:-1, 1:-1]
    if inner.size > 0:
        shifted = (_thumbnails(fine, *shift)[:, 1:-1, 1:-1] for shift in SHIFTS)
        found += _near_pairs(shifted, inner, threshold, k)
    if Y is not None:
        others = neighbors(Y, k)
        candidates = np.stack([np.repeat(np.arange(n), others.shape[1]), others.ravel()], axis=1)
        found.append((candidates, *_turned_differences(fine, small, candidates)))
    links = Links(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    if threshold is not None:
        return Duplicates(*grouped(links.keep(links.distances <= threshold)))
    likeness = Likeness(images)
    links = links.keep(links.nearest(n, NEAREST))
    likeness.learn(_others(small, k))
    links = links.keep(likeness.alike_of_nearest(links.pairs, links.turns))
    more = links.missing(n)
    more = more[likeness.alike(more)]
    return Duplicates(*grouped(links.with_more(more, _differences(small, small, more))))


def _check_images(X: Any) -> npt.NDArray[np.uint8]:
    images = as_pictures(X)
    return images if images.dtype == np.uint8 else np.rint(images * 255).astype(np.uint8)


def _means(images: npt.NDArray[Any], most: int) -> npt.NDArray[np.float32]:
    """Means over a grid of at most so many cells a side."""
    n, height, width, channels = images.shape
    rows, columns = min(most, height), min(most, width)
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    cells = np.diff([*tops, height])[:, None] * np.diff([*lefts, width])
    result = np.empty((n, rows, columns, channels), np.float32)
    for start in range(0, n, CHUNK):
        part = images[start : start + CHUNK].astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(part, tops, axis=1), lefts, axis=2)
        result[start : start + CHUNK] = sums / cells[:, :, None]
    return result


def _thumbnails(fine: npt.NDArray[Any], down: int = 0, right: int = 0) -> npt.NDArray[np.float32]:
    """The 16×16 means of images that are shifted."""
    _, height, width, _ = fine.shape
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return _means(fine[:, rows][:, :, columns], THUMBNAIL)


def _exact_groups(
    images: npt.NDArray[np.uint8],
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Groups of equal pixels; and the first image of the same pixels, for all."""
    places: dict[bytes, list[int]] = {}
    for i, image in enumerate(images):
        places.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), []).append(i)
    first = np.arange(len(images))
    for group in places.values():
        first[group] = group[0]
    return [np.array(group) for group in places.values() if len(group) > 1], first


Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]


def _near_pairs(
    variants: Iterable[npt.NDArray[np.float32]],
    small: npt.NDArray[np.float32],
    threshold: float | None,
    k: int,
) -> list[Found]:
    """Pairs of a variant and an image, within the threshold if there is one; their differences; no turns.

    In a few principal components distances are no longer than in all pixels, so that a tree of them misses
    no pair but where an image has more than k others so near.
    """
    rows = small.reshape(len(small), -1)
    centre, axes = _components(rows)
    points = (rows - centre) @ axes
    if threshold is None:
        model = NearestNeighbors(n_neighbors=min(NEAREST + 1, len(rows)), algorithm="brute").fit(points)
    else:
        tree = KDTree(points)
        # Rounding must not lose what is as far as the threshold.
        radius = (threshold + 1e-3) * np.sqrt(rows.shape[1])
    result = []
    for variant in variants:
        query = (variant.reshape(rows.shape) - centre) @ axes
        if threshold is None:
            found = model.kneighbors(query, return_distance=False)
        else:
            # A tree is fast where little is so near.
            most = min(k + 1, len(rows))
            _, found = tree.query(query, k=most, distance_upper_bound=radius, workers=-1)
        found = found.reshape(len(rows), -1)
        here, there = np.repeat(np.arange(len(rows)), found.shape[1]), found.ravel()
        pairs = np.stack([here, there], axis=1)[(there < len(rows)) & (there != here)]
        result.append((pairs, _differences(variant, small, pairs), np.zeros(len(pairs), np.int64)))
    return result


def _components(rows: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    _, axes = np.linalg.eigh(np.cov(sample.T).reshape(rows.shape[1], -1))
    return sample.mean(axis=0), axes[:, ::-1][:, :COMPONENTS].astype(np.float32)


def _others(small: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """Each image with its k-th neighbour, and with the one that is half as far in number."""
    rows = small.reshape(len(small), -1)
    centre, axes = _components(rows)
    points = (rows - centre) @ axes
    ranks = sorted({min(max(1, rank), len(rows) - 1) for rank in (k // 2, k)})
    model = NearestNeighbors(n_neighbors=ranks[-1] + 1, algorithm="brute").fit(points)
    found = model.kneighbors(return_distance=False, n_neighbors=ranks[-1])[:, [rank - 1 for rank in ranks]]
    pairs = np.stack([np.repeat(np.arange(len(rows)), len(ranks)), found.ravel()], axis=1)
    result: npt.NDArray[np.int64] = pairs[pairs[:, 0] != pairs[:, 1]]
    return result


def _differences(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], pairs: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Root-mean-square difference of an image of `a` and one of `b`, for each pair."""
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), CHUNK * 16):
        part = slice(start, start + CHUNK * 16)
        left, right = pairs[part].T
        result[part] = np.sqrt(np.mean((a[left] - b[right]) ** 2, axis=(1, 2, 3)))
    return result


def _turned_differences(
    fine: npt.NDArray[Any], small: npt.NDArray[np.float32], pairs: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The least difference over all ways to mirror an image and to turn it by right angles; and the way."""
    result, best = np.full(len(pairs), np.inf), np.zeros(len(pairs), np.int64)
    for turns in range(4) if fine.shape[1] == fine.shape[2] else (0, 2):
        turned = np.rot90(fine, turns, axes=(1, 2))
        for mirrored, way in enumerate((turned, turned[:, :, ::-1])):
            difference = _differences(_thumbnails(way), small, pairs)
            best[difference < result] = turns + 4 * mirrored
            np.minimum(result, difference, out=result)
    return result, best

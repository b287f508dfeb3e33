"""Images that are the same, or nearly, found in their pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks.maps import check_rows
from ._checks.values import check_integer, check_number
from ._evaluation import neighbors
from ._inputs.images import as_pictures

# Cells a side at which images are shifted, and compared: noise and compression do not show.
FINE, THUMBNAIL = 32, 16
# Shifts in cells of the finer grid; the opposite ones are seen from the other image.
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
# Principal components of thumbnails, and the number of images that they are found from.
COMPONENTS, SAMPLE = 32, 20_000
# Most neighbours that are compared.
MOST = 1000
CHUNK = 1024


@dataclass(frozen=True)
class Duplicates:
    """Groups of images that show the same.

    Parameters
    ----------
    groups : list of ndarray of int
        Indices of each group, ascending; groups of exact copies first, then by distance.
    distances : ndarray of shape (groups,)
        The largest root-mean-square difference between linked images of a group, in grey levels of 0 to 255;
        0 for exact copies.
    """

    groups: list[npt.NDArray[np.int64]]
    distances: npt.NDArray[np.float64]


def duplicates(X: Any, Y: Any = None, *, threshold: float = 6.0, k: int = 15) -> Duplicates:
    """Groups of exact and near duplicates.

    Pixels are compared with those of all other images, also shifted by a 32nd of the side: what noise,
    compression, resizing and small shifts leave is found.

    Parameters
    ----------
    X : ndarray of shape (n, height, width[, channels]), uint8
    Y : array-like of shape (n, d), or None
        The map, or features: the k nearest neighbours of each image there are compared mirrored and turned,
        too, as the network sees little of that.
    threshold : float, default=6
        Largest root-mean-square difference of the pixels of near duplicates, at 16×16, in grey levels.
    k : int, default=15
        Number of an image's neighbours, in pixels and in Y, that are compared.

    Returns
    -------
    Duplicates
    """
    images = _check_images(X)
    n = len(images)
    check_number("threshold", threshold, 0, 255)
    check_integer("k", k, 1, MOST)
    if n < 2:
        return Duplicates([], np.zeros(0))
    fine = _means(images, FINE).astype(np.float16)
    small = _thumbnails(fine)
    exact, first = _exact_pairs(images)
    found = [(exact, np.zeros(len(exact))), *_near_pairs([small], small, threshold, k)]
    # At the borders a shifted image shows something else.
    inner = small[:, 1:-1, 1:-1]
    if inner.size > 0:
        shifted = (_thumbnails(fine, *shift)[:, 1:-1, 1:-1] for shift in SHIFTS)
        found += _near_pairs(shifted, inner, threshold, k)
    if Y is not None:
        others = neighbors(check_rows("Y", Y, n), k)
        candidates = np.stack([np.repeat(np.arange(n), others.shape[1]), others.ravel()], axis=1)
        found.append((candidates, _turned_differences(fine, small, candidates)))
    every, difference = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # Thumbnails of different images may be equal: only equal pixels count as exact.
    is_exact = first[every[:, 0]] == first[every[:, 1]]
    difference = np.where(is_exact, 0, np.maximum(difference, 1e-6))
    close = difference <= threshold
    return _grouped(every[close], difference[close], n)


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


def _exact_pairs(images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each copy with the first image of its pixels; and that first image, for all."""
    places: dict[bytes, int] = {}
    first = np.array([places.setdefault(image.tobytes(), i) for i, image in enumerate(images)], np.int64)
    copies = np.flatnonzero(first != np.arange(len(images)))
    return np.stack([first[copies], copies], axis=1), first


def _near_pairs(
    variants: Iterable[npt.NDArray[np.float32]], small: npt.NDArray[np.float32], threshold: float, k: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
    """Pairs of a variant and an image within the threshold, and their differences.

    In a few principal components distances are no longer than in all pixels, so that a tree of them misses
    no pair but where an image has more than k others so near.
    """
    from scipy.spatial import KDTree

    rows = small.reshape(len(small), -1)
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    centre = sample.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(sample.T).reshape(rows.shape[1], -1))
    axes = axes[:, ::-1][:, :COMPONENTS].astype(np.float32)
    tree = KDTree((rows - centre) @ axes)
    # Rounding must not lose exact copies.
    radius = (threshold + 1e-3) * np.sqrt(rows.shape[1])
    result = []
    for variant in variants:
        query = (variant.reshape(rows.shape) - centre) @ axes
        _, found = tree.query(query, k=min(k + 1, len(rows)), distance_upper_bound=radius, workers=-1)
        found = found.reshape(len(rows), -1)
        here, there = np.repeat(np.arange(len(rows)), found.shape[1]), found.ravel()
        pairs = np.stack([here, there], axis=1)[(there < len(rows)) & (there != here)]
        result.append((pairs, _differences(variant, small, pairs)))
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
) -> npt.NDArray[np.float64]:
    """The least difference over all ways to mirror an image and to turn it by right angles."""
    result = np.full(len(pairs), np.inf)
    for turns in range(4) if fine.shape[1] == fine.shape[2] else (0, 2):
        turned = np.rot90(fine, turns, axes=(1, 2))
        for way in (turned, turned[:, :, ::-1]):
            np.minimum(result, _differences(_thumbnails(way), small, pairs), out=result)
    return result


def _grouped(pairs: npt.NDArray[np.int64], distances: npt.NDArray[np.float64], n: int) -> Duplicates:
    """Connected pairs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    members = np.unique(pairs)
    worst = np.zeros(component.max(initial=0) + 1)
    np.maximum.at(worst, component[pairs[:, 0]], distances)
    numbers = np.unique(component[members])
    numbers = numbers[np.argsort(worst[numbers], kind="stable")]
    groups = [members[component[members] == number] for number in numbers]
    return Duplicates(groups, worst[numbers])

"""What a map shows first: duplicates, outliers, wrong labels, clusters; the most striking come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from ._evaluation import neighbors, votes
from ._points import check_labels, check_rows
from ._validation import check_integer, check_number

__all__ = ["Duplicates", "clusters", "duplicates", "mislabelled", "outliers"]

# Pixels a side that images are compared at: small shifts and compression do not show.
THUMBNAIL = 16
CHUNK = 1024


@dataclass(frozen=True)
class Duplicates:
    """Groups of images that show the same.

    Parameters
    ----------
    groups : list of ndarray of int
        Indices of each group, ascending; groups of exact copies first, then by distance.
    distances : ndarray of shape (groups,)
        The largest difference between linked images of a group, root mean square in grey levels of 0 to 255;
        0 for exact copies.
    """

    groups: list[npt.NDArray[np.int64]]
    distances: npt.NDArray[np.float64]


def duplicates(
    X: Any, Y: Any = None, *, features: Any = None, threshold: float = 6.0, k: int = 15
) -> Duplicates:
    """Groups of exact and near duplicates.

    Parameters
    ----------
    X : ndarray of shape (n, height, width[, channels]), uint8
    Y : array-like of shape (n, d), or None
        The map: near duplicates are looked for among the k nearest neighbours of each image there. None: only
        exact copies and what is among the neighbours in ``features``.
    features : array-like of shape (n, f), or None
        As of `TSimCNE.features`: their neighbours are looked at too, and miss fewer than the map's.
    threshold : float, default=6
        Largest root-mean-square difference of the pixels of near duplicates, at 16×16, in grey levels.
    k : int, default=15

    Returns
    -------
    Duplicates
    """
    images = _check_images(X)
    check_number("threshold", threshold, 0, 255)
    n = len(images)
    pairs = [_exact_pairs(images)]
    small = _thumbnails(images)
    for name, Z, metric in (("Y", Y, "euclidean"), ("features", features, "cosine")):
        if Z is None:
            continue
        others = neighbors(check_rows(name, Z, n), check_integer("k", k, 1, n - 1), metric=metric)
        first = np.repeat(np.arange(n), others.shape[1])
        pairs.append(np.stack([first, others.ravel()], axis=1))
    candidates = np.concatenate(pairs)
    distances = _differences(small, candidates)
    # Thumbnails of different images may be equal: only equal pixels count as exact.
    distances[len(pairs[0]) :] = np.maximum(distances[len(pairs[0]) :], 1e-6)
    distances[: len(pairs[0])] = 0
    close = distances <= threshold
    return _grouped(candidates[close], distances[close], n)


def outliers(model: Any, X: Any, *, k: int = 15) -> npt.NDArray[np.int64]:
    """All images, the most unusual first.

    Parameters
    ----------
    model : TSimCNE
        Fitted.
    X : array-like
        As for `TSimCNE.transform`.
    k : int, default=15

    Returns
    -------
    ndarray of shape (n,)
        Indices, by how much farther an image is from its k nearest neighbours than these are from theirs, by
        the cosine of the backbone's features (local outlier factor, Breunig et al. 2000).
    """
    from sklearn.neighbors import LocalOutlierFactor

    features = model.features(X)
    scorer = LocalOutlierFactor(n_neighbors=check_integer("k", k, 1, len(features) - 1), metric="cosine")
    scorer.fit(features)
    return np.argsort(scorer.negative_outlier_factor_, kind="stable").astype(np.int64)


def mislabelled(Z: Any, labels: Any, *, k: int = 15) -> npt.NDArray[np.int64]:
    """Images whose neighbours have another label, the most contradicted first.

    Parameters
    ----------
    Z : array-like of shape (n, d)
        The map, or features.
    labels : array-like of shape (n,)
    k : int, default=15

    Returns
    -------
    ndarray
        Indices of images whose label is not that of most neighbours, by how many more of the k nearest have
        the commonest label than have their own; ties by distance.
    """
    Z = check_array(Z, input_name="Z")
    _, codes = np.unique(check_labels(labels, len(Z)), return_inverse=True)
    others = neighbors(Z, check_integer("k", k, 1, len(Z) - 1))
    counts = votes(others, codes)
    own = counts[np.arange(len(Z)), codes]
    margin = counts.max(axis=1) - own
    spread = np.linalg.norm(Z[others] - Z[:, None], axis=2).mean(axis=1)
    order = np.lexsort((spread, -margin))
    return np.asarray(order[margin[order] > 0], np.int64)


def clusters(Y: Any, *, min_size: int | None = None) -> npt.NDArray[np.int64]:
    """The islands of a map, by scikit-learn's HDBSCAN.

    Parameters
    ----------
    Y : array-like of shape (n, d)
    min_size : int or None
        Fewest images of an island; None: 1 % of them, 5 at least.

    Returns
    -------
    ndarray of shape (n,)
        Number of each image's island, from 0 for the largest on; -1 between the islands.
    """
    from sklearn.cluster import HDBSCAN

    Y = check_array(Y, input_name="Y")
    size = max(5, len(Y) // 100) if min_size is None else check_integer("min_size", min_size, 2, len(Y))
    found = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(Y)
    numbers, counts = np.unique(found[found >= 0], return_counts=True)
    rank = np.full(len(numbers) + 1, -1, np.int64)
    rank[numbers[np.argsort(-counts, kind="stable")]] = np.arange(len(numbers))
    return np.asarray(rank[found], np.int64)


def _check_images(X: Any) -> npt.NDArray[np.uint8]:
    images = np.asarray(X)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise ValueError(
            f"X: got {images.dtype} of shape {images.shape}, want uint8 (n, height, width[, channels])"
        )
    return images.reshape(*images.shape[:3], -1)


def _thumbnails(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Means over a grid of at most 16×16 cells."""
    n, height, width, channels = images.shape
    rows, columns = min(THUMBNAIL, height), min(THUMBNAIL, width)
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    cells = np.diff([*tops, height])[:, None] * np.diff([*lefts, width])
    result = np.empty((n, rows, columns, channels), np.float32)
    for start in range(0, n, CHUNK):
        part = images[start : start + CHUNK].astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(part, tops, axis=1), lefts, axis=2)
        result[start : start + CHUNK] = sums / cells[:, :, None]
    return result.reshape(n, -1)


def _exact_pairs(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Each copy with the first image of its pixels."""
    first: dict[bytes, int] = {}
    pairs = [
        (original, place)
        for place, image in enumerate(images)
        if (original := first.setdefault(image.tobytes(), place)) != place
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _differences(small: npt.NDArray[np.float32], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Root-mean-square difference of each pair."""
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), CHUNK * 16):
        a, b = pairs[start : start + CHUNK * 16].T
        result[start : start + CHUNK * 16] = np.sqrt(np.mean((small[a] - small[b]) ** 2, axis=1))
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

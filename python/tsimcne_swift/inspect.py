"""What a map shows first: duplicates, outliers, wrong labels, clusters; the most striking come first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from ._checks.labels import read_labels
from ._checks.values import check_integer
from ._duplicates.finding import Duplicates, duplicates
from ._evaluation import few_neighbors, neighbors, votes

# Images that are compared with their neighbours at a time.
CHUNK = 1024

__all__ = ["Duplicates", "clusters", "duplicates", "mislabelled", "outliers"]


def outliers(model: Any, X: Any, *, k: int = 15) -> npt.NDArray[np.int64]:
    """All images, the most unusual first.

    Parameters
    ----------
    model : TSimCNE
        A fitted estimator.
    X : array-like
        Images, as for `TSimCNE.transform`.
    k : int, default=15
        Number of neighbours; all others where they are fewer.

    Returns
    -------
    ndarray of shape (n,)
        Indices, by how much farther an image is from its k nearest neighbours than these are from theirs, by
        the cosine of the backbone's features (local outlier factor, Breunig et al. 2000).
    """
    features = model.features(X)
    if len(features) == 1:
        return np.zeros(1, np.int64)
    others = neighbors(features, few_neighbors(k, len(features)), metric="cosine")
    far = _cosine_distances(features, others)
    # How dense it is about each image, of which a neighbour is no nearer than that one's own k-th is.
    density = 1 / (np.maximum(far, far[others, -1]).mean(axis=1) + 1e-10)
    factor = density[others].mean(axis=1) / density
    return np.argsort(-factor, kind="stable").astype(np.int64)


def mislabelled(Z: Any, labels: Any, *, k: int = 15) -> npt.NDArray[np.int64]:
    """Images whose neighbours have another label, the most contradicted first.

    Parameters
    ----------
    Z : array-like of shape (n, d)
        The map, or features.
    labels : array-like of shape (n,)
        Classes: whole numbers, truth values or names. Images without one (None, NaN, NA, blank text, or a
        negative number) are not in the result, and are no neighbours.
    k : int, default=15
        Number of neighbours; all others where they are fewer.

    Returns
    -------
    ndarray
        Indices of images whose label is not that of most neighbours, by how likely their label is among
        such neighbours: a shirt among T-shirts is common, a shirt among shoes is not. Ties by distance.
    """
    Z = check_array(Z, input_name="Z")
    classes = read_labels(labels, len(Z)).check_classes()
    if len(Z) == 1:
        return np.empty(0, np.int64)
    k = few_neighbors(k, len(Z))
    known = np.flatnonzero(classes.known)
    if len(known) < 2:
        return np.zeros(0, np.int64)
    Z, codes = Z[known], classes.codes[known]
    others = neighbors(Z, min(k, len(Z) - 1))
    counts = votes(others, codes)
    shares = counts / counts.sum(axis=1, keepdims=True)
    # How often a label stands among neighbours of another one, over all images.
    confusion = np.zeros((shares.shape[1], shares.shape[1]))
    np.add.at(confusion.T, codes, shares)
    confusion /= np.maximum(confusion.sum(axis=1, keepdims=True), 1e-12)
    likely = (shares * confusion[:, codes].T).sum(axis=1)
    spread = np.linalg.norm(Z[others] - Z[:, None], axis=2).mean(axis=1)
    order = np.lexsort((spread, likely))
    contradicted = shares.max(axis=1) > shares[np.arange(len(Z)), codes]
    return np.asarray(known[order[contradicted[order]]], np.int64)


def _cosine_distances(rows: npt.NDArray[Any], others: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """1 - cosine of each row and its others, ascending."""
    result = np.empty(others.shape)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        # In float32 the cosines of near images round to 1.
        own, other = (_unit(rows[numbers]) for numbers in (part, others[part]))
        result[part] = 1 - np.einsum("nd,nkd->nk", own, other)
    return np.sort(result, axis=1)


def _unit(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    rows = rows.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: npt.NDArray[np.float64] = rows / np.where(lengths > 0, lengths, 1)
    return unit


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

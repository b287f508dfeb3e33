"""How good a map is, where labels or features are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from ._algebra.linear import to_unit_length
from ._checks.labels import Labels, read_labels
from ._checks.maps import check_rows
from ._checks.values import check_integer
from ._plane.neighbors import nearest, nearest_to

# Images that the measures of quadratic cost are made on.
SAMPLE = 5000
# Columns up to which scikit-learn's trees are quicker than products, and what neighbours the core finds.
FEW, MOST = 8, 1024


def evaluate(
    Y: Any,
    labels: Any = None,
    features: Any = None,
    *,
    test: Any = None,
    k: int = 15,
    random_state: int = 0,
) -> dict[str, float]:
    """Measures of a map.

    Parameters
    ----------
    Y : array-like of shape (n, d)
        The map.
    labels : array-like of shape (n,), or None
        Classes, which training has not seen: whole numbers, truth values or names. None, NaN, NA, blank text
        and negative numbers stand for no label: such images are not asked for, and do not answer.
    features : array-like of shape (n, f), or None
        Vectors that the map shows, such as those of `TSimCNE.features`.
    test : array-like or None
        Indices, or a mask, of the images whose labels are asked for; the others answer. None: each is asked
        for, and all others answer.
    k : int, default=15
        Number of nearest neighbours; all others where they are fewer.
    random_state : int, default=0
        Seed of the samples of 5,000 images that silhouette, trustworthiness and recall are made on.

    Returns
    -------
    dict of str to float
        With labels: ``knn_accuracy`` of the majority of the k nearest neighbours; ``silhouette``, from -1 to
        1, how far apart the classes are; ``kmeans_ari``, adjusted Rand index of k-means with as many clusters
        as classes. With features: ``trustworthiness``, 1 where neighbours in the map are near in the features
        too (by their cosine); ``neighborhood_recall``, the share of the k nearest in the features that are
        among the k nearest in the map. What has no meaning is left out: ``silhouette`` and ``kmeans_ari``
        without two classes, one of them with two images, measures of features of fewer than three images.

    Raises
    ------
    ValueError
        If neither labels nor features are given, or their numbers differ; if labels are fractions, or fewer
        than two images have one.
    """
    Y = check_array(Y, input_name="Y")
    k = few_neighbors(k, len(Y))
    if labels is None and features is None:
        raise ValueError("labels: got None, and so are features; want one of them")
    generator = np.random.default_rng(random_state)
    result: dict[str, float] = {}
    if labels is not None:
        result |= _of_labels(Y, read_labels(labels, len(Y)).check_classes(), test, k, generator)
    if features is not None:
        result |= _of_features(Y, check_rows("features", features, len(Y)), k, generator)
    return result


def _of_labels(
    Y: npt.NDArray[Any], labels: Labels, test: Any, k: int, generator: np.random.Generator
) -> dict[str, float]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    known, codes = labels.known, labels.codes
    if known.sum() < 2:
        raise ValueError(f"labels: got {known.sum()} images with a label, want two at least")
    if test is None:
        accuracy = leave_one_out(Y[known], codes[known], k)
    else:
        queries = np.zeros(len(Y), bool)
        queries[np.asarray(test)] = True
        if not (known & queries).any() or not (known & ~queries).any():
            raise ValueError(
                f"test: got {(known & queries).sum()} images with a label, and {(known & ~queries).sum()} "
                "others that have one; want some of both"
            )
        accuracy = knn_accuracy(Y, codes, known & ~queries, known & queries, k)
    result = {"knn_accuracy": accuracy}
    sample = generator.permutation(np.flatnonzero(known))[:SAMPLE]
    if 1 < len(np.unique(codes[sample])) < len(sample):
        Y = _centred(Y, "euclidean")
        clusters = KMeans(len(labels.present), n_init=10, random_state=0).fit_predict(Y[known])
        result["silhouette"] = float(silhouette_score(Y[sample], codes[sample]))
        result["kmeans_ari"] = float(adjusted_rand_score(codes[known], clusters))
    return result


def _of_features(
    Y: npt.NDArray[Any], features: npt.NDArray[Any], k: int, generator: np.random.Generator
) -> dict[str, float]:
    from sklearn.manifold import trustworthiness

    sample = generator.permutation(len(Y))[:SAMPLE]
    if len(sample) < 3:
        return {}
    near = min(k, (len(sample) - 1) // 2)
    return {
        "trustworthiness": float(
            trustworthiness(features[sample], Y[sample], n_neighbors=near, metric="cosine")
        ),
        "neighborhood_recall": float(
            _shared(neighbors(features, k, sample, "cosine"), neighbors(Y, k, sample)).mean()
        ),
    }


def few_neighbors(k: Any, n: int) -> int:
    """A number of neighbours, which n images have: each of the others once."""
    return min(check_integer("k", k, 1, 1 << 20), max(1, n - 1))


def knn_accuracy(
    Z: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    references: npt.NDArray[Any],
    queries: npt.NDArray[Any],
    k: int,
    metric: str = "euclidean",
) -> float:
    """Accuracy, for the queries, of the majority of their k nearest references."""
    from sklearn.neighbors import KNeighborsClassifier

    Z, known = _centred(Z, metric), labels[references]
    model = KNeighborsClassifier(min(k, len(known)), metric=metric).fit(Z[references], known)
    return float(model.score(Z[queries], labels[queries]))


def leave_one_out(Y: npt.NDArray[Any], labels: npt.NDArray[Any], k: int = 15) -> float:
    """Accuracy of the majority of each image's k nearest neighbours."""
    _, codes = np.unique(labels, return_inverse=True)
    return float(np.mean(votes(neighbors(Y, min(k, len(Y) - 1)), codes).argmax(axis=1) == codes))


def votes(others: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many of each row's neighbours have each code, as an array (rows, codes)."""
    counts = np.zeros((len(others), codes.max(initial=-1) + 1), np.int64)
    for column in others.T:
        counts[np.arange(len(others)), codes[column]] += 1
    return counts


def stability(models: Sequence[Any], X: Any, *, k: int = 15) -> npt.NDArray[np.float64]:
    """How far maps of several models agree about each image: which islands are there for every seed.

    Parameters
    ----------
    models : sequence of TSimCNE
        Estimators that were fitted with different ``random_state``; two at least.
    X : array-like
        Images, as for `TSimCNE.transform`.
    k : int, default=15

    Returns
    -------
    ndarray of shape (n,)
        Mean over the pairs of models of the share of an image's k nearest neighbours that both maps have:
        0 where none agree, 1 where all do; k / n by chance.
    """
    if len(models) < 2:
        raise ValueError(f"models: got {len(models)}, want two at least")
    tables = [neighbors(model.transform(X), k) for model in models]
    agreement: npt.NDArray[np.float64] = np.mean([_shared(a, b) for a, b in combinations(tables, 2)], axis=0)
    return agreement


def neighbors(
    Z: npt.NDArray[Any], k: int, queries: npt.NDArray[Any] | None = None, metric: str = "euclidean"
) -> npt.NDArray[np.int64]:
    """The k nearest other rows of all rows, or of some; of very many rows nearly all of them."""
    k = min(k, len(Z) - 1)
    if k > 0 and Z.shape[1] > FEW and k < MOST:
        rows = np.ascontiguousarray(_centred(Z, metric), np.float32)
        if metric == "cosine":
            rows = to_unit_length(rows.copy())
        if queries is None:
            return nearest(rows, k, 0).astype(np.int64)
        found = nearest_to(rows[queries], rows, k + 1, 0).astype(np.int64)
    else:
        found = _by_a_tree(Z, k + 1, queries, metric)
    queries = np.arange(len(Z)) if queries is None else queries
    others = found != queries[:, None]
    # Of many copies an image may not be found itself.
    others[others.all(axis=1), 0] = False
    result: npt.NDArray[np.int64] = found[others].reshape(len(queries), -1)
    return result


def _by_a_tree(
    Z: npt.NDArray[Any], k: int, queries: npt.NDArray[Any] | None, metric: str
) -> npt.NDArray[np.int64]:
    """The k nearest rows of all rows, or of some, which may be among them."""
    from sklearn.neighbors import NearestNeighbors

    Z = _centred(Z, metric)
    model = NearestNeighbors(n_neighbors=k, metric=metric).fit(Z)
    found = model.kneighbors(Z if queries is None else Z[queries], return_distance=False)
    return np.asarray(found, np.int64)


def _centred(Z: npt.NDArray[Any], metric: str) -> npt.NDArray[Any]:
    """The same distances about the origin, where squares of lengths do not drown them."""
    if metric != "euclidean":
        return Z
    centred: npt.NDArray[Any] = Z - Z.mean(axis=0, dtype=np.float64)
    return centred


def _shared(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The share of each row of a that is in the same row of b."""
    common = [len(np.intersect1d(x, y)) for x, y in zip(a, b, strict=True)]
    return np.array(common, np.float64) / np.float64(a.shape[1])

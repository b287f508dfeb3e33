"""How good a map is, and the features behind it."""

from __future__ import annotations

import numpy as np
from tsimcne_swift import evaluate
from tsimcne_swift._evaluation import knn_accuracy

from .data import ImageSet

K = 15


def measures(Y: np.ndarray, features: np.ndarray, data: ImageSet) -> dict[str, float]:
    """All measures of a map; silhouette and trustworthiness are of 5,000 images."""
    labels = np.full(len(Y), -1)
    for part in (data.references, data.queries):
        labels[part] = data.labels[part]
    found = evaluate(Y, labels, features, test=data.queries, k=K)
    radius = np.linalg.norm(Y - np.median(Y, axis=0), axis=1)
    wide = evaluate(Y, features=features, k=150)
    return {
        "knn_map": found["knn_accuracy"],
        "knn_features": knn_accuracy(
            features, data.labels, data.references, data.queries, K, metric="cosine"
        ),
        "silhouette": found["silhouette"],
        "kmeans_ari": found["kmeans_ari"],
        "trustworthiness": found["trustworthiness"],
        "neighborhood_recall": found["neighborhood_recall"],
        "neighborhood_recall_150": wide["neighborhood_recall"],
        "haze": haze(Y),
        "class_order": class_order(Y, features, labels),
        "median_radius": float(np.median(radius)),
        "far": float(np.mean(radius > 3 * np.median(radius))),
    }


def haze(Y: np.ndarray) -> float:
    """Share of images where the map is a tenth as dense as at the median image."""
    from sklearn.neighbors import NearestNeighbors

    reach = NearestNeighbors(n_neighbors=K).fit(Y).kneighbors()[0][:, -1]
    return float(np.mean(reach > 10**0.5 * np.median(reach)))


def class_order(Y: np.ndarray, features: np.ndarray, labels: np.ndarray) -> float:
    """Rank correlation of the distances between classes' medians on the map and means in the features."""
    from scipy.stats import spearmanr

    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    classes = [label for label in np.unique(labels) if label >= 0]
    places = np.array([np.median(Y[labels == label], axis=0) for label in classes])
    means = np.array([unit[labels == label].mean(axis=0) for label in classes])
    i, j = np.triu_indices(len(classes), 1)
    distances = [np.linalg.norm(rows[i] - rows[j], axis=1) for rows in (places, means)]
    return float(spearmanr(*distances)[0])

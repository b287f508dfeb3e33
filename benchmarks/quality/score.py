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
    return {
        "knn_map": found["knn_accuracy"],
        "knn_features": knn_accuracy(
            features, data.labels, data.references, data.queries, K, metric="cosine"
        ),
        "silhouette": found["silhouette"],
        "kmeans_ari": found["kmeans_ari"],
        "trustworthiness": found["trustworthiness"],
        "neighborhood_recall": found["neighborhood_recall"],
        "median_radius": float(np.median(radius)),
        "far": float(np.mean(radius > 3 * np.median(radius))),
    }

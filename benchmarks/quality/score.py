"""How good a map is, and the features behind it."""

from __future__ import annotations

import numpy as np
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from .data import ImageSet

K = 15
SAMPLE = 5000


def knn(Z: np.ndarray, data: ImageSet, metric: str = "euclidean") -> float:
    """Accuracy of the k = 15 nearest references' majority for the queries."""
    model = KNeighborsClassifier(
        n_neighbors=K, metric=metric, algorithm="auto" if Z.shape[1] < 8 else "brute"
    )
    model.fit(Z[data.references], data.labels[data.references])
    return float(model.score(Z[data.queries], data.labels[data.queries]))


def measures(Y: np.ndarray, features: np.ndarray, data: ImageSet) -> dict[str, float]:
    """All of them; silhouette and trustworthiness on 5,000 images."""
    sample = np.random.default_rng(0).permutation(len(Y))[:SAMPLE]
    radius = np.linalg.norm(Y - np.median(Y, axis=0), axis=1)
    return {
        "knn_map": knn(Y, data),
        "knn_features": knn(features, data, "cosine"),
        "silhouette": float(silhouette_score(Y[sample], data.labels[sample])),
        "trustworthiness": float(
            trustworthiness(features[sample], Y[sample], n_neighbors=K, metric="cosine")
        ),
        "median_radius": float(np.median(radius)),
        "far": float(np.mean(radius > 3 * np.median(radius))),
    }

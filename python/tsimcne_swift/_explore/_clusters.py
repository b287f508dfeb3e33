"""Islands of a map at three sizes, each with a name and an image that stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._words import Words

# Columns of clusters, and how many of the smallest of each fill the map.
LEVELS = {"cluster": 20, "finer cluster": 70, "finest cluster": 250}
# Images of a cluster, and of a map that has some, at least.
SMALLEST, FEWEST = 5, 40
# Points by which clusters are found: the time grows with the square of their number.
SAMPLE = 10_000


@dataclass(frozen=True)
class Clusters:
    """Clusters of one size.

    Parameters
    ----------
    name : str
        That of the column.
    codes : ndarray of shape (n,), int64
        Places of the clusters in ``names``, the largest first; -1 between them.
    names : list of str
    examples : list of int
        For each the image where its points lie closest.
    """

    name: str
    codes: npt.NDArray[np.int64]
    names: list[str]
    examples: list[int]

    def texts(self) -> list[str]:
        """The name of each image's cluster; empty between them."""
        named = [*self.names, ""]
        return [named[code] for code in self.codes.tolist()]


def find_clusters(
    Y: npt.NDArray[np.float64], names: list[str] | None, columns: dict[str, list[str]]
) -> list[Clusters]:
    """The clusters of a map by HDBSCAN at each of the levels; none of a map of few points.

    Of many points it looks at some, and the others are with the nearest of them. What names a cluster are
    words that are frequent there and rare elsewhere, of the images' ``names`` and of texts in ``columns``.
    """
    from sklearn.neighbors import NearestNeighbors

    if len(np.unique(Y, axis=0)) < FEWEST:
        return []
    sample = np.sort(np.random.default_rng(0).permutation(len(Y))[:SAMPLE])
    places = Y[sample]
    nearest = NearestNeighbors(n_neighbors=min(SMALLEST, len(places))).fit(places)
    crowding = nearest.kneighbors(places)[0][:, -1]
    others = nearest.kneighbors(Y, n_neighbors=1, return_distance=False)[:, 0]
    words = Words(names, columns, len(Y))
    found = []
    for level, parts in LEVELS.items():
        codes = _ranked(_islands(places, max(SMALLEST, len(places) // parts)))
        if codes.max() < 1:
            # One island is the whole map.
            continue
        examples = [
            int(sample[members[crowding[members].argmin()]])
            for members in (np.flatnonzero(codes == code) for code in range(codes.max() + 1))
        ]
        found.append(Clusters(level, codes[others], words.names(codes[others], len(examples)), examples))
    return found


def _islands(Y: npt.NDArray[np.float64], size: int) -> npt.NDArray[Any]:
    from sklearn.cluster import HDBSCAN

    found: npt.NDArray[Any] = HDBSCAN(min_cluster_size=size, min_samples=SMALLEST, copy=True).fit_predict(Y)
    return found


def _ranked(found: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The same clusters, the largest first."""
    numbers, counts = np.unique(found[found >= 0], return_counts=True)
    rank = np.full(len(numbers) + 1, -1, np.int64)
    rank[numbers[np.argsort(-counts, kind="stable")]] = np.arange(len(numbers))
    ranked: npt.NDArray[np.int64] = rank[found]
    return ranked

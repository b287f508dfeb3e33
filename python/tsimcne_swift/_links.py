"""Pairs of images that show the same, and the groups that they make."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Most images that are linked to one another of which all pairs are compared.
LINKED = 200


class Links:
    """Pairs of images that may show the same, each once, at its least distance; the first is turned so."""

    def __init__(
        self,
        pairs: npt.NDArray[np.int64],
        distances: npt.NDArray[np.float64],
        turns: npt.NDArray[np.int64],
    ) -> None:
        order = np.argsort(distances, kind="stable")
        _, first = np.unique(np.sort(pairs[order], axis=1), axis=0, return_index=True)
        chosen = order[np.sort(first)]
        # Different images have different pixels, also where their thumbnails are equal.
        self.pairs, self.turns = pairs[chosen], turns[chosen]
        self.distances = np.maximum(distances[chosen], 1e-6)

    def keep(self, which: npt.NDArray[Any]) -> Links:
        return Links(self.pairs[which], self.distances[which], self.turns[which])

    def nearest(self, n: int, count: int) -> npt.NDArray[np.bool_]:
        """Which are among the nearest of one of their images."""
        seen, which = np.zeros(n, np.int64), np.zeros(len(self.pairs), bool)
        for place, (a, b) in enumerate(self.pairs.tolist()):
            which[place] = seen[a] < count or seen[b] < count
            seen[a] += 1
            seen[b] += 1
        return which

    def missing(self, n: int) -> npt.NDArray[np.int64]:
        """Pairs that are linked through others, but not to one another."""
        known = set(map(tuple, np.sort(self.pairs, axis=1).tolist()))
        graph = coo_array((np.ones(len(self.pairs)), (self.pairs[:, 0], self.pairs[:, 1])), shape=(n, n))
        _, component = connected_components(graph, directed=False)
        members: dict[int, list[int]] = {}
        for i in np.unique(self.pairs).tolist():
            members.setdefault(component[i], []).append(i)
        found = [
            pair
            for group in members.values()
            if len(group) <= LINKED
            for pair in combinations(group, 2)
            if pair not in known
        ]
        return np.array(found, np.int64).reshape(-1, 2)

    def with_more(self, pairs: npt.NDArray[np.int64], distances: npt.NDArray[np.float64]) -> Links:
        """These, and others between images that are not turned."""
        return Links(
            np.concatenate([self.pairs, pairs]),
            np.concatenate([self.distances, distances]),
            np.concatenate([self.turns, np.zeros(len(pairs), np.int64)]),
        )


def grouped(links: Links) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.float64]]:
    """Groups of which every pair is linked, the nearest pairs first (complete linkage); and the largest
    distance in each.
    """
    near: dict[int, dict[int, float]] = {}
    for (a, b), distance in zip(links.pairs.tolist(), links.distances.tolist(), strict=True):
        near.setdefault(a, {})[b] = distance
        near.setdefault(b, {})[a] = distance
    group_of = {i: [i] for i in near}
    for a, b in links.pairs.tolist():
        ours, theirs = group_of[a], group_of[b]
        if ours is not theirs and all(j in near[i] for i in ours for j in theirs):
            ours += theirs
            group_of.update(dict.fromkeys(theirs, ours))
    groups = {id(group): sorted(group) for group in group_of.values() if len(group) > 1}.values()
    worst = [max(near[i][j] for i, j in combinations(group, 2)) for group in groups]
    order = np.argsort(worst, kind="stable")
    members = list(groups)
    return [np.array(members[i]) for i in order], np.array(worst)[order].astype(np.float64)

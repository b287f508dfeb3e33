"""Pairs of images that show the same, and the groups that they make."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .views import Pairs, View, Views

# Most images that are linked to one another of which all pairs are compared.
LINKED = 200


class Links:
    """Pairs of images that may show the same, each once, at its least distance; and the view of the first
    that is like the second.
    """

    def __init__(self, pairs: Pairs, distances: npt.NDArray[np.float64], views: Views) -> None:
        order = np.argsort(distances, kind="stable")
        low, high = pairs[order].min(axis=1), pairs[order].max(axis=1)
        _, first = np.unique(low * (high.max(initial=0) + 1) + high, return_index=True)
        chosen = order[np.sort(first)]
        # Different images have different pixels, also where their thumbnails are equal.
        self.pairs, self.views = pairs[chosen], views[chosen]
        self.distances = np.maximum(distances[chosen], 1e-6)

    @classmethod
    def between(cls, pairs: Pairs) -> Links:
        """Pairs of which nothing is known, seen as they are."""
        return cls(pairs, np.zeros(len(pairs)), np.tile(View(), (len(pairs), 1)))

    def keep(self, which: npt.NDArray[Any]) -> Links:
        return Links(self.pairs[which], self.distances[which], self.views[which])

    def ranks(self) -> npt.NDArray[np.int64]:
        """How many pairs of one of their images are nearer: of the one that has fewer."""
        images = self.pairs.ravel()
        order = np.argsort(images, kind="stable")
        starts = np.searchsorted(images[order], images[order])
        ranks = np.empty(len(images), np.int64)
        ranks[order] = np.arange(len(images)) - starts
        return np.asarray(ranks.reshape(-1, 2).min(axis=1))

    def missing(self) -> Pairs:
        """Pairs that are linked through others, but not to one another."""
        known = set(map(tuple, np.sort(self.pairs, axis=1).tolist()))
        members: dict[int, list[int]] = {}
        images, numbers = np.unique(self.pairs, return_inverse=True)
        size = len(images)
        graph = coo_array((np.ones(len(known)), numbers.reshape(-1, 2).T), shape=(size, size))
        _, component = connected_components(graph, directed=False)
        for image, number in zip(images.tolist(), component.tolist(), strict=True):
            members.setdefault(number, []).append(image)
        found = [
            pair
            for group in members.values()
            if len(group) <= LINKED
            for pair in combinations(group, 2)
            if pair not in known
        ]
        return np.array(found, np.int64).reshape(-1, 2)

    def without(self, others: Links) -> Links:
        """Pairs that are not among the others."""
        known = set(map(tuple, np.sort(others.pairs, axis=1).tolist()))
        pairs = map(tuple, np.sort(self.pairs, axis=1).tolist())
        return self.keep(np.array([pair not in known for pair in pairs], bool))

    def joined(self, more: Links) -> Links:
        """These and others."""
        return Links(
            np.concatenate([self.pairs, more.pairs]),
            np.concatenate([self.distances, more.distances]),
            np.concatenate([self.views, more.views]),
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

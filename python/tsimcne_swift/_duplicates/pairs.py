"""Pairs of images of which one shows what is seen in a view of the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .likeness import Likeness
from .links import Links
from .views import Gallery, Pairs, Rows, View, Views

# Shifts in cells; the opposite ones are seen from the other image.
SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1))
# Turns by right angles, mirrored from 4 on; of a quarter to the left and one to the right one is enough.
TURNS = {True: (1, 2, 4, 5, 6, 7), False: (2, 4, 6)}
# Parts of an image, as shares of its sides, and how far apart those of one size are.
SIZES, APART = (0.96, 0.9, 0.83, 0.76, 0.68, 0.6), 0.07
# Of an image's candidates in each view, and in all, the nearest; as share of the distance to its k-th
# neighbour, they must be nearer.
NEAREST, CLOSER = 2, 0.8
# The nearest of an image's parts, which are no more than near before they are moved.
NEAREST_PARTS = 10
# Nearest neighbours from which it is learnt what different images have in common. Views that are made at a
# time.
LEARNT, VIEWS = 3, 8
# Pairs from which it is learnt what an image has in common with parts of others.
SOME = 4096


def parts(size: float) -> list[View]:
    """Parts of one size, next to one another over the image."""
    starts = np.linspace(0, 1 - size, 1 + round((1 - size) / APART))
    return [View(float(top), float(left), size) for top in starts for left in starts]


PARTS = [view for size in SIZES for view in parts(size)]


class PairSearch:
    """The pairs of a set that show the same.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
        Two at least.
    threshold : float or None
        Largest difference in grey levels; None: relative to what differs in the set.
    k : int
        The neighbour that is different for certain; with a threshold, the number of them that are compared.
    normalized : bool, default=False
        Whether brightness and contrast say nothing.
    """

    def __init__(
        self, images: npt.NDArray[np.uint8], threshold: float | None, k: int, normalized: bool = False
    ) -> None:
        n, height, width, _ = images.shape
        self._gallery, self._threshold = Gallery(images, normalized), threshold
        self._is_square = height == width
        self._count = NEAREST if threshold is None else k
        self._neighbors = self._gallery.neighbors(min(k, n - 1))
        if threshold is None:
            last, nearest = self._neighbors[:, -1:], self._neighbors[:, :-1][:, :LEARNT]
            self._reach = self._gallery.distances(self._gallery.rows, paired(last))
            self._likeness = Likeness(images, np.concatenate([nearest, last], axis=1), normalized)

    def near(self) -> Links:
        """Images that are the same but for noise, compression and small shifts; and those that are linked
        to one another through others.
        """
        down, right = (1 / side for side in self._gallery.grid)
        links = self._alike(self._found([View(-i * down, -j * right) for i, j in SHIFTS]))
        if self._threshold is not None:
            return links
        more = links.missing()
        return links.joined(self._alike(Links.between(more)))

    def mirrored(self, among: Pairs | None) -> Links:
        """Of these pairs, or of all, those of which one is the other mirrored or turned by right angles."""
        return self._alike(self._found([View(turn=turn) for turn in TURNS[self._is_square]], among))

    def cropped(self) -> Links:
        """Images of which one is a part of the other, enlarged."""
        links = self._candidates(PARTS, closer=1)
        ranks = links.ranks()
        if self._threshold is not None:
            return self._alike(links.keep(ranks < self._count))
        # Those that are no more than next best say what different images have in common that are so found.
        others = np.flatnonzero((ranks >= NEAREST_PARTS) & (ranks < NEAREST_PARTS + LEARNT))
        others = others[np.unique(np.linspace(0, len(others) - 1, min(len(others), SOME)).astype(np.int64))]
        different = self._refined(links.keep(others))
        likeness = self._likeness.among(different.pairs, different.views)
        links = self._refined(links.keep(ranks < NEAREST_PARTS))
        return self._alike(links.keep(links.ranks() < NEAREST), likeness)

    def _refined(self, links: Links) -> Links:
        """Of each pair the part nearby in which they differ least."""
        views, differences = self._gallery.closest(links.pairs, links.views)
        return Links(links.pairs, differences, views)

    def _found(self, views: list[View], among: Pairs | None = None) -> Links:
        """Pairs of which the second is among those that look most like a view of the first."""
        links = self._candidates(views, among)
        return links if self._threshold is not None else links.keep(links.ranks() < self._count)

    def _candidates(self, views: list[View], among: Pairs | None = None, closer: float = CLOSER) -> Links:
        """Pairs of which the second looks like a view of the first."""
        gallery = self._gallery
        found: list[tuple[Pairs, npt.NDArray[np.float64], Views]] = []
        for start in range(0, len(views), VIEWS):
            part = views[start : start + VIEWS]
            for view, queries in zip(part, gallery.seen(part), strict=True):
                pairs = self._seen_in(view, queries) if among is None else among
                far = gallery.distances(queries, pairs)
                is_near = far <= self._farthest(pairs, closer)
                found.append((pairs[is_near], far[is_near], np.tile(np.array(view), (int(is_near.sum()), 1))))
        pairs, far, seen = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if self._threshold is not None:
            return Links(pairs, gallery.differences(pairs, seen), seen)
        return Links(pairs, far, seen)

    def _seen_in(self, view: View, queries: Rows) -> Pairs:
        """Pairs of each image with those that look most like its view."""
        if view == View():
            return paired(self._neighbors[:, : self._count])
        pairs = paired(self._gallery.near(queries, self._count + 1))
        others: Pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        return others

    def _farthest(self, pairs: Pairs, closer: float) -> npt.NDArray[np.float64] | float:
        """How far the images of a pair may look from one another that is compared."""
        if self._threshold is None:
            return np.asarray(closer * self._reach[pairs].max(axis=1))
        # At the borders a shifted image shows something else.
        return 2 * self._gallery.distance(self._threshold) + 1e-3

    def _alike(self, links: Links, likeness: Likeness | None = None) -> Links:
        """Those that show the same, with their differences in grey levels."""
        if self._threshold is None:
            links = links.keep((likeness or self._likeness).alike(links.pairs, links.views))
            return Links(links.pairs, self._gallery.differences(links.pairs, links.views), links.views)
        return links.keep(links.distances <= self._threshold)


def paired(others: npt.NDArray[np.int64]) -> Pairs:
    """Each image with its others (images, others)."""
    return np.stack([np.repeat(np.arange(len(others)), others.shape[1]), others.ravel()], axis=1)

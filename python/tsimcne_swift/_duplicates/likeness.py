"""Whether two images show the same: what differs and what is common, beside what is usual in the set."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from .comparison import ROUNDING, Comparer, Comparison
from .views import Pairs, View, Views

# Of an image's own contrast, what differs between different images at least.
OWN = 0.15
# Share of what differs in the set beyond which images are no copies; and the quantile of what these have in
# common that is beyond what is usual.
APART, UNUSUAL = 0.25, 0.98
# How far beyond the usual the same structure must be where all other images differ by no more; how much less
# for each e-th part of them that do. The structure that copies have in common at least, by Fisher's rule;
# and the share that they differ by at most.
BEYOND, LESS, LEAST, MOST = 2.9, 0.315, 0.37, 0.7
# Shares between which it is counted how many images differ by so little; numbers that are counted besides,
# about those of most sets; powers of the share that these numbers may grow with.
NEAR, MIDDLE, FAR = 0.25, 0.35, 0.5
BESIDES = (1, 3, 32)
POWERS = np.linspace(1, 6, 51)
# Images from which it is learnt what different ones have in common.
SAMPLE = 2048
# Share of what differs below which things are the same; how far beyond the usual the same noise must be
# there. Where there is no structure: the share below which plain images are the same; without noise, and what
# it then falls by with each level of it; and the most noise.
LITTLE, GRAIN = 0.15, 2.5
PLAIN, QUIETER, NOISY, QUIET = 0.2, 0.25, 0.125, 1.0
# How much farther beyond the usual the same structure must be where images are compared in the best of many
# views; and how far the same noise in the best light, which makes different things alike.
CHOSEN, LIGHT = 1.0, 1.0


class Likeness:
    """What the images of a set have in common, and what tells copies from others.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
    others : ndarray of shape (n, m)
        For each image others that are near, the last of which is no copy.
    normalized : bool, default=False
        Whether brightness and contrast say nothing.
    """

    def __init__(
        self, images: npt.NDArray[np.uint8], others: npt.NDArray[np.int64], normalized: bool = False
    ) -> None:
        self._compare, self._others = Comparer(images, normalized), others
        # Whether images without structure can be the same; and how far beyond the usual structure must be.
        self._takes_plain, self._beyond = not normalized, BEYOND
        self._least_grain = LIGHT if normalized else -np.inf
        n = len(images)
        self._differs = np.full(n, np.nan)
        self._usual, self._spread = np.zeros(2), self._compare.chance
        self._least, self._crowd = 0.0, (0.0, 1.0)
        self._learn(np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64)))

    def alike(self, pairs: Pairs, views: Views) -> npt.NDArray[np.bool_]:
        """Which pairs show the same."""
        unknown = np.unique(pairs)
        self._know(unknown[np.isnan(self._differs[unknown])])
        found = self._compare(pairs, views)
        share = found.share_of(self._differs[pairs].min(axis=1))
        structure, grain = ((_common(found) - self._usual) / self._spread).T
        factor, power = self._crowd
        wanted = self._beyond + LESS * (np.log(factor) + power * np.log(np.maximum(share, 1e-6)))
        is_same = (structure > wanted) & (found.structure > LEAST) & (share < MOST)
        if not self._takes_plain:
            return np.asarray(is_same & (grain > self._least_grain))
        # Where things are the same, the same noise is enough; and where there is nothing else, these are.
        most = np.maximum(PLAIN, QUIETER - NOISY * found.noise)
        is_plain = (found.strength < ROUNDING) & (found.noise < QUIET) & (share < most)
        return np.asarray(is_same | is_plain | (grain > GRAIN) & (share < LITTLE))

    def among(self, pairs: Pairs, views: Views) -> Likeness:
        """The same for pairs in the best of many views, of which these are different."""
        result = copy.copy(self)
        result._takes_plain, result._beyond = False, BEYOND + CHOSEN
        unknown = np.unique(pairs)
        self._know(unknown[np.isnan(self._differs[unknown])])
        found = self._compare(pairs, views)
        share = found.share_of(self._differs[pairs].min(axis=1))
        result._crowd = crowd(share)
        result._expect(_common(found)[share > APART])
        return result

    def _learn(self, sample: npt.NDArray[np.int64]) -> None:
        """Learn what different images have in common."""
        found = [self._know(sample)]
        found += [self._compare(*self._paired(sample, others)) for others in self._others.T[:-1]]
        shares = [part.share_of(self._differs[sample]) for part in found]
        self._crowd = crowd(np.concatenate([np.zeros(0), *shares[1:]]))
        self._expect(
            np.concatenate([_common(part)[share > APART] for part, share in zip(found, shares, strict=True)])
        )

    def _expect(self, common: npt.NDArray[np.float64]) -> None:
        """That different images have that much in common."""
        if len(common) > 0:
            self._usual, unusual = np.quantile(common, [0.5, UNUSUAL], axis=0)
            self._spread = np.maximum(unusual - self._usual, self._compare.chance)

    def _know(self, places: npt.NDArray[np.int64]) -> Comparison:
        """Learn by how much these images differ from the last of their others."""
        found = self._compare(*self._paired(places, self._others[:, -1]))
        if self._least == 0 and len(places) > 0:
            self._least = float(np.quantile(found.thing, 0.1))
        differs = np.maximum(found.thing, self._least)
        self._differs[places] = np.clip(differs, OWN * found.contrast, found.contrast)
        return found

    @staticmethod
    def _paired(places: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> tuple[Pairs, Views]:
        return np.stack([places, others[places]], axis=1), np.tile(View(), (len(places), 1))


def _common(found: Comparison) -> npt.NDArray[np.float64]:
    return np.stack([found.structure, found.grain], axis=1)


def crowd(shares: npt.NDArray[np.float64]) -> tuple[float, float]:
    """How many of the nearest images differ by less than a share, as factor and power of the share.

    Copies differ by little, so that it is told from what differs by more.
    """
    near, both, all_of = (
        np.sum((shares > NEAR) & (shares < MIDDLE)) + BESIDES[0],
        np.sum((shares > NEAR) & (shares < FAR)) + BESIDES[1],
        len(shares) + BESIDES[2],
    )
    ranges = FAR**POWERS - NEAR**POWERS
    parts = (MIDDLE**POWERS - NEAR**POWERS) / ranges
    place = np.abs(parts - near / both).argmin()
    return float(both / all_of / ranges[place]), float(POWERS[place])

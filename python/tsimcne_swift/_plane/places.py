"""Where the training images lie, and where a new one goes: to its neighbours."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.arrays import check_arrays
from .._inputs.images import Images
from .._networks.network import Network
from .codes import ARRAYS as CODED
from .codes import MOST, Codes, are_bits, shapes
from .comparison import Comparison, read_comparison
from .neighbors import Rows, nearest_to

# Images that are mapped at a time.
CHUNK = 8192
# Neighbours that say where a new image goes.
ASKED = 30
# Arrays of a file, by their names.
PREFIX = "plane"
ARRAYS = CODED | {"keys": np.uint64}


class Places:
    """What a map of free points says of images.

    An image of the training set is told by its features and is where it is. Another one is at the place of
    one of its neighbours: of that which lies nearest to the places of all of them (their medoid), the nearest
    of which count most, since a mean would fall between islands.

    Parameters
    ----------
    comparison : Comparison
        What images are compared by.
    codes : Codes
        Of what the training images are compared by.
    keys : ndarray of shape (n,), uint64
        Numbers that tell apart what the training images are compared by, bit for bit.
    points : ndarray of shape (n, 2), float32
        The map.
    """

    def __init__(
        self, comparison: Comparison, codes: Codes, keys: npt.NDArray[np.uint64], points: Rows
    ) -> None:
        self.comparison, self.codes, self.keys, self.points = comparison, codes, keys, points
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    @classmethod
    def of(cls, comparison: Comparison, codes: Codes, keys: npt.NDArray[np.uint64], points: Rows) -> Places:
        """The places of images with these codes and keys, at these points."""
        # Images that are alike are at one place.
        _, first, number = np.unique(keys, return_index=True, return_inverse=True)
        return cls(comparison, codes, keys, points[first[number]])

    @cached_property
    def rows(self) -> Rows:
        """What the training images are compared by, as their codes have it (n, dimension).

        They take many times what the codes take, and no image of the training set asks for them.
        """
        return self.codes.values()

    def map(
        self,
        network: Network,
        images: Images,
        threads: int,
        rows: npt.NDArray[np.intp] | None = None,
    ) -> Rows:
        """The places of all images, or of some, which the network reads."""
        count = images.shape[0] if rows is None else len(rows)
        result = np.empty((count, self.points.shape[1]), np.float32)
        for start in range(0, count, CHUNK):
            stop = min(count, start + CHUNK)
            part = slice(start, stop) if rows is None else rows[start:stop]
            found = self.comparison.rows(network, images, threads, part)
            result[start:stop] = self.find(found, threads)
        return result

    def find(self, rows: Rows, threads: int) -> Rows:
        """The places of images that are compared by these rows; each does not depend on the others."""
        wanted = keys(rows)
        sorted_keys, order = self._sorted, self._order
        at = np.searchsorted(sorted_keys, wanted)
        known = at < len(sorted_keys)
        known[known] = sorted_keys[at[known]] == wanted[known]
        result = np.empty((len(rows), self.points.shape[1]), np.float32)
        result[known] = self.points[order[at[known]]]
        if not known.all():
            projected = self.codes.project(rows[~known], threads)
            count = min(ASKED, max(1, len(self.points) // 20))
            neighbors = nearest_to(projected, self.rows, count, threads)
            found = medoids(self.points[neighbors])
            # The same image by another processor or in another type has the same code.
            codes = self.codes.code_projected(projected)
            same = (self.codes.codes[neighbors] == codes[:, None]).all(axis=2)
            told = same.any(axis=1)
            found[told] = self.points[neighbors[told, same[told].argmax(axis=1)]]
            result[~known] = found
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps, but for the points, which are its map."""
        own = {name: getattr(self.codes, name) for name in CODED} | {"keys": self.keys}
        return {f"{PREFIX}.{name}": value for name, value in own.items()} | self.comparison.tensors()


def read_places(
    tensors: dict[str, npt.NDArray[Any]],
    points: npt.NDArray[Any] | None,
    network: Network,
    image_shape: tuple[int, ...],
) -> Places | None:
    """The places among the tensors of a file, whose map has these points."""
    found = {name: tensors.get(f"{PREFIX}.{name}") for name in ARRAYS}
    if all(value is None for value in found.values()):
        return None
    if points is None:
        raise ValueError(f"{PREFIX}: there is no map beside it")
    n, steps, bits = len(points), found["steps"], found["bits"]
    dimension = 0 if steps is None or steps.ndim != 1 else min(MOST, len(steps))
    comparison = read_comparison(tensors, network, image_shape)
    wanted = shapes(comparison.columns(network), dimension, bits, n) | {"keys": (n,)}
    arrays = check_arrays(PREFIX, found, ARRAYS, wanted)
    if points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"{PREFIX}: got a map of shape {points.shape}, want finite points of the plane")
    if not are_bits(arrays["bits"]):
        raise ValueError(f"{PREFIX}.bits: got numbers that are not 8, 4, 2 or 1, the most first")
    if (arrays["steps"] <= 0).any():
        raise ValueError(f"{PREFIX}.steps: got values that are not positive")
    own = arrays.pop("keys")
    return Places(comparison, Codes(**arrays), own, points)


def keys(rows: Rows) -> npt.NDArray[np.uint64]:
    """A number for each row that tells it from others: a multilinear hash of its bits."""
    factors = np.random.Philox(key=1).random_raw(rows.shape[1]) | np.uint64(1)
    mixed = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), CHUNK):
        part = np.ascontiguousarray(rows[start : start + CHUNK] + np.float32(0))
        mixed[start : start + CHUNK] = (part.view(np.uint32) * factors).sum(axis=1, dtype=np.uint64)
    # The upper half depends on all bits, and so does what it is multiplied into.
    return mixed ^ (mixed >> np.uint64(32))


def medoids(places: Rows) -> Rows:
    """The one of each row's places (rows, k, 2) that lies nearest to the others; far ones count alike.

    Neighbours come by their distance, and count by one over the root of their rank.
    """
    total = np.zeros(places.shape[:2], np.float32)
    for rank in range(places.shape[1]):
        square = ((places - places[:, rank : rank + 1]) ** 2).sum(axis=2)
        distance = np.sqrt(square)
        total += distance / (1 + distance) / np.float32(np.sqrt(rank + 1))
    result: Rows = places[np.arange(len(places)), total.argmin(axis=1)]
    return result

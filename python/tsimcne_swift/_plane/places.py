"""Where the training images lie, and where a new one goes: to its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .._inputs.images import Images
from .._networks.network import Network
from .._system.locks import ProcessLock
from .directions import directions
from .moving import Rows, nearest_to

# Bytes of an image's code, at most.
CODE = 64
# A code's largest number, and how many deviations of the widest direction that is.
LARGEST, DEVIATIONS = 127, 4.0
# Images that are mapped at a time.
CHUNK = 8192
# Arrays of a file, by their names.
PREFIX = "plane"
ARRAYS = {
    "mean": np.float32,
    "directions": np.float32,
    "codes": np.int8,
    "keys": np.uint64,
    "points": np.float32,
}


class Places:
    """What a map of free points says of images.

    An image of the training set is told by its features and is where it is. Another one is at the place of
    one of its neighbours: of that which lies nearest to the places of all of them (their medoid), since a
    mean would fall between islands.

    Parameters
    ----------
    mean : ndarray of shape (features,), float32
    directions : ndarray of shape (features, codes), float32
        What features, less the mean, are multiplied by before they are rounded to codes.
    codes : ndarray of shape (n, codes), int8
        Of the training images; distances between codes are about in proportion to those of features.
    keys : ndarray of shape (n,), uint64
        Numbers that tell the training images' features apart, bit for bit.
    points : ndarray of shape (n, 2), float32
        The map.
    """

    def __init__(
        self,
        mean: Rows,
        directions: Rows,
        codes: npt.NDArray[np.int8],
        keys: npt.NDArray[np.uint64],
        points: Rows,
    ) -> None:
        self.mean, self.directions = mean, directions
        self.codes, self.keys, self.points = codes, keys, points
        features, columns = directions.shape
        # The core's products have the same bits for a row whatever the others are.
        self._projection = _core.Model(
            channels=features, depth=0, base_width=1, hidden_dims=(), output_dim=columns, seed=0
        )
        weight = np.ascontiguousarray(directions.T)
        bias = -np.einsum("f,fc->c", mean.astype(np.float64), directions.astype(np.float64))
        for name, value in (("weight", weight), ("bias", bias.astype(np.float32))):
            self._projection.set_array(_core.ARRAY_PARAMETER, f"projection_head.layers.0.{name}", value)
        # One thread at a time uses a model of the core.
        self._alone = ProcessLock()
        self._rows = codes.astype(np.float32)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def __reduce__(self) -> Any:
        # The core's model is made anew.
        return Places, (self.mean, self.directions, self.codes, self.keys, self.points)

    @classmethod
    def of(cls, features: Rows, own: npt.NDArray[np.uint64], points: Rows, threads: int) -> Places:
        """The places of images with these features, as they are compared, and keys, at these points."""
        n, columns = features.shape
        mean, basis, deviations = directions(features, min(CODE, columns, n))
        scale = LARGEST / (DEVIATIONS * deviations[0]) if deviations[0] > 0 else 1.0
        rules = mean.astype(np.float32), (basis * scale).astype(np.float32)
        nothing = cls(*rules, np.zeros((0, basis.shape[1]), np.int8), np.zeros(0, np.uint64), points[:0])
        # Images that are alike are at one place.
        _, first, number = np.unique(own, return_index=True, return_inverse=True)
        return cls(*rules, nothing.code(features, threads), own, points[first[number]])

    def code(self, features: Rows, threads: int) -> npt.NDArray[np.int8]:
        """The codes of features."""
        values = np.empty((len(features), self.directions.shape[1]), np.float32)
        images = features.reshape(len(features), 1, 1, -1)
        with self._alone():
            self._projection.transform(images, values, kind=_core.OUTPUT_MAP, threads=threads)
        return np.clip(np.rint(values), -LARGEST, LARGEST).astype(np.int8)

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
            features = network.map(images, threads, _core.OUTPUT_FEATURES, part)
            wanted = keys(features)
            result[start:stop] = self.find(compared(network, features), wanted, threads)
        return result

    def find(self, features: Rows, wanted: npt.NDArray[np.uint64], threads: int) -> Rows:
        """The places of images with these features, as they are compared, and keys; that of an image does not
        depend on the others.
        """
        sorted_keys, order = self._sorted, self._order
        at = np.searchsorted(sorted_keys, wanted)
        known = at < len(sorted_keys)
        known[known] = sorted_keys[at[known]] == wanted[known]
        result = np.empty((len(features), self.points.shape[1]), np.float32)
        result[known] = self.points[order[at[known]]]
        if not known.all():
            codes = self.code(features[~known], threads).astype(np.float32)
            count = min(recipes.NEIGHBORS, max(1, len(self.points) // 20))
            neighbors = nearest_to(codes, self._rows, count, threads)
            found = medoids(self.points[neighbors])
            # The same image by another processor or in another type has the same code.
            same = (self._rows[neighbors[:, 0]] == codes).all(axis=1)
            found[same] = self.points[neighbors[same, 0]]
            result[~known] = found
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps, but for the points, which are its map."""
        return {f"{PREFIX}.{name}": getattr(self, name) for name in ARRAYS if name != "points"}


def compared(network: Network, features: Rows) -> Rows:
    """Features as their distances are compared: those of a network by their direction, as its loss does.

    They are changed in place.
    """
    if network.architecture.reads_vectors:
        return features
    for start in range(0, len(features), CHUNK):
        part = features[start : start + CHUNK]
        lengths = np.sqrt(np.square(part, dtype=np.float64).sum(axis=1))
        part /= np.maximum(lengths, np.finfo(np.float32).tiny).astype(np.float32)[:, None]
    return features


def read_places(
    tensors: dict[str, npt.NDArray[Any]], points: npt.NDArray[Any] | None, features: int
) -> Places | None:
    """The places among the tensors of a file, whose map has these points."""
    found = {name: tensors.get(f"{PREFIX}.{name}") for name in ARRAYS if name != "points"}
    if all(value is None for value in found.values()):
        return None
    if points is None:
        raise ValueError(f"{PREFIX}: there is no map beside it")
    n, columns = len(points), 0 if found["directions"] is None else found["directions"].shape[-1]
    shapes = {"mean": (features,), "directions": (features, columns), "codes": (n, columns), "keys": (n,)}
    for name, shape in shapes.items():
        value, want = found[name], np.dtype(ARRAYS[name])
        if value is None or value.dtype != want or value.shape != shape or 0 in shape:
            got = "nothing" if value is None else f"{value.dtype} of shape {value.shape}"
            raise ValueError(f"{PREFIX}.{name}: got {got}, want {want} of shape {shape}")
        if want.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"{PREFIX}.{name}: got values that are not finite")
    if points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError(f"{PREFIX}: got a map of shape {points.shape}, want finite points of the plane")
    return Places(**{name: np.ascontiguousarray(value) for name, value in found.items()}, points=points)


def keys(rows: Rows) -> npt.NDArray[np.uint64]:
    """A number for each row that tells it from others: a multilinear hash of its bits."""
    bits = np.ascontiguousarray(rows + np.float32(0)).view(np.uint32).astype(np.uint64)
    factors = np.random.Philox(key=1).random_raw(bits.shape[1]) | np.uint64(1)
    # The upper half depends on all bits, and so does what it is multiplied into.
    mixed: npt.NDArray[np.uint64] = (bits * factors).sum(axis=1, dtype=np.uint64)
    return mixed ^ (mixed >> np.uint64(32))


def medoids(places: Rows) -> Rows:
    """The one of each row's places (rows, k, 2) that lies nearest to the others; far ones count alike."""
    total = np.zeros(places.shape[:2], np.float32)
    for other in range(places.shape[1]):
        square = ((places - places[:, other : other + 1]) ** 2).sum(axis=2)
        distance = np.sqrt(square)
        total += distance / (1 + distance)
    result: Rows = places[np.arange(len(places)), total.argmin(axis=1)]
    return result

"""What images are compared by: what a network sees, in parts and in all, and the words of their patches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .._algebra.directions import directions_seconds
from .._algebra.evened import Evened, read_evened
from .._inputs.images import Images
from .._inputs.pieces import Which, count, pieces
from .._networks.network import Architecture, Network, image_seconds
from .._patches.words import PatchWords, read_words

Rows = npt.NDArray[np.float32]

# Images that they are learnt from, and that are looked at at a time, at most; and how many values these have.
LEARNT_FROM, CHUNK, VALUES = 8192, 8192, 1 << 25
# Values of a network that has not diverged are below this, and so are their squares' sums.
LARGEST = 1e15
# How much longer than looking at images it takes with their components.
MORE = 1.05


class Level(NamedTuple):
    """How outputs of a network's level are compared: along how many principal components, each divided by a
    power of its deviation, and as a vector of which length."""

    features: int
    power: float
    weight: float


# Means over parts of the wide plane, and those of the last level over its whole plane.
LEVELS = {
    "parts": Level(256, 0.8, 1.0),
    "last": Level(128, 0.5, recipes.LAST_LEVEL_WEIGHT),
}


class Comparison:
    """What distances between images are taken of.

    What a network sees in 3×3 parts of an image before its last level counts along its principal components,
    made more even, as a vector of unit length, and so does its last level as a whole, which a loss over
    augmented views has formed: it tells less, but draws together what is alike. Beside them stand the words
    of the image's patches. Feature vectors are what they are.

    Parameters
    ----------
    levels : dict of Evened
        By the names of `LEVELS`; none for feature vectors.
    words : PatchWords or None
    """

    def __init__(self, levels: dict[str, Evened], words: PatchWords | None) -> None:
        self.levels, self.words = levels, words

    @classmethod
    def of(
        cls, network: Network, images: Images, words: PatchWords | None, threads: int
    ) -> Comparison | None:
        """That of images which the network reads; None where what it sees is not finite."""
        if network.architecture.reads_vectors:
            return cls({}, None)
        n = images.shape[0]
        some = np.linspace(0, n - 1, _learnt_from(n, network)).astype(np.intp)
        seen = network.map(images, threads, _core.OUTPUT_LEVELS, some)
        if not (np.abs(seen) < LARGEST).all():
            return None
        split = _split(seen, network)
        levels = {
            name: Evened.of(split[name], level.features, level.power, threads)
            for name, level in LEVELS.items()
        }
        return cls(levels, words)

    def columns(self, network: Network) -> int:
        """Numbers of an image."""
        if not self.levels:
            return network.architecture.features
        seen = sum(evened.features for evened in self.levels.values())
        return seen + (0 if self.words is None else self.words.features)

    def rows(
        self,
        network: Network,
        images: Images,
        threads: int,
        rows: Which = None,
    ) -> Rows:
        """What images, or some of them, are compared by: (n, columns). Distances are Euclidean."""
        if not self.levels:
            return network.map(images, threads, _core.OUTPUT_FEATURES, rows)
        n = images.shape[0]
        result = np.empty((count(n, rows), self.columns(network)), np.float32)
        for here, part in pieces(n, rows, min(CHUNK, _most(network))):
            seen = _split(network.map(images, threads, _core.OUTPUT_LEVELS, part), network)
            described = [(LEVELS[name].weight, one(seen[name], threads)) for name, one in self.levels.items()]
            if self.words is not None:
                described.append((recipes.PATCHES_WEIGHT, self.words.describe(images, threads, part)))
            first = 0
            for weight, values in described:
                last = first + values.shape[1]
                np.multiply(values, np.float32(weight), out=result[here, first:last])
                first = last
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps."""
        own = {} if self.words is None else self.words.tensors()
        for name, evened in self.levels.items():
            own |= evened.tensors(name)
        return own


def level_columns(architecture: Architecture) -> dict[str, int]:
    """How many values a network gives of an image, by the names of `LEVELS`."""
    return dict(zip(LEVELS, (architecture.parts, architecture.features), strict=True))


def _split(seen: Rows, network: Network) -> dict[str, Rows]:
    """What a network gives, by the names of `LEVELS`."""
    edges = np.cumsum(list(level_columns(network.architecture).values()))[:-1]
    split = np.split(seen, edges, axis=1)
    return {name: np.ascontiguousarray(values) for name, values in zip(LEVELS, split, strict=True)}


def _most(network: Network) -> int:
    """Images whose levels have no more than `VALUES` values."""
    return max(LEVELS["parts"].features, VALUES // network.architecture.levels)


def _learnt_from(n: int, network: Network) -> int:
    """Images that components are learnt from, of so many."""
    return min(n, LEARNT_FROM, _most(network))


def levels_seconds(network: Network, images: Images, threads: int) -> float:
    """Seconds to learn what images are compared by, without words, and to find it for all of them."""
    n = images.shape[0]
    image = image_seconds(network, images, threads, _core.OUTPUT_LEVELS)
    learnt = _learnt_from(n, network)
    columns = level_columns(network.architecture)
    found = sum(
        directions_seconds(learnt, columns[name], level.features, threads) for name, level in LEVELS.items()
    )
    return float(MORE * image * (n + learnt) + found)


def read_comparison(
    tensors: dict[str, npt.NDArray[Any]], network: Network, image_shape: tuple[int, ...]
) -> Comparison:
    """The comparison among the tensors of a file."""
    if network.architecture.reads_vectors:
        return Comparison({}, None)
    levels = {}
    for name, columns in level_columns(network.architecture).items():
        evened = read_evened(name, tensors, columns)
        if evened is None:
            raise ValueError(f"{name}.components: is missing (is the file of another version?)")
        levels[name] = evened
    return Comparison(levels, read_words(tensors, image_shape))

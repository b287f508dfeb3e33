"""What images are compared by: what a network sees in their parts, and the words of their patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .._algebra.directions import directions_seconds
from .._algebra.evened import Evened, read_evened
from .._inputs.images import Images
from .._inputs.pieces import Which, count, pieces
from .._networks.network import Network, image_seconds
from .._patches.words import PatchWords, read_words

Rows = npt.NDArray[np.float32]

PREFIX = "parts"
# Numbers of an image from the network.
FEATURES = 256
# Images that they are learnt from, and that are looked at at a time, at most; and how many values these have.
LEARNT_FROM, CHUNK, VALUES = 8192, 8192, 1 << 25
# Deviations are divided by this power of themselves.
WHITENED = 0.8
# Values of a network that has not diverged are below this, and so are their squares' sums.
LARGEST = 1e15
# How much longer than looking at images it takes with their components.
MORE = 1.05


class Comparison:
    """What distances between images are taken of.

    What a network sees in 3×3 parts of an image before its last level counts along its principal components,
    made more even, as a vector of unit length; the last level, which a loss over augmented views has formed,
    tells less. Beside it stand the words of the image's patches. Feature vectors are what they are.

    Parameters
    ----------
    parts : Evened or None
        Of the means over parts of the network's wide plane; None for feature vectors.
    words : PatchWords or None
    """

    def __init__(self, parts: Evened | None, words: PatchWords | None) -> None:
        self.parts, self.words = parts, words

    @classmethod
    def of(
        cls, network: Network, images: Images, words: PatchWords | None, threads: int
    ) -> Comparison | None:
        """That of images which the network reads; None where what it sees is not finite."""
        if network.architecture.reads_vectors:
            return cls(None, None)
        n = images.shape[0]
        some = np.linspace(0, n - 1, _learnt_from(n, network)).astype(np.intp)
        seen = network.map(images, threads, _core.OUTPUT_PARTS, some)
        if not (np.abs(seen) < LARGEST).all():
            return None
        return cls(Evened.of(seen, FEATURES, WHITENED, threads), words)

    def columns(self, network: Network) -> int:
        """Numbers of an image."""
        if self.parts is None:
            return network.architecture.features
        return self.parts.features + (0 if self.words is None else self.words.features)

    def rows(
        self,
        network: Network,
        images: Images,
        threads: int,
        rows: Which = None,
    ) -> Rows:
        """What images, or some of them, are compared by: (n, columns). Distances are Euclidean."""
        if self.parts is None:
            return network.map(images, threads, _core.OUTPUT_FEATURES, rows)
        n, split = images.shape[0], self.parts.features
        result = np.empty((count(n, rows), self.columns(network)), np.float32)
        for here, part in pieces(n, rows, min(CHUNK, _most(network))):
            seen = network.map(images, threads, _core.OUTPUT_PARTS, part)
            result[here, :split] = self.parts(seen, threads)
            if self.words is not None:
                described = self.words.describe(images, threads, part)
                described *= np.float32(recipes.PATCHES_WEIGHT)
                result[here, split:] = described
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps."""
        own = {} if self.parts is None else self.parts.tensors(PREFIX)
        return own | ({} if self.words is None else self.words.tensors())


def _most(network: Network) -> int:
    """Images whose parts have no more than `VALUES` values."""
    return max(FEATURES, VALUES // network.architecture.parts)


def _learnt_from(n: int, network: Network) -> int:
    """Images that components are learnt from, of so many."""
    return min(n, LEARNT_FROM, _most(network))


def parts_seconds(network: Network, images: Images, threads: int) -> float:
    """Seconds to learn what images are compared by, without words, and to find it for all of them."""
    n = images.shape[0]
    image = image_seconds(network, images, threads, _core.OUTPUT_PARTS)
    learnt = _learnt_from(n, network)
    found = directions_seconds(learnt, network.architecture.parts, FEATURES, threads)
    return float(MORE * image * (n + learnt) + found)


def read_comparison(
    tensors: dict[str, npt.NDArray[Any]], network: Network, image_shape: tuple[int, ...]
) -> Comparison:
    """The comparison among the tensors of a file."""
    if network.architecture.reads_vectors:
        return Comparison(None, None)
    parts = read_evened(PREFIX, tensors, network.architecture.parts)
    if parts is None:
        raise ValueError(f"{PREFIX}.components: is missing (is the file of another version?)")
    return Comparison(parts, read_words(tensors, image_shape))

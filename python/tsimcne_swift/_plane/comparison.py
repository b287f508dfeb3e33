"""What images are compared by: what the network makes of them, and beside it the words of their patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .._algebra.linear import to_unit_length
from .._inputs.images import Images
from .._networks.network import Network
from .._patches.words import PatchWords, read_words

Rows = npt.NDArray[np.float32]

NAME = "plane.features_mean"
# Images whose features are changed at a time.
CHUNK = 8192


class Comparison:
    """What distances between images are taken of.

    Features of a network count by their direction, as in its loss. Beside those of patches they are taken
    about their mean direction, so that both kinds spread about the origin, each of unit length. Feature
    vectors are what they are.

    Parameters
    ----------
    mean : ndarray of shape (features,), float32, or None
        The mean direction of the network's features; None without words.
    words : PatchWords or None
    """

    def __init__(self, mean: Rows | None, words: PatchWords | None) -> None:
        self.mean, self.words = mean, words

    @classmethod
    def of(cls, features: Rows, words: PatchWords | None) -> Comparison:
        """That of images whose features the network has found."""
        if words is None:
            return cls(None, None)
        total = np.zeros(features.shape[1])
        for start in range(0, len(features), CHUNK):
            total += to_unit_length(features[start : start + CHUNK].copy()).sum(axis=0, dtype=np.float64)
        return cls((total / len(features)).astype(np.float32), words)

    def columns(self, network: Network) -> int:
        """Numbers of an image."""
        return network.architecture.features + (0 if self.words is None else self.words.features)

    def rows(
        self,
        network: Network,
        images: Images,
        threads: int,
        rows: slice | npt.NDArray[np.intp] | None = None,
        features: Rows | None = None,
    ) -> Rows:
        """What images, or some of them, are compared by: (n, columns). Distances are Euclidean.

        Parameters
        ----------
        features : ndarray or None
            The network's, where they are known; they may be changed in place.
        """
        if features is None:
            features = network.map(images, threads, _core.OUTPUT_FEATURES, rows)
        if network.architecture.reads_vectors:
            return features
        to_unit_length(features)
        if self.words is None or self.mean is None:
            return features
        features -= self.mean
        result = np.empty((len(features), self.columns(network)), np.float32)
        split = features.shape[1]
        result[:, :split] = to_unit_length(features)
        described = self.words.describe(images, threads, rows)
        described *= np.float32(recipes.PATCHES_WEIGHT)
        result[:, split:] = described
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps."""
        if self.words is None or self.mean is None:
            return {}
        return {NAME: self.mean} | self.words.tensors()


def read_comparison(
    tensors: dict[str, npt.NDArray[Any]], features: int, image_shape: tuple[int, ...]
) -> Comparison:
    """The comparison among the tensors of a file."""
    words, mean = read_words(tensors, image_shape), tensors.get(NAME)
    if (words is None) != (mean is None):
        raise ValueError(f"{NAME}: is there without words, or words without it")
    if mean is not None and (
        mean.dtype != np.float32 or mean.shape != (features,) or not np.isfinite(mean).all()
    ):
        raise ValueError(f"{NAME}: got {mean.dtype} of shape {mean.shape}, want finite float32 ({features},)")
    return Comparison(mean, words)

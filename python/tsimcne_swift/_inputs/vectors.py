"""Feature vectors as images of one pixel, checked as scikit-learn checks them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from .._system.guard import Guard
from .images import Images

LARGEST = 65536
# Squares of larger values would be infinite in float32.
LARGEST_VALUE = 1e15
# Vectors that are looked at for lost digits.
SAMPLE = 2000


class Vectors(Images):
    """Checked feature vectors, as (n, 1, 1, features) float32.

    Parameters
    ----------
    estimator : BaseEstimator
        Estimator that gets ``n_features_in_`` and ``feature_names_in_`` (``reset``), or has them.
    """

    def __init__(self, estimator: Any, X: Any, reset: bool) -> None:
        given = Guard(X) if isinstance(X, np.ndarray) else None
        array = validate_data(
            estimator,
            X,
            reset=reset,
            # Whole numbers become the first of these.
            dtype=[np.float64, np.float32],
            order="C",
            ensure_min_samples=2 if reset else 1,
        )
        if given is not None:
            given.check()
        self._hold(array)
        if array.shape[1] > LARGEST:
            raise ValueError(f"X: got {array.shape[1]} features, want at most {LARGEST}")
        if max(-array.min(), array.max()) > LARGEST_VALUE:
            raise ValueError(f"X: got values beyond ±{LARGEST_VALUE:g}; scale them")

    @classmethod
    def of(cls, rows: npt.NDArray[np.float32]) -> Vectors:
        """Vectors that were made here, C-contiguous and finite."""
        vectors = cls.__new__(cls)
        vectors._hold(rows)
        return vectors

    def _hold(self, array: npt.NDArray[Any]) -> None:
        self.array, self.guard = array, Guard(array)
        self.n_features = array.shape[1]
        self.shape = (array.shape[0], 1, 1, array.shape[1])
        self.direct = array.dtype == np.float32

    def about(self, origin: npt.NDArray[np.float64] | None) -> Vectors:
        """The same vectors with ``origin`` subtracted in float64, before they become float32."""
        if origin is None and self.origin is None:
            return self
        twin = copy.copy(self)
        twin.origin = origin
        twin.direct = origin is None and self.array.dtype == np.float32
        return twin

    def centre(self) -> npt.NDArray[np.float64] | None:
        """The mean of vectors in float64 of which float32 would round away more than a thousandth of a
        feature's deviation; None for all others, which are read as they are.
        """
        if self.array.dtype == np.float32:
            return None
        mean, deviation = self.array.mean(axis=0), self.array.std(axis=0)
        spacing = np.abs(mean) * np.finfo(np.float32).eps
        needs = (spacing > 1e-3 * deviation) & (deviation > 0)
        return mean if needs.any() else None

    def losses(self) -> str | None:
        """What is to be said of vectors that cannot be told apart, by a sample of them."""
        rows = np.linspace(0, len(self.array) - 1, min(len(self.array), SAMPLE)).astype(np.int64)
        sample = self.array[rows]
        different = len(np.unique(sample, axis=0))
        left = len(np.unique(self.batch(rows).reshape(len(rows), -1), axis=0))
        if left < different:
            return (
                f"X: of {different} different vectors that were looked at, {left} remain in float32: their "
                "differences are too small beside their lengths; scale features, or leave out what is far off"
            )
        mean, deviation = np.abs(sample.mean(axis=0, dtype=np.float64)), sample.std(axis=0, dtype=np.float64)
        vague = (mean * np.finfo(sample.dtype).eps > 0.01 * deviation) & (deviation > 0)
        if not vague.any():
            return None
        i = int(np.argmax(vague))
        return (
            f"X: feature {i} has values around {mean[i]:g} that differ by {deviation[i]:g}, which "
            f"{sample.dtype} hardly tells apart; subtract what they have in common, in float64"
        )

    def convert(self, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Some of the vectors as C-contiguous float32, about the origin."""
        if self.origin is not None:
            part = part - self.origin
        return super().convert(part)

"""Feature vectors as images of one pixel, checked as scikit-learn checks them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from .images import Images, check_file

LARGEST = 65536
# Beyond it squares would be infinite in float32.
LARGEST_VALUE = 1e15


class Vectors(Images):
    """Checked feature vectors, as (n, 1, 1, features) float32.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_`` and ``feature_names_in_`` (``reset``), or has them.
    """

    def __init__(self, estimator: Any, X: Any, reset: bool) -> None:
        check_file(X)
        array = validate_data(
            estimator,
            X,
            reset=reset,
            dtype=[np.float32, np.float64],
            order="C",
            ensure_min_samples=2 if reset else 1,
        )
        if array.shape[1] > LARGEST:
            raise ValueError(f"X: got {array.shape[1]} features, want at most {LARGEST}")
        if max(-array.min(), array.max()) > LARGEST_VALUE:
            raise ValueError(f"X: got values beyond ±{LARGEST_VALUE:g}; scale them")
        self.array = array
        self.n_features = array.shape[1]
        self.shape = (array.shape[0], 1, 1, array.shape[1])
        self.direct = array.dtype == np.float32

"""The nearest images to each, as the page holds them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from .._checks.maps import check_rows
from .._evaluation import neighbors

# Neighbours of an image in the page.
COUNT = 12
# Columns by which images are compared: of more the directions in which they vary most.
COLUMNS = 128


def make_neighbors(features: Any, n: int) -> dict[str, Any] | None:
    """The rows nearest to each by the cosine, the nearest first, in two bytes each where these do."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import normalize

    rows = normalize(check_rows("features", features, n).astype(np.float32))
    if n < 2:
        return None
    if min(rows.shape) > COLUMNS:
        rows = PCA(COLUMNS, svd_solver="covariance_eigh").fit_transform(rows)
    found = neighbors(rows, min(COUNT, n - 1))
    size = 2 if n <= 1 << 16 else 4
    values = base64.b64encode(np.ascontiguousarray(found, f"<u{size}").tobytes()).decode()
    return {"count": found.shape[1], "bytes": size, "values": values}

"""The nearest images to each, as the page holds them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from .._algebra.directions import reduced
from .._algebra.linear import to_unit_length
from .._checks.maps import check_rows
from .._plane.neighbors import nearest

# Neighbours of an image in the page.
COUNT = 12
# Columns by which images are compared: of more the directions in which they vary most.
COLUMNS = 128


def make_neighbors(features: Any, n: int) -> dict[str, Any] | None:
    """The rows nearest to each by the cosine, the nearest first, in two bytes each where these do."""
    rows = to_unit_length(check_rows("features", features, n).astype(np.float32))
    if n < 2:
        return None
    found = nearest(reduced(rows, COLUMNS, 0), min(COUNT, n - 1), 0)
    size = 2 if n <= 1 << 16 else 4
    values = base64.b64encode(np.ascontiguousarray(found, f"<u{size}").tobytes()).decode()
    return {"count": found.shape[1], "bytes": size, "values": values}

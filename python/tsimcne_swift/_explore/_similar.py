"""The nearest images to each, as the page holds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._algebra.directions import reduced
from .._algebra.linear import to_unit_length
from .._checks.maps import check_rows
from .._plane.neighbors import Table, nearest

# Neighbours of an image in the page.
COUNT = 12
# Columns by which images are compared: of more the directions in which they vary most.
COLUMNS = 128


def make_neighbors(features: Any, n: int) -> Table | None:
    """The rows nearest to each by the cosine, the nearest first."""
    rows = to_unit_length(check_rows("features", features, n).astype(np.float32))
    if n < 2:
        return None
    return nearest(reduced(rows, COLUMNS, 0), min(COUNT, n - 1), 0)

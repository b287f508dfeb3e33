"""Columns of what pictures say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# Type of each column, and what stands where a picture says nothing.
COLUMNS: dict[str, tuple[str, Any]] = {
    "taken": ("datetime64[s]", "NaT"),
    "camera": ("O", ""),
    "latitude": ("f8", np.nan),
    "longitude": ("f8", np.nan),
    "seconds": ("f8", np.nan),
}


def columns_of(said: Sequence[Mapping[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """The columns in which at least one picture has something."""
    return {
        name: np.array([picture.get(name, missing) for picture in said], kind)
        for name, (kind, missing) in COLUMNS.items()
        if any(name in picture for picture in said)
    }

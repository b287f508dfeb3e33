"""What stands beside a map: checks and forms that plots, pages and measures share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array


def check_plane(Y: Any) -> npt.NDArray[np.float64]:
    """A map of two dimensions."""
    points: npt.NDArray[np.float64] = check_array(Y, input_name="Y", dtype=np.float64)
    if points.shape[1] != 2:
        raise ValueError(f"Y: got {points.shape[1]} columns, want 2")
    return points


def check_rows(name: str, Z: Any, n: int) -> npt.NDArray[Any]:
    """Finite numbers, a row for each of n images."""
    rows: npt.NDArray[Any] = check_array(Z, input_name=name)
    if len(rows) != n:
        raise ValueError(f"{name}: got {len(rows)} rows, want one for each of {n} images")
    return rows


def as_shown(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """An image (height, width, channels) as a picture: colour of the first three channels, grey of fewer."""
    if image.dtype != np.uint8:
        image = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image[:, :, :3] if image.shape[2] >= 3 else image[:, :, 0])

"""Pictures that are in memory already: Pillow's, arrays, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.axes import is_tensor, of_tensor, order_of
from ._decoding._opening import check_format
from ._decoding._raw import Raw, raw_of_array


def picture_of(value: Any) -> Any:
    """A picture of Pillow's, or the values of an array or a tensor."""
    from PIL import Image

    if isinstance(value, Image.Image):
        check_format(value)
        return value
    return open_array(value)


def open_array(value: Any) -> Raw:
    """The values of an array or tensor (height, width), with channels last or first.

    Raises
    ------
    ValueError
        If its shape is none of these, or may be one of two.
    """
    array = _values(value)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"got an array of shape {array.shape}, want (height, width[, channels])")
    order = order_of(array.shape)
    if order == "unsure" and is_tensor(value):
        order = "first"
    if order == "unsure":
        raise ValueError(
            f"got an array of shape {array.shape}, which looks like channels first; "
            "want (height, width, channels): numpy.moveaxis(x, 0, -1)"
        )
    return raw_of_array(np.moveaxis(array, 0, -1) if order == "first" else array)


def _values(value: Any) -> npt.NDArray[Any]:
    if is_tensor(value):
        return of_tensor(value)
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    return np.asarray(value)

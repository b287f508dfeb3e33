"""Pictures that are in memory already: Pillow's, arrays, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.axes import SMALLEST, is_tensor, order_of, values_of
from ._decoding._opening import check_format
from ._decoding._raw import Raw, raw_of_array
from ._workers import Encoded


def picture_of(value: Any) -> Any:
    """A picture of Pillow's, a file's bytes, or the values of an array or a tensor."""
    from PIL import Image

    if isinstance(value, bytes):
        return Encoded(("data", value))
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
    if array.ndim != 3 or array.size == 0:
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
    value = values_of(value)
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        # What is masked is no value, which only floats can say.
        return np.asarray(np.ma.filled(value.astype(np.float64), np.nan))
    return np.asarray(value)


def check_stack(name: str, array: npt.NDArray[Any], where: str = "") -> None:
    """Check that an array is of several pictures, (n, height, width[, channels]), and not of one."""
    looks_like_one = array.ndim == 3 and array.shape[2] < SMALLEST <= array.shape[0]
    if array.ndim not in (3, 4) or looks_like_one:
        one = ", which looks like one picture" * looks_like_one
        raise ValueError(f"{name}: got shape {array.shape}{where}{one}, want (n, height, width[, channels])")

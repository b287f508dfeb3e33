"""Images that the core can read, 4-D, from what a caller passes as ``X``."""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.axes import is_tensor, of_tensor, order_of
from .._checks.values import check_integer
from .._system.guard import Guard

SMALLEST, LARGEST, MOST_CHANNELS = 8, 1024, 1024
# Values that a check looks at together: few enough that a memory-mapped set is never copied.
CHUNK = 1 << 22


class Images:
    """Checked images, as (n, height, width, channels).

    ``direct`` says whether the core can read the array in place; else ``batch`` converts what is
    wanted.
    """

    def __init__(self, X: Any, image_shape: Any = None) -> None:
        array = as_array(X)
        self.guard = Guard(array)
        shape = _image_shape(array, image_shape)
        self.n_features = int(np.prod(array.shape[1:]))
        # A reshape of a C-contiguous array is a view; any other array is reshaped batch by batch.
        self.array = array
        self.shape = (array.shape[0], *shape)
        self.direct = array.flags.c_contiguous and array.dtype in (np.uint8, np.float32)
        check_values(array, self.guard)

    def check(self) -> None:
        """Raise an error unless what was read until now is what the caller's file holds, if it is one."""
        self.guard.check()

    def forget(self) -> None:
        """`check`, and let go of what was read of a memory-mapped file, which would stay resident."""
        self.check()
        _forget(self.array)

    @property
    def format(self) -> str:
        """Format of the values that the core gets."""
        return "B" if self.array.dtype == np.uint8 else "f"

    #: The mean that `batch` subtracts, of feature vectors alone.
    origin: npt.NDArray[np.float64] | None = None

    def about(self, origin: npt.NDArray[np.float64] | None) -> Images:
        """The same images for a network whose vectors lie about ``origin``; itself for other networks."""
        return self

    def whole(self) -> npt.NDArray[Any]:
        """All images, in place, which only ``direct`` images have."""
        return self.array.reshape(self.shape)

    def batch(self, selection: Any) -> npt.NDArray[Any]:
        """Some images as C-contiguous uint8 or float32."""
        return self.convert(np.asarray(self.array[selection]))

    def convert(self, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Some of the images as C-contiguous uint8 or float32."""
        dtype = np.uint8 if part.dtype == np.uint8 else np.float32
        if part.dtype.kind in "iu" and part.dtype != np.uint8:
            part = part.astype(np.float32) / np.float32(255)
        return np.ascontiguousarray(part, dtype=dtype).reshape(-1, *self.shape[1:])


def as_array(X: Any) -> npt.NDArray[Any]:
    """The array of what a caller passes, of one image at least."""
    array = _any_array(X)
    if array.shape[0] < 1:
        raise ValueError(f"X: got shape {array.shape}, want at least one image")
    return array


def _any_array(X: Any) -> npt.NDArray[Any]:
    if isinstance(X, np.ma.MaskedArray):
        raise TypeError("X: got a masked array, want one without missing values")
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError("X: got a sparse matrix, want a dense array of images")
    if is_tensor(X):
        X = _of_tensor(X)
    try:
        array: npt.NDArray[Any] = np.asanyarray(X)
    except ValueError as error:
        raise ValueError(
            "X: got images of different shapes, want all of one shape; "
            "resize or crop them to a common size first"
        ) from error
    _check_kind(array)
    return array


def as_pictures(X: Any, n: int | None = None) -> npt.NDArray[Any]:
    """Images of any size to be looked at, (n, height, width, channels), uint8 or floats in [0, 1]: the rule
    is that of images to train on.
    """
    array = _any_array(X)
    if array.ndim not in (3, 4) or (n is not None and len(array) != n):
        raise ValueError(
            f"X: got {array.dtype} of shape {array.shape}, want ({n or 'n'}, height, width[, channels])"
        )
    _check_order(array)
    check_values(array)
    values = array.astype(np.uint8, copy=False) if array.dtype.kind in "iu" else array
    return values.reshape(len(array), *(*array.shape[1:], 1)[:3])


def _of_tensor(tensor: Any) -> Any:
    """A tensor's values with channels last."""
    array = of_tensor(tensor)
    # PyTorch's own order is that of channels first, whatever their number.
    if array.ndim == 4 and order_of(array.shape[1:]) != "last":
        array = np.moveaxis(array, 1, -1)
    return array


def _check_kind(array: npt.NDArray[Any]) -> None:
    """Check the type and the number of dimensions."""
    if array.dtype.kind not in "iufb":
        raise ValueError(
            f"X: got values of type {array.dtype}, want integers or floats "
            "(images of different shapes must be brought to one first)"
        )
    if array.dtype.kind == "b":
        raise ValueError("X: got booleans, want uint8 or floats in [0, 1]; try X.astype('float32')")
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"X: got {array.ndim} dimensions, want (n, height, width), "
            "(n, height, width, channels), or (n, features) with image_shape"
        )


def check_shape(array: npt.NDArray[Any], image_shape: Any) -> tuple[int, int, int]:
    """Height, width and channels of the images of an array that can hold some."""
    _check_kind(array)
    return _image_shape(array, image_shape)


def _check_order(array: npt.NDArray[Any]) -> None:
    """Refuse images that look like channels first."""
    shape = array.shape[1:]
    if array.ndim == 4 and order_of(shape) != "last":
        right = f", or image_shape={shape} in fit where they are last" if shape[0] >= SMALLEST else ""
        raise ValueError(
            f"X: got shape {array.shape}, which looks like channels first; "
            f"want X.transpose(0, 2, 3, 1){right}"
        )


def _image_shape(array: npt.NDArray[Any], image_shape: Any) -> tuple[int, int, int]:
    if array.ndim == 2:
        shape = _flat_shape(array.shape[1], image_shape)
    else:
        shape = (*array.shape[1:], 1)[:3]
        if image_shape is None:
            _check_order(array)
        if image_shape is not None and as_shape(image_shape) != shape:
            raise ValueError(f"image_shape: got {image_shape!r}, but X has images of {shape}")
    height, width, channels = shape
    if min(height, width) < SMALLEST or max(height, width) > LARGEST:
        raise ValueError(f"X: got images of {height}×{width} pixels, want {SMALLEST} to {LARGEST} each way")
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"X: got {channels} channels, want 1 to {MOST_CHANNELS}")
    return height, width, channels


def _flat_shape(features: int, image_shape: Any) -> tuple[int, int, int]:
    if image_shape is None:
        side = math.isqrt(features)
        if side * side != features:
            raise ValueError(
                f"X: got {features} features, no square number; say image_shape=(height, width, channels)"
            )
        return side, side, 1
    shape = as_shape(image_shape)
    if math.prod(shape) != features:
        raise ValueError(f"image_shape: got {image_shape!r}, but X has {features} features")
    return shape


def as_shape(image_shape: Any) -> tuple[int, int, int]:
    if not isinstance(image_shape, list | tuple) or len(image_shape) not in (2, 3):
        raise TypeError(f"image_shape: got {image_shape!r}, want (height, width[, channels])")
    height, width, channels = (*image_shape, 1)[:3]
    return (
        check_integer("image_shape[0]", height, 1, LARGEST),
        check_integer("image_shape[1]", width, 1, LARGEST),
        check_integer("image_shape[2]", channels, 1, MOST_CHANNELS),
    )


def _forget(array: npt.NDArray[Any]) -> None:
    # Pages of a shared mapping are the file's; those of a private one ("c") may hold changes.
    if isinstance(array, np.memmap) and array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        mapping = getattr(array, "_mmap", None)
        if mapping is not None:
            mapping.madvise(mmap.MADV_DONTNEED)


def check_values(array: npt.NDArray[Any], guard: Guard | None = None) -> None:
    """Floats are finite and in [0, 1], integers in 0…255; a chunk of images at a time."""
    if array.dtype == np.uint8:
        return
    rows = max(1, CHUNK // max(1, int(np.prod(array.shape[1:]))))
    for first in range(0, array.shape[0], rows):
        part = np.asarray(array[first : first + rows])
        low, high = part.min(), part.max()
        if guard is not None:
            guard.check()
        _forget(array)
        if array.dtype.kind in "iu":
            if low < 0 or high > 255:
                raise ValueError(f"X: got integers from {low} to {high}, want 0 to 255")
            continue
        # NaN and infinity pass through min and max.
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("X: got NaN or infinity, want finite values in [0, 1]")
        if low < 0 or high > 1:
            span = float(high) - float(low)
            scale = "X / 255" if low >= 0 and high > 16 else f"(X - {low:g}) / {span:g}"
            raise ValueError(f"X: got floats from {low:g} to {high:g}, want [0, 1]; scale them, e.g. {scale}")

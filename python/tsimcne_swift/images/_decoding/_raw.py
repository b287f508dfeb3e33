"""A picture whose values are not 8 bits, or whose channels Pillow does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

# Values that stand for none in signed numbers and floats; so does whatever is larger than any measure.
NO_DATA = (-9999, -99999, -32767, -32768)
BEYOND = 1e30
# Values that are looked at in a picture's channel.
MOST_VALUES = 20_000
# Percentiles of a picture's channel beyond which a few pixels may lie.
PERCENTILES = (0.1, 50, 99.9)
# Number of values of a picture that are scaled together, as copies take eight bytes each.
CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Raw:
    """Values, and what a file says about them.

    Parameters
    ----------
    values : ndarray of shape (height, width, channels)
    is_colour : bool
        Whether the three channels are red, green and blue; else several mean different things.
    bits : int or None
        Bits of unsigned values, where they are fewer than their type has.
    alpha : ndarray of shape (height, width), uint8, or None
        Opacity of each pixel.
    no_data : float or None
        Value that stands for none, beside those that do so by custom.
    """

    values: npt.NDArray[Any]
    is_colour: bool = False
    bits: int | None = None
    alpha: npt.NDArray[np.uint8] | None = None
    no_data: float | None = None

    @property
    def channels(self) -> int:
        return int(self.values.shape[2])

    @property
    def kind(self) -> str | None:
        """The kind of values, which have a range in common; None for 8 bits, which stay as they are."""
        dtype = self.values.dtype
        bits = self.bits or 8 * dtype.itemsize
        if dtype.kind == "u" and bits == 8:
            return None
        name = {"u": f"uint{bits}", "i": f"int{bits}", "f": "float"}.get(dtype.kind, "bool")
        return f"{name}:{'colour' if self.is_colour else 'grey' if self.channels == 1 else self.channels}"

    def upright(self, orientation: int) -> Raw:
        """The picture as a person sees it, by EXIF's number for how it is turned."""
        if orientation not in range(2, 9):
            return self
        alpha = None if self.alpha is None else _upright(self.alpha, orientation)
        return replace(self, values=_upright(self.values, orientation), alpha=alpha)

    def missing(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of some values stand for none."""
        missing = np.zeros(values.shape, bool)
        if values.dtype.kind == "f":
            # NaN is not less than anything.
            missing |= ~(np.abs(values) < BEYOND)
        if values.dtype.kind in "if":
            missing |= np.isin(values, NO_DATA)
        if self.no_data is not None:
            missing |= values == self.no_data
        return missing

    def summary(self) -> npt.NDArray[np.float64] | None:
        """(channels, 3): low, middle and high values of each, all alike in a colour picture; None if all are
        missing.
        """
        rows = self.values.reshape(-1, self.channels)
        sample = np.array(rows[:: -(-len(rows) // MOST_VALUES)], order="C")
        missing = self.missing(sample)
        numbers = sample.astype(np.float64)
        numbers[missing] = np.nan
        if self.is_colour:
            numbers = np.repeat(numbers.reshape(-1, 1), self.channels, axis=1)
        if np.isnan(numbers).all(axis=0).any():
            return None
        return np.nanpercentile(numbers, PERCENTILES, axis=0).T

    def eight_bits(self, pairs: tuple[tuple[float, float], ...]) -> npt.NDArray[np.uint8]:
        """All values, with each channel's pair become 0 and 255; those that stand for none are black."""
        result = np.empty(self.values.shape, np.uint8)
        low, high = (np.array(ends, np.float64) for ends in zip(*pairs, strict=True))
        rows = max(1, CHUNK // max(1, self.values.shape[1] * self.channels))
        for first in range(0, len(result), rows):
            part = self.values[first : first + rows]
            missing = self.missing(part)
            scaled = (np.where(missing, 0, part).astype(np.float64) - low) * (255 / (high - low))
            result[first : first + rows] = np.where(missing, 0, np.rint(np.clip(scaled, 0, 255)))
        return result


def raw_of_array(array: npt.NDArray[Any]) -> Raw:
    """An array of a user's: (height, width, channels), colour where there are three, or four with opacity."""
    if array.dtype.kind not in "uifb":
        raise ValueError(f"got values of type {array.dtype}, want numbers")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.shape[2] == 4 and _has_opacity(array):
        alpha = opacity(array[:, :, 3], 255 if array.dtype == np.uint8 else 1)
        return Raw(array[:, :, :3], is_colour=True, alpha=alpha)
    return Raw(array, is_colour=array.shape[2] == 3)


def _has_opacity(array: npt.NDArray[Any]) -> bool:
    """Whether the fourth channel is opacity, as in bytes and in floats that Matplotlib reads."""
    if array.dtype.kind == "f":
        return bool(array.min() >= 0 and array.max() <= 1 and array[:, :, 3].max() == 1)
    return array.dtype == np.uint8


def opacity(alpha: npt.NDArray[Any], top: float) -> npt.NDArray[np.uint8]:
    """Opacity as 8 bits, of which ``top`` is opaque."""
    share = np.clip(alpha.astype(np.float32) / top, 0, 1)
    return np.asarray(np.rint(share * 255), np.uint8)


def _upright(array: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Rows and columns of EXIF's orientation 1 to 8, the first two axes, as a person sees them."""
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array

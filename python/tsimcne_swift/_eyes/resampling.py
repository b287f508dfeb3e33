"""Images in another size, as two matrices: each axis by itself, with Pillow's kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

RESIZES = ("crop", "pad", "stretch")
Values = npt.NDArray[np.float64]


def _triangle(x: Values) -> Values:
    result: Values = np.maximum(0, 1 - np.abs(x))
    return result


def _keys(x: Values) -> Values:
    """Keys' cubic (1981) with a = -0.5."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Values) -> Values:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


#: How far each kernel reaches, in pixels of the larger of both sizes, and its values; None is no kernel.
KERNELS: dict[str, tuple[float, Callable[[Values], Values]] | None] = {
    "bilinear": (1.0, _triangle),
    "bicubic": (2.0, _keys),
    "lanczos": (3.0, _lanczos),
    "nearest": None,
}


def resampling(
    before: tuple[int, int], after: tuple[int, int], resize: str, interpolation: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Matrices that images are multiplied by from the left and, transposed, from the right.

    Rows of zeros are the frame of ``"pad"``.
    """
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    if resize == "crop":
        ratios = [max(ratios)] * 2
    elif resize == "pad":
        ratios = [min(ratios)] * 2
    rows, columns = (
        _axis(old, new, ratio, interpolation) for old, new, ratio in zip(before, after, ratios, strict=True)
    )
    return rows, columns


def _axis(before: int, after: int, ratio: float, interpolation: str) -> npt.NDArray[np.float32]:
    """The matrix (after, before) of one axis, enlarged by ``ratio`` about its middle."""
    filled = min(after, max(1, round(before * ratio)))
    frame = (after - filled) // 2
    # The part of the axis that is seen.
    length = before if filled < after else min(float(before), after / ratio)
    start, step = (before - length) / 2, length / filled
    centres = start + (np.arange(filled) + 0.5) * step
    result = np.zeros((after, before))
    kernel = KERNELS[interpolation]
    if kernel is None:
        nearest = np.clip(np.floor(centres), 0, before - 1).astype(np.int64)
        result[frame + np.arange(filled), nearest] = 1
        return result.astype(np.float32)
    reach, function = kernel
    width = max(step, 1.0)
    places = np.arange(before) + 0.5
    for row, centre in enumerate(centres):
        first = max(0, math.floor(centre - reach * width + 0.5))
        last = min(before, math.floor(centre + reach * width + 0.5))
        weights = function((places[first:last] - centre) / width)
        result[frame + row, first:last] = weights / weights.sum()
    return result.astype(np.float32)

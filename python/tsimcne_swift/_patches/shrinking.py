"""Images of at most 32 pixels along the longer side, so that patches are parts of what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._inputs.images import SMALLEST

LONGEST = 32

Size = tuple[int, int]


def shrunk_size(height: int, width: int) -> Size:
    """Height and width of an image once it is no longer than `LONGEST`, and no shorter than `SMALLEST`."""
    longest = max(height, width)
    if longest <= LONGEST:
        return height, width
    sides = (min(side, max(SMALLEST, round(side * LONGEST / longest))) for side in (height, width))
    return next(sides), next(sides)


def shrink(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Images (n, height, width, channels), uint8 or float32, of `shrunk_size`, as float32 in [0, 1].

    A pixel is the mean of those that fall into it. Images that are small already are returned as they are.
    """
    size = shrunk_size(*images.shape[1:3])
    if size == images.shape[1:3]:
        return images
    result: npt.NDArray[Any] = images
    for axis, side in zip((1, 2), size, strict=True):
        edges = np.arange(side) * images.shape[axis] // side
        counts = np.diff([*edges, images.shape[axis]]).astype(np.float32)
        result = np.add.reduceat(result, edges, axis=axis, dtype=np.float32)
        result /= counts.reshape([-1 if a == axis else 1 for a in range(4)])
    return result / np.float32(255) if images.dtype == np.uint8 else result

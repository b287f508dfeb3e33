"""Words for patches: patches of the images themselves, whitened."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._algebra.directions import directions
from .._algebra.linear import to_unit_length

Rows = npt.NDArray[np.float32]

# Values of a patch, at most.
DEPTH = 512
# Patches whose covariance is looked at.
SAMPLED = 8192
# What is added to a variance before its root is divided by, as a share of the mean one.
RIDGE = 0.015
# Patches are compared along the directions whose variance is at least this share of the mean one, and along
# so many in any case. Below it there is little but noise of single pixels.
LEAST, FEWEST = 0.04, 16
# From this side of the images on, patches have six pixels and every other one is looked at.
WIDE = 20


class Geometry(NamedTuple):
    """Pixels along a patch's side, and from one to the next."""

    side: int
    stride: int

    def parts(self, height: int, width: int, most: int) -> int:
        """Into how many parts images are divided along both sides: no more than they have patches."""
        return min(most, (min(height, width) - self.side) // self.stride + 1)


def geometry(height: int, width: int, channels: int) -> Geometry | None:
    """What patches are looked at in images of this size; None where they would have too many channels."""
    shortest = min(height, width)
    side, stride = (6, 2) if shortest >= WIDE else (max(3, shortest // 4), 1)
    while side > 2 and side * side * channels > DEPTH:
        side -= 1
    return Geometry(side, stride) if side * side * channels <= DEPTH else None


def vocabulary(images: npt.NDArray[Any], kind: Geometry, count: int, threads: int) -> tuple[Rows, Rows]:
    """Whitening (components, depth), and so many words (count, components) of unit length.

    Words are patches drawn at random, as Coates, Lee and Ng (2011) found to be as good as learnt ones.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8 or float32
        Those that patches are drawn from.
    kind : Geometry
    count, threads : int
    """
    random = np.random.Generator(np.random.Philox(key=images.shape[3]))
    depth = kind.side**2 * images.shape[3]
    patches = _patches(images, kind, max(count, SAMPLED), random)
    _, basis, deviations = directions(patches, depth, threads)
    variances = deviations.astype(np.float64) ** 2
    mean = variances.mean()
    if mean > 0:
        kept = max(np.count_nonzero(variances >= LEAST * mean), min(FEWEST, depth))
        whitening = basis[:kept] / np.sqrt(variances[:kept] + RIDGE * mean)[:, None]
    else:
        # Images without any contrast have no word.
        whitening = np.zeros((1, depth))
    whitening = np.ascontiguousarray(whitening, np.float32)
    return whitening, to_unit_length(np.einsum("nd,kd->nk", patches[:count], whitening))


def _patches(images: npt.NDArray[Any], kind: Geometry, count: int, random: np.random.Generator) -> Rows:
    """Patches at random places, less their images' means, (count, depth)."""
    n, height, width, channels = images.shape
    which = random.integers(0, n, count)
    rows = random.integers(0, height - kind.side + 1, count)
    columns = random.integers(0, width - kind.side + 1, count)
    result = np.empty((count, kind.side, kind.side, channels), np.float32)
    for y in range(kind.side):
        for x in range(kind.side):
            result[:, y, x] = images[which, rows + y, columns + x]
    means = images.reshape(n, -1).mean(axis=1, dtype=np.float64)[which]
    result -= means.astype(np.float32)[:, None, None, None]
    if images.dtype == np.uint8:
        result /= np.float32(255)
    return result.reshape(count, -1)

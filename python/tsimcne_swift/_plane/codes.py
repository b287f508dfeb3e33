"""What images are compared by, in 64 bytes each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._algebra.directions import directions
from .._algebra.linear import Linear

Rows = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Bytes = npt.NDArray[np.uint8]

# Bytes of an image, at most.
CODE = 64
# Rows that are coded at a time.
CHUNK = 1 << 16
# Deviations of a direction that its numbers reach on either side: with half a byte each, and a whole one.
REACH = {16: 2.3, 256: 4.0}
# Deviations below this share of the largest have no numbers of their own.
NOISE = np.float32(1e-4)
ARRAYS = {"mean": np.float32, "directions": np.float16, "steps": np.float32, "codes": np.uint8}


class Codes:
    """Rows along their directions of largest variance, in steps: 64 of 256 numbers, or 128 of 16.

    Parameters
    ----------
    mean : ndarray of shape (columns,), float32
    directions : ndarray of shape (columns, dimension), float16
    steps : ndarray of shape (dimension,), float32
        How far a number is from the next.
    codes : ndarray of shape (n, dimension), uint8, or two numbers a byte where there are more than 64
    """

    def __init__(self, mean: Rows, directions: Halves, steps: Rows, codes: Bytes) -> None:
        self.mean, self.directions, self.steps, self.codes = mean, directions, steps, codes
        self._linear = Linear.about(mean, directions.astype(np.float32))

    def __reduce__(self) -> Any:
        # The core's model is made anew.
        return Codes, tuple(getattr(self, name) for name in ARRAYS)

    @classmethod
    def of(cls, rows: Rows, threads: int) -> Codes:
        """The codes of rows (n, columns)."""
        dimension = min(2 * CODE, *rows.shape)
        mean, basis, deviations = directions(rows, dimension, threads)
        numbers = _numbers(dimension)
        # What is left in a direction may be rounding alone.
        least = NOISE * deviations[0] if deviations[0] > 0 else np.float32(1)
        steps = np.maximum(deviations, least) * np.float32(2 * REACH[numbers] / numbers)
        columns = dimension if numbers == 256 else -(-dimension // 2)
        halves = np.ascontiguousarray(basis.T, np.float16)
        nothing = cls(mean, halves, steps, np.empty((0, columns), np.uint8))
        parts = (slice(start, start + CHUNK) for start in range(0, len(rows), CHUNK))
        codes = np.concatenate([nothing.code(nothing.project(rows[part], threads)) for part in parts])
        return cls(mean, halves, steps, codes)

    def project(self, rows: Rows, threads: int) -> Rows:
        """Rows along the directions, not rounded."""
        return self._linear(rows, threads)

    def code(self, projected: Rows) -> Bytes:
        """What stands for rows along the directions."""
        numbers = _numbers(len(self.steps))
        # Zero is in the middle of what has a number.
        nearest = np.rint(projected / self.steps) + numbers // 2
        whole: Bytes = np.clip(nearest, 0, numbers - 1).astype(np.uint8)
        if numbers == 256:
            return whole
        even = np.pad(whole, ((0, 0), (0, whole.shape[1] % 2)))
        packed: Bytes = even[:, ::2] << np.uint8(4) | even[:, 1::2]
        return packed

    def values(self) -> Rows:
        """What the codes stand for: rows along the directions, as far as codes tell."""
        numbers = _numbers(len(self.steps))
        values = np.empty((len(self.codes), len(self.steps)), np.float32)
        for start in range(0, len(values), CHUNK):
            part, whole = slice(start, start + CHUNK), self.codes[start : start + CHUNK]
            if numbers == 16:
                halves = np.stack([whole >> np.uint8(4), whole & np.uint8(15)], axis=2)
                whole = halves.reshape(len(whole), -1)[:, : len(self.steps)]
            values[part] = (whole.astype(np.float32) - np.float32(numbers // 2)) * self.steps
        return values


def _numbers(dimension: int) -> int:
    """How many different numbers a direction has, of so many."""
    return 256 if dimension <= CODE else 16


def shapes(columns: int, dimension: int, n: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of codes of n rows."""
    width = dimension if _numbers(dimension) == 256 else -(-dimension // 2)
    return {
        "mean": (columns,),
        "directions": (columns, dimension),
        "steps": (dimension,),
        "codes": (n, width),
    }

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

# Bytes of an image, at most, and directions that have numbers.
CODE, MOST = 64, 192
# Rows that are coded at a time.
CHUNK = 1 << 16
# Bits of a number, and the deviations of its direction that it then reaches on either side: fewer bits are
# best spent on what is near the middle.
REACH = {2: 2.0, 4: 2.7, 8: 4.0}
# Deviations below this share of the largest have no numbers of their own.
NOISE = np.float32(1e-4)
ARRAYS = {"mean": np.float32, "directions": np.float16, "steps": np.float32, "codes": np.uint8}


class Codes:
    """Rows along their directions of largest variance, in steps: the first ones with more bits than the last.

    Parameters
    ----------
    mean : ndarray of shape (columns,), float32
    directions : ndarray of shape (columns, dimension), float16
    steps : ndarray of shape (dimension,), float32
        How far a number is from the next.
    codes : ndarray of shape (n, width), uint8
        Numbers of the directions, as many in a byte as go in, with the first in its highest bits; see `bits`.
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
        dimension = min(MOST, *rows.shape)
        mean, basis, deviations = directions(rows, dimension, threads)
        # What is left in a direction may be rounding alone, which says nothing.
        dimension = max(1, int(np.sum(deviations > NOISE * deviations[0])))
        reach = np.concatenate([np.full(count, REACH[each] / 2**each) for each, count in bits(dimension)])
        steps = 2 * reach.astype(np.float32) * deviations[:dimension]
        steps[steps <= 0] = 1
        halves = np.ascontiguousarray(basis[:dimension].T, np.float16)
        nothing = cls(mean, halves, steps, np.empty((0, width(dimension)), np.uint8))
        parts = (slice(start, start + CHUNK) for start in range(0, len(rows), CHUNK))
        codes = np.concatenate([nothing.code(nothing.project(rows[part], threads)) for part in parts])
        return cls(mean, halves, steps, codes)

    def project(self, rows: Rows, threads: int) -> Rows:
        """Rows along the directions, not rounded."""
        return self._linear(rows, threads)

    def code(self, projected: Rows) -> Bytes:
        """What stands for rows along the directions."""
        whole, first, parts = np.floor(projected / self.steps), 0, []
        for each, count in bits(len(self.steps)):
            half, many = 1 << (each - 1), 8 // each
            part = np.clip(whole[:, first : first + count] + half, 0, 2 * half - 1).astype(np.uint8)
            part = np.pad(part, ((0, 0), (0, -count % many))).reshape(len(part), -1, many)
            parts.append(np.bitwise_or.reduce(part << _shifts(each), axis=2))
            first += count
        return np.concatenate(parts, axis=1)

    def values(self) -> Rows:
        """What the codes stand for: rows along the directions, as far as codes tell."""
        values = np.empty((len(self.codes), len(self.steps)), np.float32)
        for start in range(0, len(values), CHUNK):
            here = slice(start, start + CHUNK)
            first = byte = 0
            for each, count in bits(len(self.steps)):
                half, bytes_ = 1 << (each - 1), _bytes(each, count)
                part = self.codes[here, byte : byte + bytes_, None] >> _shifts(each) & np.uint8(2 * half - 1)
                numbers = part.reshape(len(part), -1)[:, :count].astype(np.float32)
                # A number stands for the middle of its step.
                values[here, first : first + count] = numbers - np.float32(half - 0.5)
                first, byte = first + count, byte + bytes_
            values[here] *= self.steps
        return values


def bits(dimension: int) -> list[tuple[int, int]]:
    """Bits of a number, and how many directions have so many, the first ones first.

    A direction more is worth more than a second pair of bits for one in which rows differ little, as long
    as they differ there by more than noise.
    """
    if dimension <= CODE:
        return [(8, dimension)]
    more = min(dimension, 4 * CODE - dimension)
    return [(4, more), (2, dimension - more)] if more < dimension else [(4, dimension)]


def width(dimension: int) -> int:
    """Bytes of a code of so many directions."""
    return sum(_bytes(each, count) for each, count in bits(dimension))


def _bytes(each: int, count: int) -> int:
    return -(-count * each // 8)


def _shifts(each: int) -> Bytes:
    """By how many bits the numbers of a byte are shifted."""
    return np.arange(8 - each, -1, -each, dtype=np.uint8)


def shapes(columns: int, dimension: int, n: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of codes of n rows."""
    return {
        "mean": (columns,),
        "directions": (columns, dimension),
        "steps": (dimension,),
        "codes": (n, width(dimension)),
    }

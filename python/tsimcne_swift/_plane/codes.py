"""What images are compared by, in 48 bytes each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._algebra.directions import directions
from .._algebra.linear import Linear

Rows = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Bytes = npt.NDArray[np.uint8]

# Bytes of an image, and directions that have numbers, at most.
CODE, MOST = 48, 224
# Rows that are coded at a time.
CHUNK = 1 << 16
# Bits of a number; the deviations of its direction that it then reaches on either side, which leave the least
# error (Max 1960, of a normal distribution); and by what part of the variance each bit lessens the error,
# beside the next fewer.
REACH = {1: 1.6, 2: 2.0, 4: 2.7, 8: 4.0}
WORTH = {1: 0.637, 2: 0.245, 4: 0.0537, 8: 0.0029}
# Deviations below this share of the largest have no numbers of their own.
NOISE = np.float32(1e-4)
ARRAYS = {
    "mean": np.float32,
    "directions": np.float16,
    "steps": np.float32,
    "bits": np.uint8,
    "codes": np.uint8,
}


class Codes:
    """Rows along their directions of largest variance, in steps: the first ones with more bits than the last.

    Parameters
    ----------
    mean : ndarray of shape (columns,), float32
    directions : ndarray of shape (columns, dimension), float16
    steps : ndarray of shape (dimension,), float32
        How far a number is from the next.
    bits : ndarray of shape (dimension,), uint8
        Of each direction's number: 8, 4, 2 or 1, no more than those of the direction before.
    codes : ndarray of shape (n, width), uint8
        Numbers of as many bits as go into a byte together, with the first in its highest bits.
    """

    def __init__(self, mean: Rows, directions: Halves, steps: Rows, bits: Bytes, codes: Bytes) -> None:
        self.mean, self.directions, self.steps = mean, directions, steps
        self.bits, self.codes = bits, codes
        self._linear = Linear.about(mean, directions.astype(np.float32))

    def __reduce__(self) -> Any:
        # The core's model is made anew.
        return Codes, tuple(getattr(self, name) for name in ARRAYS)

    @classmethod
    def of(cls, rows: Rows, threads: int) -> Codes:
        """The codes of rows (n, columns)."""
        learnt = cls.learnt(rows, threads)
        return learnt.holding(learnt.code(rows, threads))

    @classmethod
    def learnt(cls, rows: Rows, threads: int) -> Codes:
        """Codes of none yet, for rows such as these (n, columns)."""
        dimension = min(MOST, *rows.shape)
        mean, basis, deviations = directions(rows, dimension, threads)
        # What is left in a direction may be rounding alone, which says nothing.
        deviations = deviations[: max(1, int(np.sum(deviations > NOISE * deviations[0])))]
        bits = worthwhile(deviations)
        dimension = len(bits)
        steps = np.array([2 * REACH[each] / 2**each for each in bits.tolist()], np.float32)
        steps *= np.where(deviations[:dimension] > 0, deviations[:dimension], 1)
        halves = np.ascontiguousarray(basis[:dimension].T, np.float16)
        return cls(mean, halves, steps, bits, np.empty((0, width(bits)), np.uint8))

    def holding(self, codes: Bytes) -> Codes:
        """The same with the codes of rows."""
        return Codes(self.mean, self.directions, self.steps, self.bits, codes)

    def project(self, rows: Rows, threads: int) -> Rows:
        """Rows along the directions, not rounded."""
        return self._linear(rows, threads)

    def code(self, rows: Rows, threads: int) -> Bytes:
        """What stands for rows (n, columns)."""
        codes = np.empty((len(rows), width(self.bits)), np.uint8)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            codes[part] = self.code_projected(self.project(rows[part], threads))
        return codes

    def code_projected(self, projected: Rows) -> Bytes:
        """What stands for rows along the directions."""
        whole, first, parts = np.floor(projected / self.steps), 0, []
        for each, count in _runs(self.bits):
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
            for each, count in _runs(self.bits):
                half, bytes_ = 1 << (each - 1), _bytes(each, count)
                part = self.codes[here, byte : byte + bytes_, None] >> _shifts(each) & np.uint8(2 * half - 1)
                numbers = part.reshape(len(part), -1)[:, :count].astype(np.float32)
                # A number stands for the middle of its step.
                values[here, first : first + count] = numbers - np.float32(half - 0.5)
                first, byte = first + count, byte + bytes_
            values[here] *= self.steps
        return values


def worthwhile(deviations: Rows) -> Bytes:
    """Bits of the numbers of directions with these deviations, the largest first: `CODE` bytes of those that
    lessen the error of distances most. Directions that get none are left out.
    """
    bits = np.array(list(WORTH), np.uint8)
    more = np.diff(bits, prepend=0)
    worth = deviations.astype(np.float64)[:, None] ** 2 * np.array(list(WORTH.values()))
    order = np.argsort(-worth, axis=None, kind="stable")
    chosen = order[np.cumsum(np.tile(more, len(deviations))[order]) <= 8 * CODE]
    result = np.zeros(len(deviations), np.uint8)
    np.maximum.at(result, chosen // len(bits), bits[chosen % len(bits)])
    result = result[result > 0]
    # Numbers of different lengths do not share a byte.
    while width(result) > CODE:
        result = result[:-1]
    return result


def are_bits(bits: Bytes) -> bool:
    """Whether directions can have so many bits, the first ones first."""
    return bool(np.isin(bits, list(WORTH)).all() and (np.diff(bits.astype(int)) <= 0).all())


def width(bits: Bytes) -> int:
    """Bytes of a code whose numbers have so many bits."""
    return sum(_bytes(each, count) for each, count in _runs(bits))


def _runs(bits: Bytes) -> list[tuple[int, int]]:
    """Bits of a number, and how many directions in a row have so many."""
    return [(each, count) for each in reversed(WORTH) if (count := int(np.sum(bits == each))) > 0]


def _bytes(each: int, count: int) -> int:
    return -(-count * each // 8)


def _shifts(each: int) -> Bytes:
    """By how many bits the numbers of a byte are shifted."""
    return np.arange(8 - each, -1, -each, dtype=np.uint8)


def shapes(columns: int, dimension: int, bits: Bytes | None, n: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of codes of n rows, whose numbers have so many bits, if that is known."""
    return {
        "mean": (columns,),
        "directions": (columns, dimension),
        "steps": (dimension,),
        "bits": (dimension,),
        "codes": (n, 0 if bits is None else width(bits)),
    }

"""What the plane wants to know of all images, in less memory than what they are compared by takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._algebra.directions import ROWS, plane_of, reduction
from .._inputs.pieces import Which
from .alone import Alone
from .codes import Codes
from .memory import WIDEST, Room
from .places import keys

Rows = npt.NDArray[np.float32]


class Described(NamedTuple):
    """Of each image.

    Parameters
    ----------
    searched : ndarray of shape (n, columns), float32
        What it is compared by, in its largest principal components.
    start : ndarray of shape (n, 2), float32
        … in two of them.
    codes : Codes
    keys : ndarray of shape (n,), uint64
        A number that tells it from images that are compared by other rows.
    """

    searched: Rows
    start: Rows
    codes: Codes
    keys: npt.NDArray[np.uint64]


def describe(
    n: int, rows_of: Callable[[Which], Rows], threads: int, ranks: Alone, room: Room = WIDEST
) -> Described | None:
    """What is wanted of n images, of which a function gives the rows that they are compared by.

    Directions are those of a sample, which is the same whether all rows are there or some at a time. None
    where rows are not finite.
    """
    own = ranks.part(n)
    whole = ranks.gather(rows_of(own)) if n <= room.together else None
    some = rows_of(np.linspace(0, n - 1, min(n, ROWS)).astype(np.intp)) if whole is None else whole
    if ranks.largest(float(not np.isfinite(some).all())):
        return None
    reduce, lay = reduction(some, room.components, threads), plane_of(some, threads)
    codes = Codes.learnt(some, threads)

    def of(rows: Rows) -> list[npt.NDArray[Any]]:
        return [reduce(rows), lay(rows), codes.code(rows, threads), keys(rows)[:, None]]

    if whole is not None:
        found = of(whole)
    else:
        found, is_finite = [], True
        for start in range(own.start, own.stop, room.together):
            rows = rows_of(slice(start, min(own.stop, start + room.together)))
            is_finite = bool(np.isfinite(rows).all())
            if not is_finite:
                break
            here = slice(start - own.start, start - own.start + len(rows))
            for k, part in enumerate(of(rows)):
                if len(found) == k:
                    found.append(np.empty((own.stop - own.start, part.shape[1]), part.dtype))
                found[k][here] = part
        if ranks.largest(float(not is_finite)):
            return None
        found = [ranks.gather(array) for array in found]
    searched, placed, coded, numbers = found
    return Described(searched, placed, codes.holding(coded), numbers[:, 0])

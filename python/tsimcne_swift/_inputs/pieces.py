"""Which images are looked at together, where only some of them fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

#: Rows that are meant: a slice, their numbers, or None for all.
Which = slice | npt.NDArray[np.intp] | None


def count(n: int, rows: Which) -> int:
    """How many of n rows are meant."""
    return len(rows) if isinstance(rows, np.ndarray) else len(range(n)[rows or slice(None)])


def pieces(n: int, rows: Which, size: int) -> Iterator[tuple[slice, slice | npt.NDArray[np.intp]]]:
    """At most ``size`` of the rows at a time: where they stand among those meant, and which they are.

    Parameters
    ----------
    n : int
        Number of rows there are.
    rows : slice of step 1, ndarray of int, or None
    size : int
    """
    first = 0 if isinstance(rows, np.ndarray) else range(n)[rows or slice(None)].start
    total = count(n, rows)
    for start in range(0, total, size):
        here = slice(start, min(total, start + size))
        yield (
            here,
            rows[here] if isinstance(rows, np.ndarray) else slice(first + here.start, first + here.stop),
        )

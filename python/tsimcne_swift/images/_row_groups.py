"""A column of Parquet files that need not fit into memory: groups of rows, read when they are wanted."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from threading import Lock
from typing import Any

from .._system.config import available_memory

# Bytes of groups that stay in memory, and the fewest groups: threads read at the border of two.
KEPT_BYTES, FEWEST = 1 << 28, 2


class RowGroups:
    """The values of a column, by their rows through all files.

    Parameters
    ----------
    files : sequence of path
    column : str

    Raises
    ------
    ValueError
        If a group has more bytes than there is memory.
    """

    def __init__(self, files: Sequence[str | os.PathLike[str]], column: str) -> None:
        import pyarrow.parquet

        self.column, self._files = column, list(files)
        self._groups: list[tuple[str | os.PathLike[str], int, int]] = []
        counts: list[int] = []
        for file in files:
            metadata = pyarrow.parquet.read_metadata(file)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                self._groups.append((file, number, _size(group, column)))
                counts.append(group.num_rows)
        self._starts: list[int] = [0, *accumulate(counts)]
        largest = max((size for _, _, size in self._groups), default=0)
        if FEWEST * largest > available_memory():
            raise ValueError(
                f"image: got {largest:,} bytes of the column {column!r} in one group of rows, want at most "
                f"half of {available_memory():,}, the memory that is available: write the file with a "
                "smaller row_group_size"
            )
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, row: int) -> Any:
        place = bisect_right(self._starts, row) - 1
        return self._group(place)[row - self._starts[place]].as_py()

    def field(self, name: str) -> list[Any]:
        """A field of all structs that the column has; the others are not read."""
        import pyarrow.parquet

        found: list[Any] = []
        for file in self._files:
            with pyarrow.parquet.ParquetFile(file) as opened:
                column = opened.read(columns=[f"{self.column}.{name}"])[self.column]
                for chunk in column.chunks:
                    found += chunk.field(name).to_pylist()
        return found

    def _group(self, place: int) -> Any:
        """A group's values. Those that were asked for last stay."""
        import pyarrow.parquet

        with self._lock:
            if place not in self._kept:
                file, number, _ = self._groups[place]
                with pyarrow.parquet.ParquetFile(file) as opened:
                    self._kept[place] = opened.read_row_group(number, columns=[self.column])[self.column]
            self._kept.move_to_end(place)
            while len(self._kept) > FEWEST and sum(self._groups[k][2] for k in self._kept) > KEPT_BYTES:
                self._kept.popitem(last=False)
            return self._kept[place]


def _size(group: Any, column: str) -> int:
    """Bytes of the column when it is unpacked, as the file says."""
    parts = [group.column(place) for place in range(group.num_columns)]
    # The path of a struct goes on behind a dot.
    return sum(
        int(part.total_uncompressed_size) for part in parts if part.path_in_schema.split(".")[0] == column
    )

"""The nearest rows to each of many: all pairs of some, a graph of neighbours of more."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .. import _core, recipes
from .alone import Alone

Rows = npt.NDArray[np.float32]
Table = npt.NDArray[np.int32]
Report = Callable[[float], None]

# Rows up to which all are compared with all; at so many, both ways take about as long.
EXACT = 1 << 16
# More neighbours of a row are sought among all.
MOST = 48
# Multiplications of a call of the core, about: a few hundred milliseconds, after which signals are handled.
WORK = 2e10
# Groups of rows of a call.
GROUPS = 128
# Rows of a search that is timed.
PROBE = 4096

# Trees, whose blocks of at most so many rows are compared with one another; rows of a group, at most.
TREES, BLOCK, GROUP = 3, 1024, 64
# Neighbours that are kept meanwhile, for each one that is wanted.
KEPT = 4 / 3
# Rounds of looking at neighbours of neighbours, at most; the share of new ones below which they end, and the
# rows that it is counted of.
ROUNDS, SETTLED, COUNTED = 6, 0.1, 1 << 14
# How much of the work that is left a tree is, and a round.
PARTS = (0.1, 0.5)


def graph_neighbors(n: int) -> int:
    """How many neighbours draw a point, of n."""
    return min(recipes.NEIGHBORS, max(1, (n - 1) // 3))


def nearest(
    rows: Rows,
    neighbors: int,
    threads: int,
    report: Report = lambda part: None,
    ranks: Alone | None = None,
) -> Table:
    """The nearest other rows to each, by Euclidean distance, the nearest first.

    Up to `EXACT` rows these are the true ones. Of more nearly all are, in time that grows with the rows, not
    with their square: trees of halves give each row some neighbours, then all rows look at the neighbours of
    their neighbours (Dong, Moses and Li, WWW 2011). What is found is a function of the rows alone.

    Parameters
    ----------
    rows : ndarray of shape (n, columns), float32
    neighbors : int
        Below n.
    threads : int
        0 for all cores; they change nothing but the time.
    report : callable
        Gets the part that is done.
    ranks : Alone or None
        Those that search together, if there are several: all have the same rows, and find the same.

    Returns
    -------
    ndarray of shape (n, neighbors), int32
    """
    ranks = ranks or Alone()
    if len(rows) <= EXACT or neighbors > MOST:
        return _CompareAll(rows, neighbors, threads, report, ranks).run()
    return _Graph(rows, neighbors, threads, report, ranks).run()


def nearest_to(queries: Rows, rows: Rows, neighbors: int, threads: int) -> Table:
    """The nearest rows to each query, by distance, the nearest first: the true ones of any number."""
    result = np.empty((len(queries), neighbors), np.int32)
    chunk = max(1, int(WORK / rows.size))
    for start in range(0, len(queries), chunk):
        part = slice(start, start + chunk)
        _core.nearest(rows, queries[part], result[part], threads=threads)
    return result


def search_seconds(n: int, columns: int, threads: int) -> float:
    """Seconds to find the neighbours of so many rows, by a smaller search.

    They grow with the square of the rows, and beyond `EXACT` with the rows.
    """
    some = min(n, PROBE)
    rows = np.random.Generator(np.random.Philox(0)).standard_normal((some, columns), np.float32)
    before = time.perf_counter()
    nearest(rows, graph_neighbors(some), threads)
    return (time.perf_counter() - before) * (n / some) * (min(n, EXACT) / some)


class _Search:
    def __init__(self, rows: Rows, neighbors: int, threads: int, report: Report, ranks: Alone) -> None:
        self._rows, self._neighbors, self._threads = rows, neighbors, threads
        self._report, self._ranks = report, ranks


class _CompareAll(_Search):
    """All rows are compared with all."""

    def run(self) -> Table:
        """The neighbours of all rows."""
        n, columns = self._rows.shape
        part = self._ranks.part(n)
        result = np.empty((part.stop - part.start, self._neighbors), np.int32)
        chunk = max(1, int(WORK / (n * columns)))
        for start in range(part.start, part.stop, chunk):
            stop = min(part.stop, start + chunk)
            own = result[start - part.start : stop - part.start]
            _core.nearest(self._rows, self._rows[start:stop], own, own_row=start, threads=self._threads)
            self._report((stop - part.start) / len(result))
        return self._ranks.gather(result)


class _Graph(_Search):
    """Rows find nearer neighbours by those that they know."""

    def run(self) -> Table:
        """The neighbours of all rows."""
        n = len(self._rows)
        order = np.empty(n, np.int32)
        table = np.full((n, int(np.ceil(KEPT * self._neighbors))), -1, np.int32)
        done = 0.0
        for tree in range(TREES):
            groups, blocks = self._plant(tree, order)
            done = self._compare(order, table, table, groups, done, blocks=blocks)
        reverse, other = np.empty_like(table), np.empty_like(table)
        for _ in range(ROUNDS):
            _core.reverse_neighbors(table, reverse)
            done = self._compare(order, table, other, groups, done, reverse=reverse)
            table, other = other, table
            if self._new(table, other) < SETTLED:
                break
        self._report(1.0)
        return np.ascontiguousarray(table[:, : self._neighbors])

    def _plant(self, tree: int, order: Table) -> tuple[int, int]:
        """Put the numbers of rows in the order of a tree; how many groups it has, and how many blocks."""
        n, runs, blocks = len(order), 1, 0
        order[:] = np.arange(n)
        while n > GROUP * runs:
            if blocks == 0 and n <= BLOCK * runs:
                blocks = runs
            _core.halve(self._rows, order, runs=runs, tree=tree, threads=self._threads)
            runs *= 2
        return runs, blocks

    def _compare(
        self,
        order: Table,
        table: Table,
        target: Table,
        groups: int,
        done: float,
        blocks: int = 0,
        reverse: Table | None = None,
    ) -> float:
        """Compare all groups with their candidates; the part of all work that is then done."""
        n, part = len(order), self._ranks.part(groups)
        whole = (1 - done) * PARTS[reverse is not None]
        for first in range(part.start, part.stop, GROUPS):
            count = min(GROUPS, part.stop - first)
            _core.refine_neighbors(
                self._rows,
                order,
                table,
                target,
                reverse=reverse,
                groups=groups,
                blocks=blocks,
                first=first,
                count=count,
                threads=self._threads,
            )
            self._report(done + whole * (first + count - part.start) / (part.stop - part.start))
        own = order[part.start * n // groups : part.stop * n // groups]
        if len(own) < n:
            target[order] = self._ranks.gather(target[own])
        return done + whole

    def _new(self, table: Table, old: Table) -> float:
        """The share of neighbours in the table that were not in the old one, among some rows."""
        some = np.linspace(0, len(table) - 1, COUNTED).astype(np.intp)
        now, before = table[some, : self._neighbors], old[some]
        # One column after the other, as all pairs at once would take megabytes.
        return float(np.mean([(column[:, None] != before).all(axis=1).mean() for column in now.T]))

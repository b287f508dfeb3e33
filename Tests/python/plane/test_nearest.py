"""Neighbours, of few rows and of many, against scikit-learn and loops of numpy."""

import threading

import numpy as np
import pytest
from helpers import assert_same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from tsimcne_swift import _core
from tsimcne_swift._plane import neighbors
from tsimcne_swift._plane.neighbors import nearest, nearest_to


def rows(n, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((n, columns)).astype(np.float32)


def silent(part):
    assert 0 < part <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 300), st.integers(1, 40), st.data())
def test_nearest_are_scikit_learns(n, columns, data):
    k = data.draw(st.integers(1, min(15, n - 1)))
    X = rows(n, columns)
    ours = nearest(X, k, 2, silent)
    distances, _ = NearestNeighbors(n_neighbors=k).fit(X).kneighbors()
    # Two that are nearly as far may change places: distances come from products of float32.
    found = np.linalg.norm(X[ours].astype(np.float64) - X[:, None], axis=2)
    np.testing.assert_allclose(found, distances, rtol=1e-4, atol=1e-3)
    assert (ours != np.arange(n)[:, None]).all()


def test_nearest_to_others(monkeypatch):
    X, queries = rows(500, 9), rows(70, 9, 1)
    ours = nearest_to(queries, X, 5, 2)
    theirs = NearestNeighbors(n_neighbors=5).fit(X).kneighbors(queries, return_distance=False)
    assert (ours == theirs).all()
    monkeypatch.setattr("tsimcne_swift._plane.neighbors.WORK", 20_000)
    assert_same_bits(nearest_to(queries, X, 5, 1), ours)
    assert_same_bits(nearest(X, 5, 1, silent), nearest(X, 5, 2, silent))


def test_a_row_is_its_own_neighbour_only_as_a_query():
    X = np.repeat(rows(3, 4), 4, axis=0)
    assert (nearest(X, 3, 1, silent) // 4 == np.arange(12)[:, None] // 4).all()
    assert (nearest_to(X, X, 4, 1) == np.arange(12)[:, None] // 4 * 4 + np.arange(4)).all()


# --------------------------------------------------------------------- very many rows


@pytest.fixture
def many(monkeypatch):
    """Few rows are searched as very many are."""
    monkeypatch.setattr(neighbors, "EXACT", 0)
    monkeypatch.setattr(neighbors, "BLOCK", 256)


def mixture(n, columns, inner=8, kinds=12, seed=0):
    """Rows of several kinds, each of which varies in few directions."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, kinds, n)
    basis = random.standard_normal((kinds, inner, columns))
    inside = np.einsum("ni,nid->nd", random.standard_normal((n, inner)), basis[kind])
    return (3 * random.standard_normal((kinds, columns))[kind] + inside).astype(np.float32)


def recall(found, X):
    true = NearestNeighbors(n_neighbors=found.shape[1]).fit(X).kneighbors(return_distance=False)
    return np.mean([len(np.intersect1d(a, b)) for a, b in zip(found, true, strict=True)]) / found.shape[1]


@pytest.mark.parametrize(("n", "columns"), [(3000, 40), (5003, 7)])
def test_nearly_all_are_found(many, n, columns):
    X = mixture(n, columns)
    seen = []
    found = nearest(X, 15, 2, seen.append)
    assert recall(found, X) >= 0.98
    assert seen == sorted(seen) and seen[-1] == 1
    distances = np.linalg.norm(X[found].astype(np.float64) - X[:, None], axis=2)
    assert (np.diff(distances) > -1e-4).all()
    ordered = np.sort(np.column_stack([found, np.arange(n)]), axis=1)
    assert (np.diff(ordered) > 0).all(), "a row twice, or a row that is its own neighbour"
    assert_same_bits(nearest(X, 15, 1), found)


def test_groups_that_lie_far_apart(many):
    """Products of rows as they are would lose what is between rows of a group."""
    X = mixture(2000, 12, kinds=1)
    X[1::2] += 10_000
    assert recall(nearest(X, 10, 2), X) > 0.97


def test_copies_are_neighbours(many):
    X = np.repeat(rows(300, 6), 8, axis=0)
    found = nearest(X, 7, 2)
    assert (found // 8 == np.arange(len(X))[:, None] // 8).mean() > 0.99
    # As many copies as there are in a group and more: some are told of each, none twice.
    found = nearest(np.repeat(rows(3, 4), 500, axis=0), 5, 2)
    assert (found // 500 == np.arange(1500)[:, None] // 500).all()
    assert (np.diff(np.sort(found, axis=1)) > 0).all()


def test_so_many_neighbours_are_the_true_ones(many):
    X = mixture(600, 5)
    assert recall(nearest(X, 60, 2), X) > 0.9999


class Thread:
    """One of several processes, as a thread of this one."""

    def __init__(self, rank, all):
        self.rank, self.all = rank, all

    def part(self, total):
        size = len(self.all.parts)
        return slice(total * self.rank // size, total * (self.rank + 1) // size)

    def gather(self, own):
        self.all.parts[self.rank] = own
        self.all.barrier.wait()
        result = np.concatenate(self.all.parts)
        self.all.barrier.wait()
        return result


@pytest.mark.parametrize("exact", [True, False])
def test_processes_find_together_what_one_finds(exact, monkeypatch):
    monkeypatch.setattr(neighbors, "EXACT", 1 << 16 if exact else 0)
    X = mixture(2501, 9)

    class Together:
        parts, barrier = [None] * 3, threading.Barrier(3)

    found = [None] * 3

    def search(rank):
        found[rank] = nearest(X, 6, 1, ranks=Thread(rank, Together))

    threads = [threading.Thread(target=search, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in found:
        assert_same_bits(own, nearest(X, 6, 1))


# --------------------------------------------------------------------- its parts


def halved(X, tree=0, runs=8):
    order = np.arange(len(X), dtype=np.int32)
    for k in (1, 2, 4, 8, 16, 32, 64):
        if k < runs:
            _core.halve(X, order, runs=k, tree=tree, threads=2)
    return order


def test_halves_are_of_one_size_and_near():
    X = mixture(1003, 10)
    order = halved(X)
    assert (np.sort(order) == np.arange(1003)).all()
    assert_same_bits(halved(X), order)
    assert (halved(X, tree=1) != order).mean() > 0.5
    runs = [order[i * 1003 // 8 : (i + 1) * 1003 // 8] for i in range(8)]
    within = np.mean([X[run].var(axis=0).sum() for run in runs])
    assert within < 0.7 * X.var(axis=0).sum()


def refined(X, order, table, reverse, groups, blocks):
    """Row by row: the nearest of the candidates of the row's group."""
    n, k = table.shape
    links = [set(line[(line >= 0) & (line < n)]) for line in table]
    if reverse is not None:
        for i, line in enumerate(reverse):
            links[i] |= set(line[line >= 0])
    result = np.full_like(table, -1)
    for g in range(groups):
        group = order[g * n // groups : (g + 1) * n // groups]
        near = set(group)
        if blocks:
            b = g * blocks // groups
            near |= set(order[b * n // blocks : (b + 1) * n // blocks])
        for i in group:
            near |= links[i]
        if reverse is not None:
            near = near.union(*(links[i] for i in near))
        for i in group:
            others = np.array(sorted(near - {i}), np.intp)
            far = ((X[others].astype(np.float64) - X[i]) ** 2).sum(axis=1)
            best = others[np.lexsort((others, far))[:k]]
            result[i, : len(best)] = best
    return result


@pytest.mark.parametrize(
    ("n", "groups", "blocks", "known", "both"),
    [(64, 1, 0, 4, False), (500, 16, 4, 0, False), (500, 16, 0, 3, True), (130, 64, 2, 4, True)],
)
def test_refined_tables_are_those_of_loops(n, groups, blocks, known, both):
    # Whole numbers: distances are exact, and many rows are equally far.
    X = np.random.default_rng(2).integers(-4, 5, (n, 20)).astype(np.float32)
    order = halved(X, runs=min(groups, 64))
    table = np.full((n, 4), -1, np.int32)
    table[:, :known] = np.random.default_rng(3).integers(0, n, (n, known))
    table[5, :known] = 2**31 - 1
    reverse = None
    if both:
        reverse = np.empty((n, 3), np.int32)
        _core.reverse_neighbors(table, reverse)
    wanted = refined(X, order, table, reverse, groups, blocks)
    found = np.empty_like(table)
    half = groups // 2
    for first, count in ((0, half), (half, groups - half)):
        if count:
            _core.refine_neighbors(
                X,
                order,
                table,
                found,
                reverse=reverse,
                groups=groups,
                blocks=blocks,
                first=first,
                count=count,
                threads=2,
            )
    far = ((X[found].astype(np.float64) - X[:, None]) ** 2).sum(axis=2)
    true = ((X[wanted].astype(np.float64) - X[:, None]) ** 2).sum(axis=2)
    assert ((found >= 0) == (wanted >= 0)).all()
    # The mean of a group rounds: those that are equally far may change places.
    np.testing.assert_allclose(far[found >= 0], true[wanted >= 0], rtol=1e-5, atol=1e-4)


def test_reverse_neighbours_are_those_of_loops():
    n = 200
    table = np.random.default_rng(0).integers(-1, n, (n, 5)).astype(np.int32)
    found = np.empty((n, 4), np.int32)
    _core.reverse_neighbors(table, found)
    for i in range(n):
        wanted = [row for rank in range(5) for row in np.flatnonzero(table[:, rank] == i)][:4]
        assert list(found[i]) == wanted + [-1] * (4 - len(wanted))


def parts(n=100):
    table = np.zeros((n, 3), np.int32)
    given = {
        "rows": rows(n, 4),
        "order": np.arange(n, dtype=np.int32),
        "table": table,
        "target": table.copy(),
    }
    return given | {"groups": 4, "blocks": 0, "first": 0, "count": 4, "threads": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": rows(99, 4)}, "rows, order, table, target, reverse: want shapes"),
        ({"rows": rows(100, 4).astype(np.float64)}, "rows: got values of format 'd'"),
        ({"target": np.zeros((100, 2), np.int32)}, "rows, order, table, target, reverse: want shapes"),
        ({"reverse": np.zeros((9, 2), np.int32)}, "rows, order, table, target, reverse: want shapes"),
        ({"order": np.full(100, 100, np.int32)}, "graph.order: got 100, want 0 to 99"),
        ({"order": np.full(100, -1, np.int32)}, "graph.order: got -1, want 0 to 99"),
        ({"groups": 1}, "graph.groups: got 1, want 2 to 100"),
        ({"groups": 101}, "graph.groups: got 101, want 2 to 100"),
        ({"blocks": 3}, "graph.groups: got 4, want a multiple of 3 blocks"),
        ({"blocks": 8}, "graph.blocks: got 8, want 0 to 4"),
        ({"first": 4}, "first: got 4, want 0 to 3"),
        ({"first": 1}, "count: got 4, want 1 to 3"),
        ({"count": 0}, "count: got 0, want 1 to 4"),
    ],
)
def test_what_cannot_be_refined(changes, message):
    with pytest.raises(ValueError, match=message):
        _core.refine_neighbors(**parts() | changes)


def test_a_table_that_others_read_is_no_target():
    given = parts()
    with pytest.raises(ValueError, match=r"target: is graph\.table"):
        _core.refine_neighbors(**given | {"target": given["table"], "reverse": given["table"].copy()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": np.zeros(9, np.int32)}, "rows, order: want shapes"),
        ({"order": np.full(10, 10, np.int32)}, "order: got 10, want 0 to 9"),
        ({"runs": 0}, "runs: got 0, want 1 to 10"),
        ({"runs": 11}, "runs: got 11, want 1 to 10"),
        ({"tree": -1}, "tree: got -1"),
    ],
)
def test_what_cannot_be_halved(changes, message):
    given = {"rows": rows(10, 4), "order": np.arange(10, dtype=np.int32), "runs": 1, "tree": 0, "threads": 1}
    with pytest.raises(ValueError, match=message):
        _core.halve(**given | changes)


def test_what_cannot_be_turned_round():
    with pytest.raises(ValueError, match="table, reverse: want shapes"):
        _core.reverse_neighbors(np.zeros((3, 2), np.int32), np.zeros((4, 2), np.int32))


# --------------------------------------------------------------------- the extension


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": rows(3, 5)}, "queries: want as many columns"),
        ({"rows": rows(3, 5).ravel()}, "rows: got 1 dimensions, want 2"),
        ({"indices": np.zeros((4, 2), np.int32)}, "indices: want shape"),
        ({"indices": np.zeros((3, 11), np.int32)}, "neighbors: got 11, want 1 to 10"),
        ({"indices": np.zeros((3, 2), np.int64)}, "indices: got values of format"),
        ({"own_row": 8}, "own_row: got 8, want -1 to 7"),
    ],
)
def test_what_has_no_neighbours(changes, message):
    given = {"rows": rows(10, 4), "queries": rows(3, 4), "indices": np.zeros((3, 2), np.int32)}
    with pytest.raises(ValueError, match=message):
        _core.nearest(**given | {"threads": 1} | changes)

"""Points that move, against loops of numpy."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from tsimcne_swift import _core
from tsimcne_swift._plane.moving import move
from tsimcne_swift._plane.neighbors import graph_neighbors, nearest


def rows(n, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((n, columns)).astype(np.float32)


def silent(part):
    assert 0 < part <= 1


# --------------------------------------------------------------------- points


def naive(neighbors, start, phases, rate):
    """Points that move, pair by pair in double precision."""
    n, k = neighbors.shape
    P = np.zeros((n, n))
    for i in range(n):
        for j in neighbors[i]:
            P[i, j] += 0.5 / k
            P[j, i] += 0.5 / k
    y, velocity, gain = start.astype(np.float64), np.zeros((n, 2)), np.ones((n, 2))
    for steps, exaggeration, momentum in phases:
        for _ in range(steps):
            difference = y[:, None] - y
            w = 1 / (1 + (difference**2).sum(axis=2))
            np.fill_diagonal(w, 0)
            weights = 2 * n * w**2 / w.sum() - 2 * exaggeration * P * w
            force = (weights[:, :, None] * difference).sum(axis=1)
            gain = np.maximum(0.01, np.where(force * velocity > 0, gain + 0.2, gain * 0.8))
            velocity = momentum * velocity + rate * gain * force
            y = y + velocity
    return y


@pytest.mark.parametrize("n", [2, 5, 32])
def test_moves_are_those_of_loops(n, monkeypatch):
    phases = ((5, 4.0, 0.5), (10, 1.0, 0.8))
    monkeypatch.setattr("tsimcne_swift.recipes.POINTS", phases)
    neighbors = nearest(rows(n, 3), graph_neighbors(n), 1, silent)
    start = rows(n, 2, 1)
    ours = move(neighbors, start, 1, silent)
    centred = start - start.mean(axis=0, dtype=np.float64)
    wanted = naive(neighbors, centred * 5 / np.sqrt((centred**2).mean()), phases, 0.3)
    np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=1e-3)


def test_groups_become_islands():
    random = np.random.default_rng(5)
    labels = np.arange(600) % 6
    X = (10 * random.standard_normal((6, 20))[labels] + random.standard_normal((600, 20))).astype(np.float32)
    Y = move(nearest(X, 15, 2, silent), rows(600, 2), 2, silent)
    near = NearestNeighbors(n_neighbors=15).fit(Y).kneighbors(return_distance=False)
    assert (labels[near] == labels[:, None]).mean() > 0.99


def test_a_start_of_one_place_stays_finite():
    neighbors = nearest(rows(50, 3), 5, 1, silent)
    assert np.isfinite(move(neighbors, np.ones((50, 2), np.float32), 1, silent)).all()


@pytest.mark.parametrize("direction", [(1, 0), (0, 1), (0.6, -0.8)])
def test_points_leave_a_line(direction):
    along = rows(200, 1, 3)
    start = (along * np.float32(direction) + np.float32(4)).astype(np.float32)
    neighbors = nearest(rows(200, 6), 10, 1, silent)
    Y = move(neighbors, start, 1, silent)
    wide, narrow = np.linalg.svd(Y - Y.mean(axis=0))[1]
    assert narrow > 0.3 * wide


def test_points_that_are_shared_move_as_those_of_one(monkeypatch):
    monkeypatch.setattr("tsimcne_swift.recipes.POINTS", ((5, 4.0, 0.5), (10, 1.0, 0.8)))
    neighbors, start = nearest(rows(1500, 3), 8, 1, silent), rows(1500, 2, 1)

    class Two:
        """One rank of two, which does the other one's part too."""

        rank, size = 0, 2

        def add(self, values):
            other = np.empty_like(values)
            _core.repel_points(self.points(), other, part=1, parts=2, threads=1)
            assert not (values[:1500].astype(bool) & other[:1500].astype(bool)).any()
            values += other

    seen = []
    whole = _core.repel_points

    def watched(points, *values, **options):
        seen.append(points)
        whole(points, *values, **options)

    monkeypatch.setattr(_core, "repel_points", watched)
    Two.points = lambda self: seen[-1]
    shared = move(neighbors, start, 1, silent, ranks=Two())
    assert shared.tobytes() == move(neighbors, start, 1, silent).tobytes()


# --------------------------------------------------------------------- the extension


def arguments(n=6):
    offsets = np.arange(n + 1, dtype=np.int64)
    neighbors = (np.arange(n, dtype=np.int32) + 1) % n
    points = [rows(n, 2), np.zeros((n, 2), np.float32), np.ones((n, 2), np.float32)]
    return [*points, offsets, neighbors, np.ones(n, np.float32)]


@pytest.mark.parametrize(
    ("index", "value", "message"),
    [
        (0, np.zeros(12, np.float32), "positions: want shape"),
        (0, np.zeros((6, 2)), "positions: got values of format 'd'"),
        (0, np.full((6, 2), np.nan, np.float32), "points.positions: got values that are not finite"),
        (1, np.zeros((5, 2), np.float32), "velocities, gains: want the shape"),
        (3, np.arange(6, dtype=np.int64), "offsets, neighbors, weights: want one offset more"),
        (3, np.array([0, 2, 1, 3, 4, 5, 6]), "points.offsets: want 0 first, and none below"),
        (3, np.array([1, 1, 2, 3, 4, 5, 6]), "points.offsets: want 0 first"),
        (4, np.full(6, 6, np.int32), "points.neighbors: got 6, want 0 to 5"),
        (4, np.full(6, -1, np.int32), "points.neighbors: got -1, want 0 to 5"),
        (5, np.full(6, np.nan, np.float32), "points.weights: got nan"),
        (5, np.ones(7, np.float32), "offsets, neighbors, weights: "),
    ],
)
def test_what_cannot_move(index, value, message):
    given = arguments()
    given[index] = value
    with pytest.raises(ValueError, match=message):
        _core.move_points(*given, steps=1, rate=0.1, momentum=0.5, threads=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: got 0"),
        ({"rate": np.nan}, "rate: got nan"),
        ({"momentum": 2}, "momentum: got 2"),
        ({"exaggeration": -1}, "exaggeration: got -1"),
        ({"threads": -1}, "threads: got -1"),
    ],
)
def test_how_nothing_can_move(options, message):
    with pytest.raises(ValueError, match=message):
        _core.move_points(*arguments(), **{"steps": 1, "rate": 0.1, "momentum": 0.5, "threads": 1} | options)


@pytest.mark.parametrize(
    ("positions", "repulsion", "options", "message"),
    [
        (rows(6, 3), np.zeros(18, np.float32), {}, "positions, repulsion: want shape"),
        (rows(6, 2), np.zeros(17, np.float32), {}, "positions, repulsion: want shape"),
        (rows(1, 2), np.zeros(3, np.float32), {}, "count: got 1"),
        (np.full((6, 2), np.inf, np.float32), np.zeros(18, np.float32), {}, "positions: got values that are"),
        (rows(6, 2), np.zeros(18, np.float32), {"part": 2}, "part: got 2, want 0 to 1"),
        (rows(6, 2), np.zeros(18, np.float32), {"parts": 0}, "parts: got 0"),
        (rows(6, 2), np.zeros(18, np.float32), {"threads": -1}, "threads: got -1"),
    ],
)
def test_what_has_no_repulsion(positions, repulsion, options, message):
    with pytest.raises(ValueError, match=message):
        _core.repel_points(positions, repulsion, **{"part": 0, "parts": 2, "threads": 1} | options)


@pytest.mark.parametrize(
    ("repulsion", "steps", "message"),
    [
        (np.zeros(17, np.float32), 1, "repulsion: want three values for each point"),
        (np.full(18, np.nan, np.float32), 1, "points.repulsion: got values that are not finite"),
        (np.ones(18, np.float32), 2, "steps, with a repulsion that is given: got 2"),
    ],
)
def test_repulsions_that_move_nothing(repulsion, steps, message):
    with pytest.raises(ValueError, match=message):
        _core.move_points(*arguments(), steps=steps, rate=0.1, momentum=0.5, threads=1, repulsion=repulsion)

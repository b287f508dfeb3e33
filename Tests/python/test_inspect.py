"""What a map shows first, where it was planted."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import LocalOutlierFactor
from tsimcne_swift import datasets, inspect


@pytest.fixture(scope="module")
def digits():
    values, labels = load_digits(return_X_y=True)
    return (values.reshape(-1, 8, 8) * 15.9).astype(np.uint8), labels


def features(X):
    return X.reshape(len(X), -1).astype(np.float64)


def test_exact_copies(digits):
    X = digits[0][:500].copy()
    X[100], X[200], X[300] = X[10], X[10], X[20]
    found = inspect.duplicates(X, threshold=0)
    assert [group.tolist() for group in found.groups] == [[10, 100, 200], [20, 300]]
    assert found.distances.tolist() == [0, 0]


def test_near_copies(digits):
    X = digits[0][:500].copy()
    noise = np.random.default_rng(0).integers(-3, 4, (10, 8, 8))
    X[400:410] = np.clip(X[:10].astype(int) + noise, 0, 255)
    found = inspect.duplicates(X, threshold=4)
    assert sorted(group.tolist() for group in found.groups) == [[i, 400 + i] for i in range(10)]
    assert (np.diff(found.distances) >= 0).all() and (found.distances > 0).all()


def test_exact_copies_have_no_distance_whatever_else_finds_them(digits):
    X = digits[0][:300].copy()
    X[[100, 200]] = X[10]
    found = inspect.duplicates(X, features(X), threshold=1)
    assert found.groups[0].tolist() == [10, 100, 200] and found.distances[0] == 0


def test_shifted_copies():
    clothes = datasets.load_fashion_mnist("test").images[:500, :, :, 0].copy()
    clothes[400:410] = np.roll(clothes[:10], (1, -1), axis=(1, 2))
    groups = [group.tolist() for group in inspect.duplicates(clothes).groups]
    assert all([i, 400 + i] in groups for i in range(10))


def test_turned_copies_where_the_map_has_them():
    random = np.random.default_rng(0)
    X = random.integers(0, 256, (300, 24, 24), dtype=np.uint8)
    Y = random.standard_normal((300, 2))
    for i, turn in enumerate((1, 2, 3)):
        X[200 + i], Y[200 + i] = np.rot90(X[i], turn), Y[i]
    X[203], Y[203] = X[3, :, ::-1], Y[3]
    found = inspect.duplicates(X, Y)
    assert sorted(group.tolist() for group in found.groups) == [[i, 200 + i] for i in range(4)]
    assert found.kinds == ["mirrored"] * 4
    assert inspect.duplicates(X).groups == []


def test_all_pairs_within_the_threshold(digits):
    """No two groups could be one, as a comparison of all images with all says."""
    X = digits[0][:400]
    rows = X.reshape(400, -1).astype(float)
    is_near = np.sqrt(((rows[:, None] - rows) ** 2).mean(axis=2)) <= 28
    groups = inspect.duplicates(X, threshold=28, k=399).groups
    assert len(groups) > 5
    alone = np.setdiff1d(np.arange(400), np.concatenate(groups))
    units = [*groups, *alone[:, None]]
    for i, ours in enumerate(units):
        assert not any(is_near[np.ix_(ours, theirs)].all() for theirs in units[:i])


@pytest.mark.parametrize("shape", [(0, 8, 8), (1, 8, 8), (2, 1, 1), (3, 2, 9), (20, 8, 8, 5)])
def test_few_and_small_images(shape):
    groups = inspect.duplicates(np.zeros(shape, np.uint8), np.zeros((shape[0], 2))).groups
    assert [len(group) for group in groups] == ([shape[0]] if shape[0] > 1 else [])


def test_no_copies(digits):
    found = inspect.duplicates(digits[0][:200], digits[0][:200].reshape(200, -1)[:, :2], threshold=0)
    assert found.groups == [] and len(found.distances) == 0


def test_outliers_come_first():
    random = np.random.default_rng(0)
    F = np.arange(10) + random.standard_normal((300, 10))
    F[[5, 50]] = 10 * random.standard_normal((2, 10))

    class Model:
        def features(self, X):
            return X

    order = inspect.outliers(Model(), F)
    assert set(order[:2]) == {5, 50} and sorted(order) == list(range(300))


def test_outliers_are_those_of_scikit_learn(digits):
    X, _ = digits
    F = features(X)

    class Model:
        def features(self, X):
            return X

    scorer = LocalOutlierFactor(n_neighbors=10, metric="cosine").fit(F.astype(np.float64))
    wanted = np.argsort(scorer.negative_outlier_factor_)
    found = inspect.outliers(Model(), F, k=10)
    assert (found[:50] == wanted[:50]).mean() > 0.9
    assert len(np.intersect1d(found[:200], wanted[:200])) > 195


def test_swapped_labels(digits):
    X, labels = digits
    swapped = labels.copy()
    planted = np.arange(0, 1000, 50)
    swapped[planted] = (labels[planted] + 5) % 10
    found = inspect.mislabelled(features(X), swapped)
    assert len(np.intersect1d(found[: len(planted)], planted)) >= 0.85 * len(planted)
    names = np.array([f"class {i}" for i in range(10)])[swapped]
    np.testing.assert_array_equal(inspect.mislabelled(features(X), names), found)


def test_islands():
    labels = np.repeat([0, 1, 2], [300, 200, 100])
    Y = 10 * np.stack([np.cos(labels * 2), np.sin(labels * 2)], axis=1)
    Y += np.random.default_rng(0).standard_normal(Y.shape) * 0.5
    found = inspect.clusters(Y, min_size=20)
    assert [np.bincount(found[labels == k] + 1).argmax() - 1 for k in range(3)] == [0, 1, 2]
    assert found.min() >= -1 and found.dtype == np.int64


def test_rare_confusions_come_first():
    """Two kinds are mixed and one is apart: in it a label of the others is a mistake."""
    random = np.random.default_rng(0)
    Z = np.concatenate([random.standard_normal((200, 2)), 20 + random.standard_normal((100, 2))])
    labels = np.concatenate([random.integers(0, 2, 200), np.full(100, 2)])
    labels[[250, 270]] = 0, 1
    assert set(inspect.mislabelled(Z, labels)[:2]) == {250, 270}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: inspect.duplicates(np.zeros((5, 8))), "X: got float64 of shape"),
        (lambda: inspect.duplicates(np.zeros((5, 8, 8), np.uint8), np.zeros((4, 2))), "Y: got 4 rows"),
        (lambda: inspect.duplicates(np.zeros((5, 8, 8), np.uint8), threshold=-1), "threshold: got -1"),
        (
            lambda: inspect.duplicates(np.zeros((5, 8, 8), np.uint8), also="blurred"),
            "also: got 'blurred', want",
        ),
        (lambda: inspect.mislabelled(np.zeros((5, 2)), [1, 2]), r"labels: got shape \(2,\)"),
        (lambda: inspect.clusters(np.zeros((5, 2)), min_size=1), "min_size: got 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()

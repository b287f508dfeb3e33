"""Measures of maps, beside naive computations."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from tsimcne_swift import evaluate, stability


def blobs(n=240, classes=3, spread=1.0):
    labels = np.arange(n) % classes
    centres = 10 * np.stack([np.cos(labels * 2), np.sin(labels * 2)], axis=1)
    return centres + spread * np.random.default_rng(0).standard_normal((n, 2)), labels


def test_separate_classes_are_perfect():
    Y, labels = blobs()
    found = evaluate(Y, labels)
    assert found["knn_accuracy"] == found["kmeans_ari"] == 1
    assert found["silhouette"] > 0.7


def test_leave_one_out_by_hand():
    Y, labels = blobs(spread=8)
    distances = np.linalg.norm(Y[:, None] - Y[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = labels[np.argsort(distances, axis=1)[:, :15]]
    guesses = [np.bincount(row, minlength=3).argmax() for row in nearest]
    assert evaluate(Y, labels)["knn_accuracy"] == pytest.approx(np.mean(guesses == labels))


@pytest.mark.parametrize("as_mask", [True, False])
def test_of_test_images(as_mask):
    Y, labels = blobs(spread=8)
    test = np.arange(200, 240)
    reference = KNeighborsClassifier(15).fit(Y[:200], labels[:200]).score(Y[200:], labels[200:])
    given = np.isin(np.arange(240), test) if as_mask else test
    assert evaluate(Y, labels, test=given)["knn_accuracy"] == pytest.approx(reference)


def test_unlabelled_images_are_left_out():
    Y, labels = blobs()
    labels[::7] = -1
    assert evaluate(Y, labels)["knn_accuracy"] == 1


def test_names_as_labels():
    Y, labels = blobs()
    names = np.array(["a", "b", "c"], dtype=object)[labels]
    assert evaluate(Y, names) == evaluate(Y, labels)


def test_features():
    Y, _ = blobs()
    directions = np.concatenate([Y, np.full((len(Y), 1), 40.0)], axis=1)
    found = evaluate(Y, features=directions)
    assert found["trustworthiness"] > 0.98 and found["neighborhood_recall"] > 0.8
    shuffled = evaluate(np.random.default_rng(1).permutation(Y), features=directions)
    assert shuffled["trustworthiness"] < 0.7 and shuffled["neighborhood_recall"] < 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "labels: got None, and so are features"),
        ({"labels": [1, 2]}, r"labels: got shape \(2,\)"),
        ({"features": np.zeros((3, 2))}, "features: got 3 rows, want one for each of 240"),
        ({"labels": np.zeros(240, int), "k": 0}, "k: got 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(blobs()[0], **arguments)


class Fixed:
    def __init__(self, Y):
        self.Y = Y

    def transform(self, X):
        return self.Y


def test_stability():
    Y, _ = blobs()
    turned = Y @ np.array([[0, 1], [-1, 0]])
    np.testing.assert_array_equal(stability([Fixed(Y), Fixed(turned)], None), 1)
    shuffled = np.random.default_rng(1).permutation(Y)
    assert stability([Fixed(Y), Fixed(shuffled)], None).mean() < 0.15
    with pytest.raises(ValueError, match="models: got 1"):
        stability([Fixed(Y)], None)


def test_what_has_no_meaning_is_left_out():
    Y, labels = blobs(10)
    assert set(evaluate(Y, labels)) == {"knn_accuracy", "silhouette", "kmeans_ari"}
    assert evaluate(Y, labels * 0) == {"knn_accuracy": 1.0}
    assert set(evaluate(Y, np.arange(10))) == {"knn_accuracy"}
    with pytest.raises(ValueError, match="labels: got 1 images with a label"):
        evaluate(Y, np.where(np.arange(10) == 3, 1, -1))
    assert evaluate(Y[:2], features=Y[:2]) == {}
    # All others are neighbours, where there are fewer than k.
    assert evaluate(Y, labels, k=15) == evaluate(Y, labels, k=9)

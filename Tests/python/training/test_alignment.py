"""New maps that lie like older ones."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from sklearn.base import clone
from tsimcne_swift._training.alignment import procrustes

X = images(60)


def residual(Y, goal):
    return float(np.square(Y - goal).sum())


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 40))
def test_procrustes_is_scipys(seed, components, n):
    random = np.random.default_rng(seed)
    A, B = random.standard_normal((2, n, components)) * random.uniform(0.1, 9)
    B += random.standard_normal(components)
    matrix, shift = procrustes(A, B)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(components), atol=1e-9)
    theirs, _ = orthogonal_procrustes(A - A.mean(axis=0), B - B.mean(axis=0))
    best = (A - A.mean(axis=0)) @ theirs + B.mean(axis=0)
    assert residual(A @ matrix + shift, B) == pytest.approx(residual(best, B), rel=1e-6, abs=1e-9)


def test_lies_like_an_older_map_and_is_the_same_map(tmp_path):
    def head(**options):
        return small(plane="parametric", **options).fit(X)

    old, alone = head(random_state=1), head(random_state=2)
    turned = head(random_state=2, align_to=old)
    matrix, shift = procrustes(alone.embedding_.astype(float), old.embedding_.astype(float))
    np.testing.assert_allclose(turned.embedding_, alone.embedding_ @ matrix + shift, rtol=1e-3, atol=1e-4)
    assert residual(turned.embedding_, old.embedding_) < residual(alone.embedding_, old.embedding_)
    assert_same_bits(turned.transform(X), turned.embedding_)
    old.save(tmp_path / "old.safetensors")
    for same in (tmp_path / "old.safetensors", old.embedding_.astype(float)):
        again = head(random_state=2, align_to=same)
        np.testing.assert_allclose(again.embedding_, turned.embedding_, rtol=1e-4, atol=1e-5)
    assert clone(turned).align_to is old


def test_places_of_some_images():
    goal = np.full((60, 2), np.nan)
    goal[:20] = small(random_state=1).fit(X).embedding_[:20]
    turned = small(random_state=2, align_to=goal).fit(X)
    alone = small(random_state=2).fit(X)
    assert residual(turned.embedding_[:20], goal[:20]) < residual(alone.embedding_[:20], goal[:20])


def test_vectors():
    Z = vectors(40)
    old = mapper(random_state=1).fit(Z)
    turned = mapper(random_state=2, align_to=old).fit(Z)
    alone = mapper(random_state=2).fit(Z)
    assert residual(turned.embedding_, old.embedding_) < residual(alone.embedding_, old.embedding_)


def test_cosine_maps_are_not_shifted():
    old = small(metric="cosine", random_state=1).fit(X)
    turned, alone = (small(metric="cosine", random_state=2, align_to=a).fit(X) for a in (old, None))
    lengths = [np.linalg.norm(m.embedding_, axis=1) for m in (turned, alone)]
    np.testing.assert_allclose(*lengths, rtol=1e-4)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros((59, 2)), ValueError, r"align_to: got shape \(59, 2\), want \(60, 2\)"),
        (np.full((60, 2), np.nan), ValueError, "align_to: got places of 0 images"),
        (np.full((60, 2), np.inf), ValueError, "align_to: got infinity"),
        (
            "nowhere.safetensors",
            FileNotFoundError,
            "align_to: got 'nowhere.safetensors', but there is no such file",
        ),
        (object(), TypeError, "align_to: got"),
        (small(), Exception, "align_to: this TSimCNE is not fitted"),
    ],
)
def test_wrong(value, error, message):
    with pytest.raises(error, match=message):
        small(align_to=value).fit(X)


def test_another_dimension_or_size():
    with pytest.raises(ValueError, match="align_to: its map has 3 dimensions, want 2"):
        small(align_to=small(n_components=3).fit(X)).fit(X)
    with pytest.raises(ValueError, match="align_to: maps images of"):
        small(align_to=small().fit(images(60, (9, 9)))).fit(X)

"""What images are compared by."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from hypothesis import given
from hypothesis import strategies as st
from tsimcne_swift import _core, recipes
from tsimcne_swift._algebra.evened import Evened
from tsimcne_swift._inputs.images import Images
from tsimcne_swift._inputs.pieces import count, pieces
from tsimcne_swift._networks.backbones import NAMES
from tsimcne_swift._networks.layers import check_layers
from tsimcne_swift._networks.network import Architecture, Network
from tsimcne_swift._plane.comparison import LEVELS, Comparison


def evened_by_numpy(rows, wanted, power):
    """Principal components divided by a power of their deviations, of unit length."""
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    order = np.argsort(variances)[::-1][:wanted]
    found = centred @ vectors[:, order] / variances[order] ** (power / 2)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize(("columns", "wanted"), [(30, 8), (6, 6)])
def test_evened_rows_are_those_of_numpy(columns, wanted):
    random = np.random.default_rng(0)
    rows = (random.standard_normal((900, columns)) * 0.7 ** np.arange(columns) + 3).astype(np.float32)
    evened = Evened.of(rows, wanted, 0.8, 1)
    found, wished = evened(rows, 1), evened_by_numpy(rows, wanted, 0.8)
    # Directions have no sign; components of one byte are off by a few hundredths.
    np.testing.assert_allclose(found @ found[:50].T, wished @ wished[:50].T, atol=0.06)
    assert_same_bits(evened(rows[7:9], 2), found[7:9])


def test_evened_rows_of_one_place():
    rows = np.full((30, 5), 2, np.float32)
    assert np.isfinite(Evened.of(rows, 4, 0.8, 1)(rows, 1)).all()


@given(st.integers(0, 30), st.integers(1, 9), st.integers(-35, 35), st.integers(-35, 35))
def test_pieces_are_the_rows(n, size, first, last):
    everything = np.arange(n)
    for rows in (None, slice(first, last), slice(first, None), everything[first:last][::-1]):
        wanted = everything if rows is None else everything[rows]
        found = np.full(count(n, rows), -1)
        for here, part in pieces(n, rows, size):
            assert 0 < here.stop - here.start <= size
            found[here] = everything[part]
        np.testing.assert_array_equal(found, wanted)


LAYERS = check_layers(
    "backbone", [("conv", {"channels": 5}), ("relu", {}), ("maxpool", {}), ("conv", {"channels": 6})]
)


@pytest.mark.parametrize("backbone", [*NAMES, LAYERS, LAYERS[:1], "identity"])
def test_the_core_has_as_many_values(backbone):
    network = Network(Architecture(backbone, 4, "mlp", (8,), 3), 2, None)
    size = (1, 1) if backbone == "identity" else (9, 12)
    X = np.random.default_rng(0).random((3, *size, 3), np.float32)
    levels = np.empty((3, network.architecture.levels), np.float32)
    network.core.transform(X, levels, kind=_core.OUTPUT_LEVELS, threads=1)
    assert np.isfinite(levels).all()
    features = np.empty((3, network.architecture.features), np.float32)
    network.core.transform(X, features, kind=_core.OUTPUT_FEATURES, threads=1)
    assert_same_bits(levels[:, network.architecture.parts :], features)
    with pytest.raises(ValueError, match="output_count"):
        network.core.transform(X, levels[:, :-1].copy(), kind=_core.OUTPUT_LEVELS, threads=1)


@pytest.fixture(scope="module")
def fitted():
    return small(patch_words=40).fit(images(100))


def test_rows_are_levels_beside_words(fitted):
    X = images(100)
    comparison, network = fitted._places.comparison, fitted._network
    levels = network.map(Images(X), 1, _core.OUTPUT_LEVELS)
    seen = np.split(levels, [network.architecture.parts], axis=1)
    wanted = [
        np.float32(LEVELS[name].weight) * comparison.levels[name](np.ascontiguousarray(values), 1)
        for name, values in zip(("parts", "last"), seen, strict=True)
    ]
    wanted.append(np.float32(recipes.PATCHES_WEIGHT) * comparison.words.describe(Images(X), 1))
    rows = comparison.rows(network, Images(X), 1)
    np.testing.assert_array_equal(rows, np.hstack(wanted))
    assert rows.shape[1] == comparison.columns(network)
    for some in (slice(3, 9), np.array([8, 2, 2])):
        assert_same_bits(comparison.rows(network, Images(X), 2, some), rows[some])


def test_a_network_that_sees_nothing_finite_has_none():
    X = images(40)
    model = small(plane="parametric").fit(X)
    network = model._network
    network.core.set_array(
        _core.ARRAY_PARAMETER, "backbone.conv1.weight", np.full((3, 3, 1, 4), 1e30, np.float32)
    )
    assert Comparison.of(network, Images(X), None, 1) is None

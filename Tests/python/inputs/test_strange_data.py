"""Images that say little: a finite map. Rates that are too high: a clear error."""

import numpy as np
import pytest
from helpers import images, small

STRANGE = {
    "black": np.zeros((20, 12, 12), np.uint8),
    "white": np.ones((20, 12, 12, 3), np.float32),
    "all identical": np.repeat(images(1, (12, 12)), 20, axis=0),
    "two images": images(2, (12, 12, 3)),
    "two identical images": np.repeat(images(1, (8, 8)), 2, axis=0),
    "eight pixels wide": images(20, (40, 8, 3)),
    "five channels": images(20, (12, 12, 5)),
    "one pixel lit": np.pad(np.full((20, 1, 1), 255, np.uint8), ((0, 0), (5, 5), (5, 5))),
    "two kinds only": np.repeat(images(2, (12, 12)), 10, axis=0),
}


@pytest.mark.parametrize("normalize", [None, "dataset"])
@pytest.mark.parametrize("X", STRANGE.values(), ids=STRANGE)
def test_a_finite_map(X, normalize):
    Y = small(normalize=normalize).fit_transform(X)
    assert Y.shape == (len(X), 2) and np.isfinite(Y).all()


@pytest.mark.parametrize("X", STRANGE.values(), ids=STRANGE)
def test_the_default_recipe(X):
    model = small(total_epochs="fast", max_time=0.5)
    assert np.isfinite(model.fit_transform(X)).all()


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adamw", "lars", "muon"])
@pytest.mark.parametrize("lr", [0.0, 1e-30, 1e3])
def test_extreme_rates(optimizer, lr):
    model = small(optimizer=optimizer, lr=lr, total_epochs=[2, 1, 2])
    assert np.isfinite(model.fit_transform(images())).all()


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adamw", "lars", "muon"])
def test_rates_beyond_all(optimizer):
    with pytest.raises(FloatingPointError, match="lr"):
        small(optimizer=optimizer, lr=1e9, total_epochs=[2, 1, 2]).fit(images())

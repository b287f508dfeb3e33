"""A run that diverges says where and why, and leaves the last finite state."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors

WILD = {"lr": 1e9, "clip_value": None, "lr_scheduler": "constant", "warmup": 0}


def diverge(make, X, match=None, **changes):
    model = make(**(WILD | changes))
    with pytest.raises(FloatingPointError, match=match):
        model.fit(X)
    return model


CASES = [(small, images), (mapper, vectors)]


@pytest.mark.parametrize(("make", "data"), CASES)
def test_error_says_where_and_what_to_do(make, data):
    match = r"^training diverged in stage 1, epoch \d+, at lr up to 1e\+09: .*lower lr, set clip_value=4.0 or"
    diverge(make, data(), match)


def test_error_names_the_stage_and_its_rate():
    match = r"in stage 3, epoch \d, at lr up to 1e\+08: "
    model = diverge(mapper, vectors(), match, lr=[0.1, 0.1, 1e8], total_epochs=[2, 1, 9])
    assert {row["stage"] for row in model.history_} >= {1, 2}
    assert model.total_epochs_[:2] == [2, 1]


@pytest.mark.parametrize(("make", "data"), CASES)
@pytest.mark.parametrize("ema_decay", [None, 0.9])
@pytest.mark.parametrize("lr", [1e4, 1e9])
def test_last_finite_state_is_kept(make, data, ema_decay, lr):
    X = data()
    model = diverge(make, X, lr=lr, ema_decay=ema_decay, total_epochs=[100, 1, 1])
    assert np.isfinite([row["loss"] for row in model.history_]).all()
    assert model.total_epochs_[0] < 100 and model.total_epochs_[1:] == [0, 0]
    for name, value in model._network.tensors().items():
        assert np.isfinite(value).all(), name
    assert model.transform(X).shape == (40, 8)
    assert_same_bits(model.transform(X), model.embedding_)
    features = model.features(X)
    if make is mapper:  # Finite weights of many layers may have a product that is not.
        assert np.isfinite(model.embedding_).all() and np.isfinite(features).all()


def test_the_step_that_diverged_is_dropped():
    """What is left is the map of the last step before it."""
    X = vectors()
    maps = []
    model = diverge(
        mapper, X, lr=[0.1, 0.1, 1e9], total_epochs=[3, 1, 50], batch_size=40,
        callbacks=lambda record: maps.append(record.embedding()),
    )  # fmt: skip
    assert len(maps) >= 4 and np.isfinite(maps[3]).all()
    assert len(maps) == len(model.history_) == sum(model.total_epochs_)
    assert_same_bits(model.embedding_, maps[-1])


def test_fit_again_after_divergence():
    X = images()
    model = diverge(small, X)
    model.set_params(**{name: small().get_params()[name] for name in WILD}).fit(X)
    assert_same_bits(model.embedding_, small().fit_transform(X))


def test_clipping_is_not_advised_where_it_is_on():
    model = mapper(**(WILD | {"clip_value": 1e19, "total_epochs": [100, 1, 1]}))
    with pytest.raises(FloatingPointError) as caught:
        model.fit(vectors())
    assert "set clip_value" not in str(caught.value)

"""Optimisers, learning rates and averages, as the history and the weights show them."""

import numpy as np
import pytest
from helpers import assert_same_bits, blobs, images, mapper, small, vectors
from tsimcne_swift import Stage, _core, recipes

OPTIMIZERS = list(_core.OPTIMIZERS)


def rates(lr_scheduler, lr_step, warmup, epochs=6, **changes):
    """Rates of the last steps of the epochs of a stage of two steps each."""
    model = mapper(
        total_epochs=[epochs], lr=0.8, lr_scheduler=lr_scheduler, lr_step=lr_step, warmup=warmup,
        batch_size=20, **changes,
    )  # fmt: skip
    return [row["lr"] for row in model.fit(vectors(40)).history_]


def fall(shape, x):
    cosine = 0.5 * (1 + np.cos(np.pi * x))
    return {"cosine": cosine, "linear": 1 - x, "constant": 0 * x + 1, "onecycle": 4e-6 + (1 - 4e-6) * cosine}[
        shape
    ]


@pytest.mark.parametrize("shape", list(_core.SHAPES))
@pytest.mark.parametrize("lr_step", ["batch", "epoch"])
def test_rates_follow_their_schedule(shape, lr_step):
    ours = rates(shape, lr_step, 0)
    # Rates change before each step, 0 to 11, of which every second ends an epoch; or before each of 6 epochs.
    x = np.arange(1, 12, 2) / 12 if lr_step == "batch" else np.arange(6) / 7
    np.testing.assert_allclose(ours, 0.8 * fall(shape, x), rtol=1e-6)


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_warmup_rises_in_a_line(shape):
    # The warm-up takes two thirds of twelve steps, then the shape begins over what is left.
    ours = rates(shape, "batch", 2 / 3)
    np.testing.assert_allclose(ours[:4], [0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(ours[4:], 0.8 * fall(shape, np.array([1, 3]) / 4), rtol=1e-6)
    # The reference's warm-up begins with a rate of 0.
    ours = rates(shape, "epoch", 3)
    np.testing.assert_allclose(ours[:3], [0, 0.4, 0.8])
    np.testing.assert_allclose(ours[3:], 0.8 * fall(shape, np.arange(3) / 4), rtol=1e-6)


def test_each_stage_may_have_its_own_schedule():
    names = ["constant", "linear", "onecycle"]
    model = mapper(lr_scheduler=names, lr=0.5, warmup="auto", total_epochs=[3, 3, 3], batch_size=20)
    model.fit(vectors(40))
    assert [stage.lr_scheduler for stage in model.stages_] == names
    assert [stage.warmup for stage in model.stages_] == [recipes.WARMUP[name] for name in names]
    first, second, third = np.reshape([row["lr"] for row in model.history_], (3, 3))
    np.testing.assert_allclose(first, 0.5)
    np.testing.assert_allclose(second, 0.5 * (1 - np.array([1, 3, 5]) / 6))
    assert third[-1] < 0.2
    with pytest.raises(ValueError, match=r"^lr_scheduler: got 2 values"):
        mapper(lr_scheduler=names[:2]).fit(vectors())


def test_one_cycle_rises_and_falls():
    ours = rates("onecycle", "batch", 0.5, epochs=20)
    assert np.argmax(ours) in (9, 10) and max(ours) <= 0.8
    assert 0.8 / 25 <= ours[0] < 0.1 and ours[-1] < 0.02


@pytest.mark.parametrize("lr_scheduler", ["cosine", "onecycle"])
def test_automatic_warmup_is_the_recipe(lr_scheduler):
    model = small(lr_scheduler=lr_scheduler).fit(images())
    assert {stage.warmup for stage in model.stages_} == {recipes.WARMUP[lr_scheduler]}
    model = small(lr_step="epoch").fit(images())
    assert [stage.warmup for stage in model.stages_] == [10, 0, 10]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_automatic_rates_are_the_recipe(optimizer):
    model = small(optimizer=optimizer, batch_size=32).fit(images())
    batches = (32 / 256) ** (0.5 if optimizer == "muon" else 1)
    rates = {role: rate * batches for role, rate in recipes.LEARNING_RATES[optimizer].items()}
    expected = [rates["pretrain"], rates["output"], rates["plane"]]
    np.testing.assert_allclose([stage.lr for stage in model.stages_], expected)
    # Rates are chosen by what a stage does, not by its number.
    roles = {
        "pretrain": Stage(1, 6),
        "output": Stage(1, 2, "output"),
        "features": Stage(1, 2, "head", neighbors=3, inputs="features"),
        "plane": Stage(1, 2, "head"),
    }
    model = small(optimizer=optimizer, batch_size=32, total_epochs=[Stage(1, 8), *roles.values()])
    stages = model.fit(images()).stages_[1:]
    np.testing.assert_allclose([stage.lr for stage in stages], [rates[role] for role in roles])


def test_a_stage_has_an_optimizer_of_its_own():
    stages = [Stage(1, 8), Stage(1, 2, optimizer="adamw", output_init="principal")]
    mixed = small(total_epochs=stages).fit(images())
    assert [stage.optimizer for stage in mixed.stages_] == ["sgd", "adamw"]
    assert mixed.stages_[1].lr == recipes.LEARNING_RATES["adamw"]["plane"] * 16 / 256
    same = small(total_epochs=[Stage(1, 8), Stage(1, 2, output_init="principal")]).fit(images())
    assert not np.array_equal(mixed.embedding_, same.embedding_)
    with pytest.raises(ValueError, match=r"^total_epochs\[0\]\.optimizer: got 'adagrad'"):
        small(total_epochs=[Stage(1, 2, optimizer="adagrad")]).fit(images())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(optimizer):
    X, labels = blobs()
    model = mapper(optimizer=optimizer, batch_size=50, hidden_dim=64, total_epochs=[25, 2, 5]).fit(X)
    first = [row["loss"] for row in model.history_ if row["stage"] == 1]
    assert first[-1] < first[0] - 0.1
    assert model.score(X, labels) > 0.95


def test_optimizers_differ():
    X = vectors()
    maps = [mapper(optimizer=name, lr=0.01).fit_transform(X) for name in OPTIMIZERS]
    for i, ours in enumerate(maps):
        assert all((ours != theirs).any() for theirs in maps[:i])


def test_muon_turns_matrices_and_keeps_their_length():
    X = vectors()
    states = [
        mapper(optimizer="muon", lr=lr, weight_decay=0, total_epochs=[4]).fit(X).to_state_dict()
        for lr in (0, 0.1)
    ]
    lengths = [np.linalg.norm(state["projection_head.layers.0.weight"]) for state in states]
    np.testing.assert_allclose(*lengths, rtol=1e-5)
    names = [name for name in states[0] if name.endswith("weight")]
    assert all((states[0][name] != states[1][name]).any() for name in names)


def test_named_lengths_learn_from_views_with_muon():
    def optimizers(**changes):
        options = {"total_epochs": "fast", "callbacks": lambda record: True} | changes
        return [stage.optimizer for stage in small(**options).fit(images()).stages_]

    assert optimizers()[0] == "muon"
    assert optimizers(plane="parametric")[::2] == ["muon", "adamw"]
    # What is given is taken, and a rate of one's own is meant for SGD.
    assert set(optimizers(optimizer="sgd")) == {"sgd"}
    assert set(optimizers(lr=0.1)) == {"sgd"}
    assert set(optimizers(total_epochs=[1, 1, 1])) == {"sgd"}


def test_nesterov_without_momentum_is_plain():
    X = vectors()
    ours, theirs = (mapper(optimizer=name, momentum=0).fit_transform(X) for name in ("nesterov", "sgd"))
    assert_same_bits(ours, theirs)


def test_rate_of_zero_leaves_all_as_it_was():
    X = vectors()
    for optimizer in OPTIMIZERS:
        one, two = (
            mapper(optimizer=optimizer, lr=0, total_epochs=[epochs]).fit_transform(X) for epochs in (1, 3)
        )
        assert_same_bits(one, two)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_biases_decay_unless_told_not_to(optimizer):
    gammas = {}
    for decay_biases in (True, False):
        # Gradients are clipped to nothing, so that decay alone counts; its rate is far from what would
        # overshoot. Adam's steps are as long as the rate, however large the decay.
        model = small(
            optimizer=optimizer, decay_biases=decay_biases, weight_decay=100, momentum=0, clip_value=1e-12,
            lr=0.02 if optimizer == "adam" else 0.001, lr_scheduler="constant", warmup=0, total_epochs=[10],
        ).fit(images())  # fmt: skip
        state = model.to_state_dict()
        gammas[decay_biases] = state["backbone.bn1.weight"]
        # Muon's matrices keep their length.
        layer = 2 if optimizer == "muon" else 0
        weights = state[f"projection_head.layers.{layer}.weight"]
        assert np.abs(weights).max() < (1 if optimizer == "lars" else 0.1)
    np.testing.assert_allclose(gammas[False], 1, atol=0.05)
    assert (gammas[True] < 0.5).all()


def test_weight_decay_shrinks():
    X = vectors()
    norms = []
    for weight_decay in (0, 1, 10):
        model = mapper(weight_decay=weight_decay, lr=0.01, total_epochs=[10]).fit(X)
        norms.append(np.linalg.norm(head(model)))
    assert norms[0] > norms[1] > norms[2]


def test_clipping_bounds_the_step():
    X = vectors()
    weights = []
    for lr in (0, 1.0):
        model = mapper(
            clip_value=1e-4, momentum=0, weight_decay=0, lr=lr, warmup=0, lr_scheduler="constant",
            total_epochs=[1], batch_size=40,
        ).fit(X)  # fmt: skip
        weights.append(head(model))
    # Training is one step of rate 1.
    assert 0 < np.abs(weights[1] - weights[0]).max() <= 1.001e-4
    assert (mapper(clip_value=1e-4).fit_transform(X) != mapper(clip_value=None).fit_transform(X)).any()


def test_momentum_goes_on():
    X = vectors()
    maps = [mapper(momentum=momentum).fit_transform(X) for momentum in (0, 0.5, 0.9)]
    assert (maps[0] != maps[1]).any() and (maps[1] != maps[2]).any()


# ------------------------------------------------------------------ averages


def head(model):
    return model._network.tensors()["projection_head.layers.0.weight"]


def test_average_of_what_stays_is_what_stays():
    X = images()
    plain = small(lr=0).fit(X)
    averaged = small(lr=0, ema_decay=0.9).fit(X)
    assert_same_bits(head(averaged), head(plain))
    X = vectors()
    assert_same_bits(mapper(lr=0, ema_decay=0.9).fit_transform(X), mapper(lr=0).fit_transform(X))


@pytest.mark.parametrize(("make", "data"), [(small, images), (mapper, vectors)])
def test_average_of_no_memory_is_the_last_step(make, data):
    X, head = data(), {"plane": "parametric"}
    plain = make(**head).fit_transform(X)
    assert_same_bits(make(ema_decay=0, **head).fit_transform(X), plain)
    np.testing.assert_allclose(make(ema_decay=1e-6, **head).fit_transform(X), plain, rtol=1e-3, atol=1e-4)
    assert (make(ema_decay=0.99, **head).fit_transform(X) != plain).any()


def test_average_is_that_of_the_steps():
    """It is computed again from the weights after each step, as a stage has one step an epoch."""
    X = vectors()
    options = {"batch_size": 40, "lr": 0.1, "optimizer": "adamw"}
    after = [head(mapper(total_epochs=[e], lr_scheduler="constant", warmup=0, **options).fit(X))
             for e in range(1, 7)]  # fmt: skip
    start = head(mapper(total_epochs=[1], **(options | {"lr": 0})).fit(X))
    average = start.astype(np.float64)
    for n, weights in enumerate(after):
        kept = min(0.3, (1 + n) / (10 + n))
        average = kept * average + (1 - kept) * weights
    model = mapper(total_epochs=[6], lr_scheduler="constant", warmup=0, ema_decay=0.3, **options).fit(X)
    np.testing.assert_allclose(head(model), average, rtol=1e-4, atol=1e-6)


def test_average_is_of_the_last_stage():
    X = images()
    maps = []
    options = {"ema_decay": 0.9, "callbacks": lambda record: maps.append(record.embedding())}
    small(**options).fit(X)
    # A run that a callback stops has the average of its stage.
    stopped = small(ema_decay=0.9, callbacks=lambda record: True)
    assert_same_bits(stopped.fit_transform(X), maps[0])


def test_training_does_not_see_the_average():
    X = images()
    losses = [[row["loss"] for row in small(ema_decay=d).fit(X).history_] for d in (None, 0.9)]
    assert losses[0] == losses[1]


# ------------------------------------------------------------------ temperature


def test_temperature_by_stage():
    X = vectors()
    model = mapper(temperature=[0.5, 1.0, 3.0]).fit(X)
    assert [stage.temperature for stage in model.stages_] == [0.5, 1, 3]
    assert_same_bits(mapper(temperature=[1.0] * 3).fit_transform(X), mapper().fit_transform(X))
    losses = [row["loss"] for row in model.history_]
    plain = [row["loss"] for row in mapper().fit(X).history_]
    assert all(ours != theirs for ours, theirs in zip(losses, plain, strict=True))
    assert [stage.temperature for stage in mapper(metric="cosine").fit(X).stages_] == [0.5] * 3

"""The page of NumPy that a reader begins with (examples/reference.py), and the core against it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from tsimcne_swift import _core

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "Fixtures"), str(TESTS.parent / "examples")]

import driver  # noqa: E402
import reference  # noqa: E402

BATCH, PIXELS, HIDDEN, OUTPUTS = 24, 12, 10, 6
NAMES = dict(zip(reference.EVERYTHING, ("0.weight", "0.bias", "2.weight", "2.bias"), strict=True))


def distance(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize("dimensions", [2, 30])
def test_loss_and_gradient(dimensions):
    z = 3 * np.random.default_rng(0).standard_normal((2 * BATCH, dimensions))
    wanted_loss, wanted = reference.infonce(z)
    gradient = np.empty(z.shape, np.float32)
    cauchy = driver.stage()["metric"]
    loss = _core.infonce(z.astype(np.float32), gradient, views=2, metric=cauchy, temperature=1.0, threads=2)
    assert loss == pytest.approx(wanted_loss, rel=1e-5)
    assert distance(gradient, wanted) < 1e-5


def test_gradient_is_that_of_the_loss():
    z = np.random.default_rng(0).standard_normal((6, 2))
    moves = 1e-6 * np.eye(z.size).reshape(-1, *z.shape)
    differences = [(reference.infonce(z + m)[0] - reference.infonce(z - m)[0]) / 2e-6 for m in moves]
    np.testing.assert_allclose(reference.infonce(z)[1].ravel(), differences, atol=1e-8)


def test_three_stages_of_one_batch():
    """Two steps in each stage, on the same views: the core's weights are those of the page after each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, PIXELS))
    views = np.concatenate([reference.view(x, rng), reference.view(x, rng)])
    values = reference.layer(PIXELS, HIDDEN, rng) + reference.layer(HIDDEN, OUTPUTS, rng)
    p = dict(zip(reference.EVERYTHING, values, strict=True))
    plane = {"W2": rng.standard_normal((HIDDEN, 2)), "b2": rng.standard_normal(2)}

    def put(holder, values):
        for name, value in values.items():
            driver.put(holder, f"projection_head.layers.{NAMES[name]}", value.T)

    model = _core.Model(
        seed=0, channels=PIXELS, depth=0, base_width=1, hidden_dims=(HIDDEN,), output_dim=OUTPUTS
    )
    put(model, p)
    stages = driver.paper_stages(BATCH, epochs=2, warmup=0, learning_rate=0.5, output_dim=OUTPUTS)
    stages[2]["learning_rate"] = 0.5  # The paper's thousandth would hide an error.
    velocity: reference.Parameters = {}

    def supply(trainer, event):
        if event.epoch == 0:
            velocity.clear()
            if event.stage == 1:
                put(trainer, plane)
                p.update(plane)
        return views.reshape(-1, 1, 1, PIXELS)

    trained = [reference.EVERYTHING, reference.OUTPUT_LAYER, reference.EVERYTHING]
    steps = 0
    for trainer, event in driver.steps(model, (BATCH, 1, 1, PIXELS), stages, supply, batch_size=BATCH):
        loss = reference.step(views, p, velocity, event.learning_rate, trained[event.stage])
        assert event.loss == pytest.approx(loss, rel=1e-5)
        for name, value in p.items():
            ours = driver.get(trainer, f"projection_head.layers.{NAMES[name]}")
            assert distance(ours.T, value) < 1e-5, (name, event)
        steps += 1
    assert steps == 6


def test_a_short_run_maps_digits(monkeypatch):
    digits = load_digits()
    x = digits.data / 16
    stages = [(epochs // 5, *others) for epochs, *others in reference.STAGES]
    monkeypatch.setattr(reference, "STAGES", stages)
    losses, maps = [], []
    for loss, p in reference.fit(x, np.random.default_rng(0)):
        losses.append(loss)
        maps.append(reference.network(x, p)[1])
    assert [z.shape[1] for z in maps] == [64, 2, 2]
    # Of embeddings at random the loss is that of a guess.
    assert max(losses) < np.log(2 * reference.BATCH - 1) and losses[2] < losses[1]
    scores = [cross_val_score(KNeighborsClassifier(15), z, digits.target).mean() for z in maps]
    assert scores[0] > 0.8 and scores[2] > 0.55

"""One batch through the network, forward and backward, against float64 PyTorch."""

from __future__ import annotations

from types import SimpleNamespace

import driver
import formula
import kinks
import numpy as np
import pytest
import torch
from reference import Network, infonce
from tsimcne_swift import _core

CASES = {
    "width 64": dict(depth=18, base_width=64, size=(32, 32, 3), pairs=16),
    "width 16": dict(depth=18, base_width=16, size=(32, 32, 3), pairs=32),
    "width 16, 2-D": dict(depth=18, base_width=16, size=(32, 32, 3), pairs=32, output_dim=2),
    "not square": dict(depth=10, base_width=12, size=(26, 41, 3), pairs=16, metric=_core.METRIC_COSINE),
    "ResNet-34": dict(depth=34, base_width=8, size=(16, 16, 3), pairs=16),
    "ResNet-50": dict(depth=50, base_width=8, size=(24, 24, 3), pairs=16),
    "ResNet-101": dict(depth=101, base_width=4, size=(16, 16, 3), pairs=16),
    "grey": dict(depth=18, base_width=8, size=(28, 28, 1), pairs=16, hidden_dims=()),
    "two hidden layers": dict(depth=10, base_width=8, size=(24, 24, 3), pairs=16, hidden_dims=(192, 96)),
}


def norm(a: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(a, np.float64)))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """‖a - b‖ / ‖b‖."""
    return norm(np.asarray(a, np.float64) - b) / norm(b)


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def both(request):
    """The results of both programs for one batch, whose gradient is well defined."""
    case = {"metric": _core.METRIC_CAUCHY, "output_dim": 128, "hidden_dims": (256,)} | request.param
    metric, pairs, (height, width, channels) = case["metric"], case["pairs"], case["size"]
    temperature = 0.5 if metric == _core.METRIC_COSINE else 1.0
    configuration = {k: case[k] for k in ("depth", "base_width", "output_dim", "hidden_dims")}
    configuration["channels"] = channels
    pixels = {}
    if metric == _core.METRIC_COSINE:
        mean = np.array([0.5, 0.375, 0.25], np.float32)
        pixels = {"mean": mean, "deviation": mean / 2 + 0.125}
    views = formula.views("batch", pairs, height, width, channels)
    state = formula.weights(**configuration)

    network = Network(**configuration, **pixels)
    network.load(state)
    for name, move in kinks.moves(network, views).items():
        state[name] += move
    network.load(state)
    with torch.no_grad():
        mapped, features, levels = network.eval()(views), network.features(views), network.levels(views)
    embeddings = network.train()(views)
    embeddings.retain_grad()
    loss = infonce(embeddings, ("euclidean", "cosine")[metric], temperature)
    loss.backward()
    theirs = SimpleNamespace(
        map=mapped.numpy(),
        features=features.numpy(),
        levels=levels.numpy(),
        embeddings=embeddings.detach().numpy(),
        embedding_gradient=embeddings.grad.numpy(),
        loss=loss.item(),
        gradients={name: p.grad.numpy() for name, p in network.named_parameters()},
        buffers={n: b.numpy() for n, b in network.named_buffers() if "running" in n},
    )

    model = driver.make_model(state, **configuration, **pixels)
    ours = SimpleNamespace(
        map=driver.transform(model, views, theirs.map.shape[1], _core.OUTPUT_MAP),
        features=driver.transform(model, views, theirs.features.shape[1], _core.OUTPUT_FEATURES),
        levels=driver.transform(model, views, theirs.levels.shape[1], _core.OUTPUT_LEVELS),
        state=driver.state_of(model),
    )
    stage = driver.stage(
        output_dim=case["output_dim"], metric=metric, temperature=temperature, learning_rate=1e-3
    )
    order = None

    def supply(trainer, event):
        nonlocal order
        indices = np.frombuffer(event.indices, np.int64)
        order = np.concatenate([indices, indices + pairs])
        return views[order]

    for trainer, event in driver.steps(
        model,
        (pairs, height, width, channels),
        [stage],
        supply,
        batch_size=pairs,
        stop_at=_core.STOP_AT_EMBEDDINGS,
    ):
        if event.kind == _core.EVENT_EMBEDDINGS:
            (name,) = [n for kind, n in trainer.arrays() if kind == _core.ARRAY_EMBEDDINGS]
            ours.embeddings = np.empty_like(theirs.embeddings, np.float32)
            ours.embeddings[order] = driver.get(trainer, name, _core.ARRAY_EMBEDDINGS)
        elif event.kind == _core.EVENT_STEP:
            ours.loss = event.loss
            ours.gradients = {n: driver.get(trainer, n, _core.ARRAY_GRADIENT) for n in theirs.gradients}
            ours.buffers = {n: driver.get(trainer, n) for n in theirs.buffers}
    return SimpleNamespace(ours=ours, theirs=theirs, state=state, stage=stage)


def test_names_and_shapes(both):
    ours = {name: value.shape for name, value in both.ours.state.items()}
    assert ours == {name: value.shape for name, value in both.state.items()}
    assert list(both.theirs.gradients) == [n for n in both.state if ".running_" not in n]


@pytest.mark.parametrize("what", ["map", "features", "levels", "embeddings"])
def test_outputs(both, what, record_property):
    ours, theirs = getattr(both.ours, what), getattr(both.theirs, what)
    error = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
    record_property("error", error.max())
    assert error.max() < 1e-4
    # What tells the images apart is smaller than what they share, and is held to the same.
    assert norm(ours - theirs) / norm(theirs - theirs.mean(axis=0)) < 1e-4


def test_loss(both, record_property):
    record_property("error", both.ours.loss / both.theirs.loss - 1)
    assert both.ours.loss == pytest.approx(both.theirs.loss, rel=1e-5)
    metric = ("euclidean", "cosine")[both.stage["metric"]]
    own = infonce(torch.from_numpy(both.ours.embeddings), metric, both.stage["temperature"])
    assert both.ours.loss == pytest.approx(own.item(), rel=1e-5)


def test_gradients(both, record_property):
    errors = {}
    for name, theirs in both.theirs.gradients.items():
        error = norm(both.ours.gradients[name] - theirs)
        if theirs.shape == both.theirs.embeddings.shape[1:]:
            # The Cauchy loss does not change when all embeddings move together, so this gradient
            # is a sum of parts that cancel: it is measured by the parts.
            errors[name] = error / np.linalg.norm(both.theirs.embedding_gradient, axis=1).sum()
        else:
            errors[name] = error / norm(theirs)
    worst = max(errors, key=errors.get)
    record_property("error", f"{errors[worst]:.1e} {worst}")
    assert errors[worst] < 1e-3, worst


def test_running_statistics(both, record_property):
    errors = {n: distance(both.ours.buffers[n], b) for n, b in both.theirs.buffers.items()}
    worst = max(errors, key=errors.get)
    record_property("error", f"{errors[worst]:.1e} {worst}")
    assert errors[worst] < 1e-4, worst

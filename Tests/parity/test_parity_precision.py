"""Gradients of products of 16 bits beside those of PyTorch's autocast, both against float64."""

from __future__ import annotations

import driver
import formula
import numpy as np
import pytest
import torch
from reference import Network, infonce
from tsimcne_swift import _core, show_config

PAIRS, SIDE = 64, 16
NETWORK = dict(depth=10, base_width=16, channels=3, output_dim=128, hidden_dims=(256,))
TEMPERATURE = 0.5

pytestmark = pytest.mark.skipif(
    "bfloat16" not in show_config()["precisions"], reason="the processor has no avx512_bf16"
)


def theirs(state, views, autocast: bool) -> dict[str, np.ndarray]:
    network = Network(**NETWORK)
    network.load(state)
    if autocast:
        network.float()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        embeddings = network.train()(views)
    infonce(embeddings.double(), "cosine", TEMPERATURE).backward()
    return {name: p.grad.double().numpy() for name, p in network.named_parameters()}


def ours(state, views, precision: str) -> dict[str, np.ndarray]:
    model = driver.make_model(state, **NETWORK)
    stage = driver.stage(
        output_dim=128, metric=_core.METRIC_COSINE, temperature=TEMPERATURE, learning_rate=1e-3
    )

    def supply(trainer, event):
        indices = np.frombuffer(event.indices, np.int64)
        return views[np.concatenate([indices, indices + PAIRS])]

    for trainer, event in driver.steps(
        model,
        (PAIRS, SIDE, SIDE, 3),
        [stage],
        supply,
        batch_size=PAIRS,
        precision=_core.PRECISIONS[precision],
    ):
        if event.kind == _core.EVENT_STEP:
            names = [name for name, _ in Network(**NETWORK).named_parameters()]
            return {name: driver.get(trainer, name, _core.ARRAY_GRADIENT) for name in names}
    raise AssertionError("no step")


def error(found, exact) -> float:
    """‖a - b‖ / ‖b‖ of all gradients, each in units of its own length."""
    shares = [np.linalg.norm(found[name] - exact[name]) / np.linalg.norm(exact[name]) for name in exact]
    return float(np.sqrt(np.mean(np.square(shares))))


def test_errors_are_those_of_autocast(record_property):
    """Winograd's transforms cost some of the bits that autocast has, which also rounds activations."""
    views = formula.views("batch", PAIRS, SIDE, SIDE, 3)
    state = formula.weights(**NETWORK)
    exact = theirs(state, views, autocast=False)
    errors = {
        "float32": error(ours(state, views, "float32"), exact),
        "bfloat16": error(ours(state, views, "bfloat16"), exact),
        "autocast": error(theirs(state, views, autocast=True), exact),
    }
    record_property("error", errors)
    print(errors)
    assert errors["float32"] < 0.1 * errors["bfloat16"]
    assert errors["bfloat16"] < 2 * errors["autocast"]

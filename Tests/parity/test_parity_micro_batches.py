"""Batches whose views go through the network in parts: one loss, BatchNorm of each part."""

from __future__ import annotations

import driver
import formula
import numpy as np
import pytest
import torch
from reference import Network, infonce
from tsimcne_swift import _core


@pytest.mark.parametrize("part", [1, 4, 5, 11, 12, 100])
@pytest.mark.parametrize("name", ["euclidean", "cosine"])
def test_gradients(part, name, record_property):
    images, views = 12, 3
    configuration = dict(depth=10, base_width=4, channels=3, hidden_dims=(32,), output_dim=16)
    state = formula.weights(**configuration)
    X = formula.views("parts", images, 16, 16, 3, views)
    network = Network(**configuration)
    network.load(state)
    network.train()
    model = driver.make_model(state, **configuration)
    trainer = _core.Trainer(
        model,
        None,
        shape=(images, 16, 16, 3),
        format="f",
        seed=1,
        batch_size=images,
        source=_core.SOURCE_VIEWS,
        threads=2,
        stages=[
            driver.core_stage(
                driver.stage(output_dim=16, metric=_core.METRICS[name], temperature=0.5, learning_rate=1e-3),
                images,
                images,
            )
        ],
        augmentation=None,
        views=views,
        micro_batch=part,
    )
    order = None
    while (event := trainer.advance()).kind != _core.EVENT_STEP:
        if event.kind == _core.EVENT_BATCH_WANTED:
            order = np.frombuffer(event.indices, np.int64)
            trainer.supply(X[np.concatenate([order + v * images for v in range(views)])])
    # The reference takes the same parts of the same order.
    rows = []
    for first in range(0, images, part):
        chosen = order[first : first + part]
        z = network(X[np.concatenate([chosen + v * images for v in range(views)])])
        rows.append(z.reshape(views, len(chosen), -1))
    loss = infonce(torch.cat(rows, dim=1).flatten(0, 1), name, 0.5, views)
    loss.backward()
    assert event.loss == pytest.approx(loss.item(), rel=1e-5)
    errors = {}
    largest = max(p.grad.norm().item() for p in network.parameters())
    for key, parameter in network.named_parameters():
        theirs = parameter.grad.numpy()
        error = np.linalg.norm(driver.get(trainer, key, _core.ARRAY_GRADIENT) - theirs)
        errors[key] = error / max(np.linalg.norm(theirs), 1e-2 * largest)
    worst = max(errors, key=errors.get)
    record_property("error", f"{errors[worst]:.1e} {worst}")
    assert errors[worst] < 1e-3, worst
    trainer.close()

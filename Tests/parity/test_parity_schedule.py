"""Learning rates against PyTorch's schedulers.

Both sides begin a warm-up of r steps differently: the core's first rate is already one r-th of the way
up, so that no step is without effect, and the peak is reached by the last step of the warm-up and kept
by the first of what follows.
"""

from __future__ import annotations

import driver
import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as torch_schedules
from tsimcne_swift import _core

PEAK = 0.3
EPOCHS, STEPS_PER_EPOCH = 6, 4
STEPS = EPOCHS * STEPS_PER_EPOCH


def rates_of(make, count: int) -> np.ndarray:
    """The first rates of one of PyTorch's schedulers."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)
    scheduler = make(optimizer)
    rates = []
    for _ in range(count):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def per_batch(shape: int, warmup: float) -> list[float]:
    return driver.learning_rates(
        2 * STEPS_PER_EPOCH,
        2,
        epochs=EPOCHS,
        warmup=warmup,
        learning_rate=PEAK,
        schedule=_core.SCHEDULE_BATCH,
        shape=shape,
    )


@pytest.mark.parametrize("rising", [0, 2, 6])
@pytest.mark.parametrize("shape", [_core.SHAPE_COSINE, _core.SHAPE_CONSTANT, _core.SHAPE_LINEAR])
def test_per_batch(shape, rising):
    """The rates are a line up to the peak, then PyTorch's scheduler from its beginning."""
    falling = STEPS - rising
    after = {
        _core.SHAPE_COSINE: lambda o: torch_schedules.CosineAnnealingLR(o, falling),
        _core.SHAPE_CONSTANT: lambda o: torch_schedules.ConstantLR(o, factor=1.0),
        _core.SHAPE_LINEAR: lambda o: torch_schedules.LinearLR(o, 1.0, 0.0, falling),
    }[shape]
    expected = rates_of(after, falling)
    if rising:
        up = rates_of(lambda o: torch_schedules.LinearLR(o, 1 / rising, 1.0, rising - 1), rising)
        expected = np.concatenate([up, expected])
    np.testing.assert_allclose(per_batch(shape, rising / STEPS), expected, rtol=1e-9)


@pytest.mark.parametrize("rising", [2, 6, 12])
def test_one_cycle_per_batch(rising):
    """The rates are those of OneCycleLR with a step more, without the first and the last, the peak twice."""
    theirs = rates_of(
        lambda o: torch_schedules.OneCycleLR(
            o, PEAK, total_steps=STEPS + 1, pct_start=(rising + 1) / (STEPS + 1), cycle_momentum=False
        ),
        STEPS,
    )
    expected = np.concatenate([theirs[1 : rising + 1], theirs[rising:]])
    assert theirs[0] == pytest.approx(PEAK / 25)
    assert expected[rising - 1] == expected[rising] == pytest.approx(PEAK)
    np.testing.assert_allclose(per_batch(_core.SHAPE_ONE_CYCLE, rising / STEPS), expected, rtol=1e-9)


def test_one_cycle_per_epoch():
    """The rates are those of OneCycleLR with an epoch more, without the last, the peak twice."""
    warmup = 3
    theirs = rates_of(
        lambda o: torch_schedules.OneCycleLR(
            o, PEAK, total_steps=EPOCHS + 1, pct_start=warmup / (EPOCHS + 1), cycle_momentum=False
        ),
        EPOCHS,
    )
    expected = np.concatenate([theirs[:warmup], theirs[warmup - 1 : -1]])
    rates = driver.learning_rates(
        2 * STEPS_PER_EPOCH,
        2,
        epochs=EPOCHS,
        warmup=warmup,
        learning_rate=PEAK,
        shape=_core.SHAPE_ONE_CYCLE,
    )
    np.testing.assert_allclose(rates, expected.repeat(STEPS_PER_EPOCH), rtol=1e-9)

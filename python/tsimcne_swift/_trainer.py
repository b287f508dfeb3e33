"""The core's trainer for a plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import _core
from ._network import Network
from ._plan import Plan
from ._stages import Stage, core_fields


def make_trainer(
    plan: Plan, network: Network, seed: int, stages: Sequence[Stage] | None = None
) -> _core.Trainer:
    """A trainer of ``network``; ``stages`` instead of the plan's, if given."""
    images = plan.images
    return _core.Trainer(
        network.core,
        images.whole() if images.direct else None,
        shape=images.shape,
        format=images.format,
        seed=seed,
        batch_size=plan.batch_size,
        source=_core.SOURCE_IMAGES if images.direct else _core.SOURCE_SUPPLIED,
        threads=plan.threads,
        stages=[core_fields(stage, plan.steps_per_epoch, plan.common) for stage in (stages or plan.stages)],
        augmentation=plan.augmentation._fields() if plan.augmentation is not None else None,
        views=plan.views,
        average_decay=plan.ema_decay,
        noise=plan.noise["noise"],
        dropout=plan.noise["dropout"],
    )


def supply(trainer: _core.Trainer, event: _core.Event, plan: Plan) -> None:
    """Hand over the images that the event asks for."""
    indices = np.frombuffer(event.indices, dtype=np.int64)
    trainer.supply(plan.images.batch(indices))

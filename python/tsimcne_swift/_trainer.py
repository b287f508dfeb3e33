"""The core's trainer for a plan, and the images that it asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import _core
from ._network import Network
from ._pipeline import Pipeline
from ._plan import Plan
from ._stages import Stage, core_fields


def make_trainer(
    plan: Plan, network: Network, seed: int, stages: Sequence[Stage] | None = None
) -> _core.Trainer:
    """A trainer of ``network``; ``stages`` instead of the plan's, if given."""
    images = plan.images
    fields = [core_fields(stage, plan.steps_per_epoch, plan.common) for stage in (stages or plan.stages)]
    source, format = _core.SOURCE_IMAGES if images.direct else _core.SOURCE_SUPPLIED, images.format
    if plan.pipeline is not None:
        source, format = _core.SOURCE_VIEWS, "f"
        fields = [stage | {"augmentation": None} for stage in fields]
    return _core.Trainer(
        network.core,
        images.whole() if source == _core.SOURCE_IMAGES else None,
        shape=images.shape,
        format=format,
        seed=seed,
        batch_size=plan.batch_size,
        source=source,
        threads=plan.threads,
        stages=fields,
        augmentation=plan.augmentation._fields() if plan.augmentation is not None else None,
        views=plan.views,
        average_decay=plan.ema_decay,
        noise=plan.noise["noise"],
        dropout=plan.noise["dropout"],
    )


class Supplier:
    """Hands over what a trainer asks for.

    Parameters
    ----------
    plan : Plan
    seed : int
    stages : sequence of Stage or None
        Instead of the plan's.
    """

    def __init__(self, plan: Plan, seed: int, stages: Sequence[Stage] | None = None) -> None:
        self.images = plan.images
        self.stages = stages or plan.stages
        self.pipeline = (
            None
            if plan.pipeline is None
            else Pipeline(plan.pipeline, plan.images, self.stages, plan.views, seed)
        )
        self._found = -1

    def supply(self, trainer: _core.Trainer, event: _core.Event) -> None:
        """After an event BATCH_WANTED."""
        if self.pipeline is None:
            trainer.supply(self.images.batch(np.frombuffer(event.indices, dtype=np.int64)))
            return
        stage = self.stages[event.stage]
        # A stage of features searches again when it is resumed.
        begins = stage.inputs == "features" or trainer.progress()["step"] == 0
        searches = stage.neighbors > 0 and self._found != event.stage and begins
        trainer.supply(self.pipeline.batch(event, searches))

    def found(self, event: _core.Event) -> None:
        """After an event NEIGHBORS_FOUND."""
        self._found = event.stage

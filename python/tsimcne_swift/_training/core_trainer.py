"""The core's trainer for a plan, and the images that it asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks.memory_sizes import written_size
from .._inputs.chunked import Readahead, StoredImages
from .._networks.network import Network
from .._parameters import core_numbers
from .._stages.stage import Stage
from .partners import partners_bytes
from .plan import Plan
from .user_views import Pipeline


def make_trainer(
    plan: Plan, network: Network, seed: int, stages: Sequence[Stage] | None = None
) -> _core.Trainer:
    """A trainer of ``network``; ``stages`` instead of the plan's, if given.

    Under ``max_memory`` its views go through the network in as few parts as fit.
    """
    limit, part = plan.values.max_memory, plan.batch_size
    beside = partners_bytes(plan, stages or plan.stages)
    fewest = -(-plan.batch_size // _core.MOST_PARTS)
    while True:
        trainer, problem = None, "another rank has not the memory that training needs"
        try:
            trainer = _trainer(plan, network, seed, stages or plan.stages, part)
        except MemoryError as error:
            # More than the machine has; a part of it may fit. The error itself would hold on to the network.
            problem = str(error)
        # Ranks stop together only where their batches have as many parts.
        needs = plan.ranks.largest(math.inf if trainer is None else trainer.memory() + beside)
        if trainer is not None and needs < math.inf and (limit is None or needs <= limit):
            return trainer
        if trainer is not None:
            trainer.close()
        if needs == math.inf and (limit is None or part == fewest):
            raise plan.ranks.everywhere(MemoryError(problem))
        if limit is not None and part == fewest:
            text = f"got {written_size(limit)}, but training wants at least {written_size(int(needs))}"
            raise plan.ranks.everywhere(ValueError(f"max_memory: {text}"))
        part = max(fewest, (part + 1) // 2)


def _trainer(
    plan: Plan, network: Network, seed: int, stages: Sequence[Stage], micro_batch: int
) -> _core.Trainer:
    images = plan.images
    fields = plan.core_stages(stages)
    source, format = _core.SOURCE_IMAGES if images.direct else _core.SOURCE_SUPPLIED, images.format
    if plan.pipeline is not None:
        source, format = _core.SOURCE_VIEWS, "f"
        fields = [stage | {"augmentation": None} for stage in fields]
    block, window = images.shuffle(plan.values.max_memory) if isinstance(images, StoredImages) else (1, 1)
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
        **core_numbers(plan.values, "trainer"),
        noise=plan.noise["noise"],
        dropout=plan.noise["dropout"],
        shuffle_block=block,
        shuffle_window=window,
        micro_batch=micro_batch,
        stop_at=plan.ranks.stop_at(plan.values.sync_batchnorm) | _core.STOP_AT_FEATURES,
        shard_rank=plan.ranks.rank,
        shard_count=plan.ranks.size,
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
        self.batch_size = plan.batch_size
        self.ranks = plan.ranks
        self.stages = stages or plan.stages
        self.pipeline = (
            None
            if plan.pipeline is None
            else Pipeline(plan.pipeline, plan.images, self.stages, plan.views, seed)
        )
        self._found = -1
        self._ahead: tuple[tuple[int, int], Readahead] | None = None

    def supply(self, trainer: _core.Trainer, event: _core.Event) -> None:
        """After an event BATCH_WANTED."""
        if self.pipeline is None:
            trainer.supply(self._batch(trainer, event))
            return
        stage = self.stages[event.stage]
        # A stage of features searches again when it is resumed.
        begins = stage.inputs == "features" or trainer.progress()["step"] == 0
        searches = stage.neighbors > 0 and self._found != event.stage and begins
        trainer.supply(self.pipeline.batch(event, searches))

    def _batch(self, trainer: _core.Trainer, event: _core.Event) -> npt.NDArray[Any]:
        indices = np.frombuffer(event.indices, dtype=np.int64)
        # Neighbours, and images of which features are made, are asked for in another order than the epoch's.
        if not isinstance(self.images, StoredImages) or self.stages[event.stage].neighbors > 0:
            return self.images.batch(indices)
        epoch = (event.stage, event.epoch)
        if self._ahead is None or self._ahead[0] != epoch:
            self.close()
            order = np.empty(self.images.shape[0], np.int64)
            trainer.order(order)
            batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
            batches = [batch[self.ranks.part(len(batch))] for batch in batches[: event.steps_per_epoch]]
            self._ahead = epoch, Readahead(self.images, batches[event.step :])
        expected, images = self._ahead[1].next()
        if not np.array_equal(expected, indices):
            # The step before was dropped, and comes again.
            self.close()
            return self.images.batch(indices)
        return images

    def close(self) -> None:
        """End the thread that reads ahead."""
        if self._ahead is not None:
            self._ahead[1].close()
            self._ahead = None

    def found(self, event: _core.Event) -> None:
        """After an event NEIGHBORS_FOUND."""
        self._found = event.stage

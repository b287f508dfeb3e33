"""Views that a function of the user's makes, where the core does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._inputs.images import Images
from .._stages.augmentation import PRESETS
from .._stages.stage import Stage


class Pipeline:
    """All views of a batch, as the core wants them.

    Parameters
    ----------
    function : callable
        ``function(images, rng)`` gives one random view of each image: an array of the same shape, uint8 or
        floats in [0, 1]. ``rng`` depends on seed, stage, epoch, step and view alone.
    images : Images
    stages : sequence of Stage
    views : int
        Random views of an image.
    seed : int
    """

    def __init__(
        self,
        function: Callable[[npt.NDArray[Any], np.random.Generator], Any],
        images: Images,
        stages: Sequence[Stage],
        views: int,
        seed: int,
    ) -> None:
        self.function = function
        self.images = images
        self.stages = stages
        self.views = views
        self.seed = seed

    def batch(self, event: _core.Event, searches: bool) -> npt.NDArray[np.float32]:
        """Views (views * batch_count, height, width, channels), first views first.

        With ``searches`` the images themselves are the first views, and nothing else counts.
        """
        indices = np.frombuffer(event.indices, np.int64)
        count = event.batch_count
        # Where views are of neighbours, there are indices for each view.
        parts = [indices[v * count : (v + 1) * count] for v in range(len(indices) // count)]
        parts += [parts[0]] * (self.views - len(parts))
        if searches or self.stages[event.stage].augmentation == PRESETS["none"]:
            views = [self._unit(self.images.batch(part)) for part in (parts[:1] if searches else parts)]
            return np.concatenate(views + views[:1] * (self.views - len(views)))
        return np.concatenate([self._view(part, event, v) for v, part in enumerate(parts)])

    def _view(self, indices: npt.NDArray[np.int64], event: _core.Event, view: int) -> npt.NDArray[np.float32]:
        images = np.array(self.images.batch(indices))
        rng = np.random.default_rng([self.seed, event.stage, event.epoch, event.step, view])
        result = np.asarray(self.function(images, rng))
        if result.shape != images.shape or result.dtype.kind not in "uf":
            raise ValueError(
                f"augmentation: got {result.dtype} of shape {result.shape} from the function, "
                f"want uint8 or floats of shape {images.shape}"
            )
        result = self._unit(result)
        if not (result.min() >= 0 and result.max() <= 1):
            raise ValueError("augmentation: got values outside of [0, 1] from the function")
        return result

    @staticmethod
    def _unit(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        result: npt.NDArray[np.float32] = np.ascontiguousarray(values, dtype=np.float32)
        return result * np.float32(1 / 255) if values.dtype == np.uint8 else result

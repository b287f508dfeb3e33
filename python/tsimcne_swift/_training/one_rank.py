"""A communicator of one, which a training without others has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from .. import _core
from .._inputs.images import Images
from .._networks.network import Network
from .._plane.alone import Alone

Result = TypeVar("Result")


class OneRank(Alone):
    """What training asks of the ranks of a communicator, where there is one; `Ranks` does it for several."""

    def stop_at(self, sync_batchnorm: bool) -> int:
        """Where a trainer stops, so that something is exchanged."""
        return 0

    @property
    def leads(self) -> bool:
        """Whether this rank speaks, and writes files."""
        return self.rank == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Nobody waits for this rank."""

    def together(self, work: Callable[[], Result]) -> Result:
        """The result of work that talks to nobody; an error of one rank is raised by all."""
        return work()

    def everywhere(self, error: Exception) -> Exception:
        """The error, which every rank raises now, so that none is left to wait."""
        return error

    def agree(self, describe: Callable[[], dict[str, Any]]) -> None:
        """Raise a ValueError on every rank where ranks were given others, with what differs and where."""

    def share(self, value: Any) -> Any:
        """That of rank 0."""
        return value

    def exchange(
        self, trainer: _core.Trainer, event: _core.Event, plan: Any, temperature: Callable[[int], float]
    ) -> bool:
        """Do what an event asks for; whether it asked for something.

        Parameters
        ----------
        trainer : Trainer
        event : Event
        plan : Plan
        temperature : callable
            That of a stage, as it is now.
        """
        return False

    def map(
        self, network: Network, images: Images, threads: int, kind: int = _core.OUTPUT_MAP
    ) -> npt.NDArray[np.float32]:
        """The map of all images, or their features, of which each rank makes a part."""
        return self.gather(network.map(images, threads, kind, self.part(images.shape[0])))

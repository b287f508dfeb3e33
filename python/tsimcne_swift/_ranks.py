"""Training together with other processes, by MPI.

Each rank works on a part of every batch. Embeddings are gathered, so that all views of the batch are
negatives; sums of BatchNorm and gradients are added up; so all ranks hold the same network after each step.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from . import _core
from ._images import Images
from ._network import Network


def check_comm(comm: Any) -> Ranks | None:
    """What the parameter ``comm`` stands for; None where there is one rank only."""
    if comm is None:
        return None
    if not all(hasattr(comm, name) for name in ("Get_rank", "Get_size", "Allreduce", "Allgatherv", "bcast")):
        raise TypeError(f"comm: got {comm!r}, want a communicator of mpi4py, such as MPI.COMM_WORLD")
    return Ranks(comm) if comm.Get_size() > 1 else None


class Ranks:
    """The ranks of a communicator, as training uses them."""

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self.comm, self._in_place = comm, MPI.IN_PLACE
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self._names: tuple[int, list[tuple[int, str]]] = (-1, [])

    @property
    def leads(self) -> bool:
        """Whether this rank speaks, and writes files."""
        return self.rank == 0

    def share(self, value: Any) -> Any:
        """That of rank 0."""
        return self.comm.bcast(value, root=0)

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """An error here ends the job: the others would wait for this rank forever."""
        if kind is None:
            return
        traceback.print_exception(kind, error, trace)
        print(
            f"tsimcne_swift: rank {self.rank} of {self.size} failed",
            file=sys.stderr,
            flush=True,
        )
        self.comm.Abort(1)

    def part(self, total: int) -> slice:
        """The rows of so many that are this rank's."""
        return slice(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def exchange(
        self, trainer: _core.Trainer, event: _core.Event, stages: Sequence[dict[str, Any]], plan: Any
    ) -> bool:
        """Do what an event asks for; whether it asked for something."""
        if event.kind in (_core.BATCH_NORM_SUMS, _core.GRADIENT_READY):
            if self._names[0] != event.stage:
                self._names = event.stage, trainer.arrays()
            kind, name = self._names[1][event.array]
            values = _get(trainer, kind, name)
            self.comm.Allreduce(self._in_place, values)
            trainer.set_array(kind, name, values)
        elif event.kind == _core.EMBEDDINGS_READY:
            self._loss(trainer, event, stages[event.stage], plan)
        elif event.kind == _core.OUTPUT_STARTED:
            # Of rank 0's part of the batch.
            for name in plan.architecture.output_layer:
                values = _get(trainer, _core.PARAMETER, name)
                self.comm.Bcast(values, root=0)
                trainer.set_array(_core.PARAMETER, name, values)
        else:
            return False
        return True

    def _loss(self, trainer: _core.Trainer, event: _core.Event, stage: dict[str, Any], plan: Any) -> None:
        """The loss of all ranks' embeddings, and its gradient with respect to those of this one."""
        own = _get(trainer, _core.EMBEDDINGS, "embeddings")
        views, columns = plan.views, own.shape[1]
        counts = self.comm.allgather(event.batch_count)
        parts = np.empty((sum(counts) * views, columns), np.float32)
        self.comm.Allgatherv(own, [parts, [count * views * columns for count in counts]])
        # From views within ranks to ranks within views.
        edges = np.cumsum([0, *(count * views for count in counts)])
        blocks = [parts[a:b].reshape(views, -1, columns) for a, b in pairwise(edges)]
        whole = np.ascontiguousarray(np.concatenate(blocks, axis=1)).reshape(-1, columns)
        gradient = np.empty_like(whole)
        degrees = np.frombuffer(stage["annealed_degrees"], np.float32)
        loss = _core.infonce(
            whole,
            gradient,
            views=views,
            metric=stage["metric"],
            temperature=stage["temperature"],
            degrees=float(degrees[event.epoch]) if len(degrees) > 0 else stage["degrees_of_freedom"],
            threads=plan.threads,
        )
        first = sum(counts[: self.rank])
        rows = gradient.reshape(views, -1, columns)[:, first : first + counts[self.rank]]
        trainer.set_array(
            _core.EMBEDDING_GRADIENT, "embeddings", np.ascontiguousarray(rows).reshape(-1, columns)
        )
        trainer.set_loss(loss)

    def map(self, network: Network, images: Images, threads: int) -> np.ndarray[Any, Any]:
        """The map of all images, of which each rank makes a part."""
        n = images.shape[0]
        own = network.map(images, threads, rows=self.part(n))
        result = np.empty((n, own.shape[1]), np.float32)
        rows = [n * (rank + 1) // self.size - n * rank // self.size for rank in range(self.size)]
        self.comm.Allgatherv(own, [result, [count * own.shape[1] for count in rows]])
        return result


def _get(trainer: _core.Trainer, kind: int, name: str) -> Any:
    shape, format, values = trainer.array(kind, name)
    return np.frombuffer(values, np.dtype(format)).reshape(shape)

"""Training together with other processes, by MPI.

Each rank works on a part of every batch. Embeddings are gathered, so that all views of the batch are
negatives; sums of BatchNorm and gradients are added up; so all ranks hold the same network after each step.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import _core
from .._checks.values import check_bool
from .._inputs.images import Images
from .._networks.network import TEMPERATURE, Network


def check_comm(comm: Any, sync_batchnorm: Any) -> Ranks | None:
    """What the parameters stand for; None where there is one rank only."""
    check_bool("sync_batchnorm", sync_batchnorm)
    if comm is None:
        return None
    wanted = ("Get_rank", "Get_size", "Allreduce", "Iallreduce", "Allgatherv", "bcast")
    if not all(hasattr(comm, name) for name in wanted):
        raise TypeError(f"comm: got {comm!r}, want a communicator of mpi4py, such as MPI.COMM_WORLD")
    return Ranks(comm, sync_batchnorm) if comm.Get_size() > 1 else None


class Ranks:
    """The ranks of a communicator, as training uses them."""

    def __init__(self, comm: Any, sync_batchnorm: bool) -> None:
        from mpi4py import MPI

        self.sync_batchnorm = sync_batchnorm
        # Where a trainer stops, so that something is exchanged.
        self.stop_at = _core.STOP_AT_EMBEDDINGS | _core.STOP_AT_GRADIENTS | _core.STOP_AT_OUTPUT_STARTED
        if sync_batchnorm:
            self.stop_at |= _core.STOP_AT_BATCH_NORM_SUMS
        self.comm, self._in_place = comm, MPI.IN_PLACE
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self._names: tuple[int, list[tuple[int, str]]] = (-1, [])
        # Gradients of a step that are on their way; how many there were so far, and are in each of a stage.
        self._sent: list[tuple[int, str, np.ndarray[Any, Any], Any]] = []
        self._seen, self._gradients = 0, dict[int, int]()

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
        self,
        trainer: _core.Trainer,
        event: _core.Event,
        stages: Sequence[dict[str, Any]],
        plan: Any,
        temperature: Callable[[int], float],
    ) -> bool:
        """Do what an event asks for; whether it asked for something.

        Parameters
        ----------
        trainer : Trainer
        event : Event
        stages : sequence of dict
            As the core has them.
        plan : Plan
        temperature : callable
            That of a stage, as it is now.
        """
        if event.kind in (_core.EVENT_BATCH_NORM_SUMS, _core.EVENT_GRADIENT):
            if self._names[0] != event.stage:
                self._names = event.stage, trainer.arrays()
            kind, name = self._names[1][event.array]
            values = _get(trainer, kind, name)
            if event.kind == _core.EVENT_BATCH_NORM_SUMS:
                self.comm.Allreduce(self._in_place, values)
                trainer.set_array(kind, name, values)
            else:
                # Nobody wants it before the step's end: it travels while others are computed.
                self._sent.append((kind, name, values, self.comm.Iallreduce(self._in_place, values)))
                self._seen += 1
                if self._seen >= self._gradients.get(event.stage, 0):
                    self._receive(trainer)
        elif event.kind == _core.EVENT_EMBEDDINGS:
            self._loss(trainer, event, stages[event.stage], plan, temperature)
        elif event.kind == _core.EVENT_OUTPUT_STARTED:
            # Of rank 0's part of the batch.
            for name in plan.architecture.output_layer:
                values = _get(trainer, _core.ARRAY_PARAMETER, name)
                self.comm.Bcast(values, root=0)
                trainer.set_array(_core.ARRAY_PARAMETER, name, values)
        else:
            if event.kind == _core.EVENT_STEP:
                self._gradients[event.stage], self._seen = self._seen, 0
            if not self.sync_batchnorm and event.kind in (_core.EVENT_STEP, _core.EVENT_DIVERGED):
                self._average_statistics(trainer, event)
            return False
        return True

    def _receive(self, trainer: _core.Trainer) -> None:
        """The sums of all gradients that are on their way."""
        for kind, name, values, request in self._sent:
            request.Wait()
            trainer.set_array(kind, name, values)
        self._sent = []

    def _average_statistics(self, trainer: _core.Trainer, event: _core.Event) -> None:
        """The mean of what each rank's BatchNorm has seen, so that all hold the same network."""
        names = [
            (kind, name)
            for kind, name in trainer.arrays()
            if kind in (_core.ARRAY_BUFFER, _core.ARRAY_AVERAGE)
            and name.endswith((".running_mean", ".running_var"))
        ]
        arrays = [_get(trainer, kind, name) for kind, name in names]
        values = np.concatenate([*(array.ravel() for array in arrays), [event.kind == _core.EVENT_DIVERGED]])
        self.comm.Allreduce(self._in_place, values)
        if values[-1] not in (0, self.size):
            raise FloatingPointError("training diverged on some ranks: take a lower lr")
        values /= self.size
        position = 0
        for (kind, name), array in zip(names, arrays, strict=True):
            mean = values[position : position + array.size].reshape(array.shape)
            trainer.set_array(kind, name, mean.astype(array.dtype))
            position += array.size

    def _loss(
        self,
        trainer: _core.Trainer,
        event: _core.Event,
        stage: dict[str, Any],
        plan: Any,
        temperature: Callable[[int], float],
    ) -> None:
        """The loss of all ranks' embeddings, and its gradient with respect to those of this one."""
        own = _get(trainer, _core.ARRAY_EMBEDDINGS, "embeddings")
        views = plan.views
        counts = self.comm.allgather(event.batch_count)
        count = counts[self.rank]
        whole = self._gather(own, counts, views)
        degrees = np.frombuffer(stage["annealed_degrees"], np.float32)
        similarity: dict[str, Any] = {
            "first": sum(counts[: self.rank]),
            "count": count,
            "views": views,
            "metric": stage["metric"],
            "temperature": temperature(event.stage),
            "degrees": float(degrees[event.epoch]) if len(degrees) > 0 else stage["degrees_of_freedom"],
            "threads": plan.threads,
        }
        scales = np.empty((views * count, 1), np.float32)
        sums = np.empty(2)
        sums[0] = _core.infonce_sums(whole, scales, **similarity)
        gradient = np.empty_like(own)
        scales = self._gather(scales, counts, views)
        sums[1] = _core.infonce_gradient(whole, scales, gradient, **similarity)
        self.comm.Allreduce(self._in_place, sums)
        loss, derivative = sums
        trainer.set_array(_core.ARRAY_EMBEDDING_GRADIENT, "embeddings", gradient)
        if stage["temperature_rate"] > 0:
            trainer.set_array(_core.ARRAY_GRADIENT, TEMPERATURE, np.array([derivative], np.float32))
        trainer.set_loss(float(loss))

    def _gather(self, own: np.ndarray[Any, Any], counts: Sequence[int], views: int) -> np.ndarray[Any, Any]:
        """The rows of all ranks' images, first views first, of which each rank has its own in this order."""
        columns = own.shape[1]
        parts = np.empty((views * sum(counts), columns), own.dtype)
        self.comm.Allgatherv(own, [parts, [views * count * columns for count in counts]])
        edges = np.cumsum([0, *(views * count for count in counts)])
        blocks = [parts[a:b].reshape(views, -1, columns) for a, b in pairwise(edges)]
        return np.concatenate(blocks, axis=1).reshape(-1, columns)

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

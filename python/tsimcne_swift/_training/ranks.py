"""Training together with other processes, by MPI.

Each rank works on a part of every batch. Embeddings are gathered, so that all views of the batch are
negatives; sums of BatchNorm and gradients are added up; so all ranks hold the same network after each step.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._networks.network import TEMPERATURE
from .agreement import differences, written_ranks
from .one_rank import OneRank, Result

# Numbers that are added up in one message: MPI counts them in 31 bits.
MOST = 1 << 30


class OtherRankError(RuntimeError):
    """Another rank has raised an error, before the ranks began to train together."""


def check_comm(comm: Any) -> OneRank:
    """What the parameter stands for."""
    if comm is None:
        return OneRank()
    wanted = ("Get_rank", "Get_size", "Allreduce", "Iallreduce", "Allgatherv", "bcast")
    if not all(hasattr(comm, name) for name in wanted):
        raise TypeError(f"comm: got {comm!r}, want a communicator of mpi4py, such as MPI.COMM_WORLD")
    return Ranks(comm) if comm.Get_size() > 1 else OneRank()


class Ranks(OneRank):
    """The ranks of a communicator, as training uses them."""

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self.comm, self._mpi = comm, MPI
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        # Whether every rank raises what this one does, so that none is left to wait.
        self._raise_together = False
        self._names: tuple[int, list[tuple[int, str]]] = (-1, [])
        # Gradients of a step that are on their way; how many there were so far, and are in each of a stage.
        self._sent: list[tuple[int, str, npt.NDArray[Any], list[Any]]] = []
        self._seen, self._gradients = 0, dict[int, int]()
        # Whether the loss of the step that runs was exchanged.
        self._has_loss = False

    def stop_at(self, sync_batchnorm: bool) -> int:
        """Where a trainer stops, so that something is exchanged."""
        always = _core.STOP_AT_EMBEDDINGS | _core.STOP_AT_GRADIENTS | _core.STOP_AT_OUTPUT_STARTED
        return always | _core.STOP_AT_BATCH_NORM_SUMS if sync_batchnorm else always

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """An error of this rank alone ends the job: the others would wait for it forever."""
        if kind is None or self._raise_together:
            return
        traceback.print_exception(kind, error, trace)
        print(f"tsimcne_swift: rank {self.rank} of {self.size} failed", file=sys.stderr, flush=True)
        self.comm.Abort(1)

    def together(self, work: Callable[[], Result]) -> Result:
        """The result of work that talks to nobody; an error of one rank is raised by all."""
        result, failure = None, None
        try:
            result = work()
        except Exception as error:
            failure = error
        said = self.comm.allgather(None if failure is None else f"{type(failure).__name__}: {failure}")
        failed = [f"rank {rank} of {self.size}: {text}" for rank, text in enumerate(said) if text is not None]
        try:
            if failed:
                raise self.everywhere(failure or OtherRankError(failed[0]))
        finally:
            # An error that this frame has would hold on to all that its frames have.
            failure = None
        return result  # type: ignore[return-value]

    def everywhere(self, error: Exception) -> Exception:
        """The error, which every rank raises now, so that none is left to wait."""
        self._raise_together = True
        return error

    def agree(self, describe: Callable[[], dict[str, Any]]) -> None:
        """Raise a ValueError on every rank where ranks were given others, with what differs and where."""
        differs = differences(self.comm.allgather(self.together(describe)))
        if differs:
            text = "comm: the ranks want the same, but were given others: " + "; ".join(differs)
            raise self.everywhere(ValueError(text))

    def largest(self, value: float) -> float:
        """Of all ranks."""
        return float(max(self.comm.allgather(value)))

    def share(self, value: Any) -> Any:
        """That of rank 0."""
        return self.comm.bcast(value, root=0)

    def exchange(
        self, trainer: _core.Trainer, event: _core.Event, plan: Any, temperature: Callable[[int], float]
    ) -> bool:
        """Do what an event asks for; whether it asked for something."""
        if event.kind in (_core.EVENT_BATCH_NORM_SUMS, _core.EVENT_GRADIENT):
            if self._names[0] != event.stage:
                self._names = event.stage, trainer.arrays()
            kind, name = self._names[1][event.array]
            values = read_array(trainer, kind, name)
            if event.kind == _core.EVENT_BATCH_NORM_SUMS:
                self.add(values)
                trainer.set_array(kind, name, values)
            else:
                # Nobody wants it before the step's end: it travels while others are computed.
                requests = [self.comm.Iallreduce(self._mpi.IN_PLACE, part) for part in _parts(values)]
                self._sent.append((kind, name, values, requests))
                self._seen += 1
                if self._seen >= self._gradients.get(event.stage, 0):
                    self._receive(trainer)
        elif event.kind == _core.EVENT_EMBEDDINGS:
            self._loss(trainer, event, plan, temperature)
        elif event.kind == _core.EVENT_OUTPUT_STARTED:
            self._diverge_together(False)
            # Of rank 0's part of the batch.
            for name in plan.architecture.output_layer:
                values = read_array(trainer, _core.ARRAY_PARAMETER, name)
                for part in _parts(values):
                    self.comm.Bcast(part, root=0)
                trainer.set_array(_core.ARRAY_PARAMETER, name, values)
        else:
            if event.kind == _core.EVENT_DIVERGED and not self._has_loss:
                # Before its output layer could begin, of which the others speak now.
                self._diverge_together(True)
            elif event.kind in (_core.EVENT_STEP, _core.EVENT_DIVERGED) and not plan.values.sync_batchnorm:
                self._average_statistics(trainer, event)
            if event.kind == _core.EVENT_STEP:
                self._gradients[event.stage], self._seen = self._seen, 0
                self._has_loss = False
            return False
        return True

    def _diverge_together(self, diverged: bool) -> None:
        """Raise a FloatingPointError on every rank where some diverged, and others did not."""
        said = self.comm.allgather(diverged)
        if any(said) and not all(said):
            ranks = written_ranks([rank for rank, it_did in enumerate(said) if it_did])
            raise self.everywhere(FloatingPointError(f"training diverged on {ranks}: take a lower lr"))

    def add(self, values: npt.NDArray[Any]) -> None:
        """The sum over all ranks, in place."""
        for part in _parts(values):
            self.comm.Allreduce(self._mpi.IN_PLACE, part)

    def _receive(self, trainer: _core.Trainer) -> None:
        """The sums of all gradients that are on their way."""
        for kind, name, values, requests in self._sent:
            for request in requests:
                request.Wait()
            trainer.set_array(kind, name, values)
        self._sent = []

    def _average_statistics(self, trainer: _core.Trainer, event: _core.Event) -> None:
        """The mean of what each rank's BatchNorm has seen, so that all hold the same network."""
        kinds = (_core.ARRAY_BUFFER, _core.ARRAY_AVERAGE)
        names = [
            (kind, name)
            for kind, name in trainer.arrays()
            if kind in kinds and name.endswith((".running_mean", ".running_var"))
        ]
        arrays = [read_array(trainer, kind, name) for kind, name in names]
        values = np.concatenate([*(array.ravel() for array in arrays), [event.kind == _core.EVENT_DIVERGED]])
        self.add(values)
        if values[-1] not in (0, self.size):
            self._diverge_together(event.kind == _core.EVENT_DIVERGED)
        values /= self.size
        position = 0
        for (kind, name), array in zip(names, arrays, strict=True):
            mean = values[position : position + array.size].reshape(array.shape)
            trainer.set_array(kind, name, mean.astype(array.dtype))
            position += array.size

    def _loss(
        self, trainer: _core.Trainer, event: _core.Event, plan: Any, temperature: Callable[[int], float]
    ) -> None:
        """The loss of all ranks' embeddings, and its gradient with respect to those of this one."""
        own = read_array(trainer, _core.ARRAY_EMBEDDINGS, "embeddings")
        stage, views = plan.core_stages([plan.stages[event.stage]])[0], plan.views
        counts = self.comm.allgather(event.batch_count)
        count = counts[self.rank]
        whole = self._gather(own, [views * rows for rows in counts])
        whole = _views_first(whole, counts, views)
        similarity: dict[str, Any] = {
            "first": sum(counts[: self.rank]),
            "count": count,
            "views": views,
            "metric": stage["metric"],
            "temperature": temperature(event.stage),
            "degrees": event.degrees_of_freedom,
            "threads": plan.threads,
        }
        scales = np.empty((views * count, 1), np.float32)
        sums = np.empty(2)
        sums[0] = _core.infonce_sums(whole, scales, **similarity)
        gradient = np.empty_like(own)
        scales = _views_first(self._gather(scales, [views * rows for rows in counts]), counts, views)
        sums[1] = _core.infonce_gradient(whole, scales, gradient, **similarity)
        self.add(sums)
        loss, derivative = sums
        trainer.set_array(_core.ARRAY_EMBEDDING_GRADIENT, "embeddings", gradient)
        if stage["temperature_rate"] > 0:
            trainer.set_array(_core.ARRAY_GRADIENT, TEMPERATURE, np.array([derivative], np.float32))
        trainer.set_loss(float(loss))
        self._has_loss = True

    def _gather(self, own: npt.NDArray[Any], counts: Sequence[int]) -> npt.NDArray[Any]:
        """The rows of all ranks, one rank's after another's; ``counts`` says how many each has."""
        columns = own.shape[1]
        result = np.empty((sum(counts), columns), own.dtype)
        # Rows are counted, not bytes, of which there may be more than MPI counts.
        row = self._mpi.BYTE.Create_contiguous(columns * own.itemsize).Commit()
        try:
            self.comm.Allgatherv([own, len(own), row], [result, list(counts), None, row])
        finally:
            row.Free()
        return result

    def gather(self, own: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return self._gather(own, self.comm.allgather(len(own)))


def _parts(values: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Views of it, each of as many numbers as a message may have."""
    flat = values.reshape(-1)
    for first in range(0, flat.size, MOST):
        yield flat[first : first + MOST]


def read_array(trainer: _core.Trainer, kind: int, name: str) -> Any:
    """A copy of an array of the trainer."""
    shape, format, values = trainer.array(kind, name)
    return np.frombuffer(values, np.dtype(format)).reshape(shape)


def _views_first(rows: npt.NDArray[Any], counts: Sequence[int], views: int) -> npt.NDArray[Any]:
    """Rows of all ranks, each rank's first views first, in the order of a batch: all first views first."""
    edges = np.cumsum([0, *(views * count for count in counts)])
    columns = rows.shape[1]
    blocks = [rows[a:b].reshape(views, -1, columns) for a, b in pairwise(edges)]
    return np.concatenate(blocks, axis=1).reshape(-1, columns)

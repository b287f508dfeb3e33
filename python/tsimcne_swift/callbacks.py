"""Callbacks: functions that are called after each epoch with a `Record`; True stops training.

>>> from tsimcne_swift import TSimCNE, callbacks
>>> TSimCNE(callbacks=[callbacks.CSVLog("run.csv"), lambda record: record.loss < 3]).fit(X)
"""

from __future__ import annotations

import csv
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks.values import check_integer
from ._system.writing import replacing, write

__all__ = ["CSVLog", "EmbeddingSnapshots", "Record", "TensorBoard"]


@dataclass(frozen=True)
class Record:
    """What is known after an epoch.

    Parameters
    ----------
    stage, epoch : int
        Numbers from 1 of the stage, and of the epoch within its stage.
    loss : float
        Mean loss of the epoch's steps.
    lr : float
        Learning rate of the epoch's last step.
    temperature : float
        Temperature after the epoch's last step.
    seconds : float
        Seconds that the epoch's steps took.
    pairs_per_second : float
        Number of images trained on in a second.
    make_embedding : callable
        Function that `embedding` calls.
    """

    stage: int
    epoch: int
    loss: float
    lr: float
    temperature: float
    seconds: float
    pairs_per_second: float
    make_embedding: Callable[[], npt.NDArray[np.float32]] = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The values, as in ``history_``.

        Returns
        -------
        dict
            All values but ``make_embedding``.
        """
        return {name: getattr(self, name) for name in FIELDS}

    def embedding(self) -> npt.NDArray[np.float32]:
        """Map of the training images as it is now, in the dimension of the stage.

        It is made when it is asked for, which takes as long as ``transform(X)``; training waits, also for
        another thread that the callback has asking.

        Returns
        -------
        ndarray of shape (n, components), float32

        Raises
        ------
        ValueError
            If the callback that got the record is over.
        """
        return self.make_embedding()


FIELDS = ("stage", "epoch", "loss", "lr", "temperature", "seconds", "pairs_per_second")


class CSVLog:
    """Writes a line per epoch; a run that is resumed goes on in the same file.

    Parameters
    ----------
    path : path
        File to write; a new training replaces an older one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __call__(self, record: Record) -> None:
        if record.stage == record.epoch == 1 or not self.path.exists():
            write(self.path, (",".join(FIELDS) + "\r\n").encode())
        # Numbers alone: there is no text in it that a spreadsheet could take for a formula.
        with open(self.path, "a", newline="") as file:
            csv.DictWriter(file, FIELDS).writerow(record.as_dict())


class TensorBoard:
    """Writes loss, learning rate and speed for TensorBoard; wants the package tensorboardX.

    Parameters
    ----------
    folder : path
        Folder for the event files.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self._writer: Any = None
        self._step = 0

    def __call__(self, record: Record) -> None:
        if self._writer is None:
            self._writer = self._open()
        self._step += 1
        values = {name: float(getattr(record, name)) for name in ("stage", *FIELDS[2:])}
        self._writer.write_event(_event(self._step, values))
        self._writer.flush()

    def _open(self) -> Any:
        # SummaryWriter leaves the last events in a queue of its own, and two of the same second in the
        # same folder overwrite each other's file.
        try:
            from tensorboardX.event_file_writer import EventsWriter
        except ImportError as error:
            raise ImportError("callbacks.TensorBoard wants: pip install tensorboardX") from error
        os.makedirs(self.folder, exist_ok=True)
        return EventsWriter(os.path.join(self.folder, "events"), f".{uuid.uuid4().hex[:8]}")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_writer": None}


def _event(step: int, values: dict[str, float]) -> Any:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    return Event(wall_time=time.time(), step=step, summary=Summary(value=scalars))


class EmbeddingSnapshots:
    """Keeps the map of the training images as it forms, in files like ``stage1-epoch003.npy``.

    Parameters
    ----------
    folder : path
        Folder for the maps, which is made if it is missing.
    every : int, default=1
        Epochs between two snapshots; the first epoch of a stage always gives one.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int = 1) -> None:
        self.folder = Path(folder)
        self.every = check_integer("every", every, 1, 10**9)

    def __call__(self, record: Record) -> None:
        if (record.epoch - 1) % self.every:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        Y = record.embedding()
        with replacing(self.folder / f"stage{record.stage}-epoch{record.epoch:03}.npy") as file:
            np.save(file, Y)

"""Reading processes, from the side of those who ask: see `_decoding`."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ._decoding._layout import Layout
from ._decoding._limits import CLOCK_SECONDS, PROCESSOR_SECONDS
from ._decoding._pixels import Facts, UnforeseenError
from ._decoding._serve import FACTS, HEAD, PIXELS, READY, REASON, UNFORESEEN

PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from _decoding._serve import serve; serve()"
# A process has one thread; there are as many processes as are wanted.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TIMERS = {signal.SIGPROF: PROCESSOR_SECONDS, signal.SIGALRM: CLOCK_SECONDS}


@dataclass(frozen=True)
class Encoded:
    """A picture that is to be decoded.

    Parameters
    ----------
    source : tuple
        One of ("file", path), ("entry", path of a zip file, number of the entry), ("data", bytes) or
        ("frame", path of a video, time stamp, that of the frame it is decoded from).
    ending : str
        Ending of its name.
    """

    source: tuple[Any, ...]
    ending: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels (height, width, channels), and what a picture says of itself: see `_metadata`."""

    pixels: npt.NDArray[np.uint8]
    said: dict[str, Any]


class _Gone(Exception):
    """The process ended, for this reason."""


class _Worker:
    def __init__(self) -> None:
        # Its modules are found where ours are; of this package it has the decoding alone.
        command = [sys.executable, "-I", "-S", "-c", PROGRAM, *sys.path, str(Path(__file__).parent)]
        # Ctrl-C is for the process that asks.
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ENVIRONMENT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RuntimeError(f"images: a process that reads pictures did not start; {error}") from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]

    def check(self) -> None:
        """Wait until the process has started."""
        try:
            kind, _ = self._receive()
        except _Gone as error:
            raise RuntimeError(f"images: a process that reads pictures did not start; it {error}") from error
        assert kind == READY

    def ask(
        self, pictures: Sequence[Encoded], layout: Layout | None, alarms: Collection[str]
    ) -> Iterator[tuple[bytes, bytes]]:
        """Kind and body of the answer for each picture, until the process ends."""
        import pickle

        asked = [(picture.source, picture.ending) for picture in pictures]
        request = (asked, None if layout is None else astuple(layout), tuple(alarms))
        # Where a process has ended, the answer that does not come gives the reason.
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(pickle.dumps(request, pickle.HIGHEST_PROTOCOL))
            self._requests.flush()
        for _ in pictures:
            yield self._receive()

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._answers.read(HEAD.size)
        kind, length = HEAD.unpack(head) if len(head) == HEAD.size else (b"", 0)
        body = self._answers.read(length)
        if kind == b"" or len(body) < length:
            raise _Gone(self._end())
        return kind, body

    def _end(self) -> str:
        code = self._process.wait()
        if -code in TIMERS:
            return f"takes more than {TIMERS[signal.Signals(-code)]} s to be decoded"
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"ends the process that reads it ({name})"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._answers, self._requests):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class Workers:
    """As many processes as there are threads that ask; one that ended is replaced when another is wanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._is_closed = False

    def facts(self, picture: Encoded) -> Facts | str:
        """Facts of a picture, from its headers where they suffice; or the reason why it cannot be read."""
        ((kind, body),) = self._ask([picture], None)
        if kind != FACTS:
            return body.decode()
        return Facts.read(json.loads(body))

    def frames(self, path: str, every: float) -> dict[str, Any] | str:
        """What `Video.list_frames` finds, or the reason why it is no video that can be read."""
        ((kind, body),) = self._ask([Encoded(("frames", path, every))], None)
        return json.loads(body) if kind == FACTS else body.decode()

    def pictures(
        self, pictures: Sequence[Encoded], layout: Layout, alarms: Collection[str]
    ) -> list[Picture | str | UnforeseenError]:
        """Each picture, or the reason why it cannot be read."""
        shape = (*layout.size, layout.channels)
        size = math.prod(shape)
        results: list[Picture | str | UnforeseenError] = []
        for kind, body in self._ask(pictures, layout, alarms):
            if kind == PIXELS:
                values = np.frombuffer(body, np.uint8, size).reshape(shape)
                results.append(Picture(values, json.loads(body[size:]) if len(body) > size else {}))
            else:
                results.append(UnforeseenError(body.decode()) if kind == UNFORESEEN else body.decode())
        return results

    def _ask(
        self, pictures: Sequence[Encoded], layout: Layout | None, alarms: Collection[str] = ()
    ) -> list[tuple[bytes, bytes]]:
        answers: list[tuple[bytes, bytes]] = []
        while len(answers) < len(pictures):
            worker = self._take()
            try:
                for answer in worker.ask(pictures[len(answers) :], layout, alarms):
                    answers.append(answer)
            except BaseException as error:
                with self._lock:
                    self._all.discard(worker)
                worker.close()
                if not isinstance(error, _Gone):
                    raise
                # The first picture without an answer is the one that the process was at.
                answers.append((REASON, str(error).encode()))
                continue
            with self._lock:
                self._idle.append(worker)
        return answers

    def _take(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._is_closed:
                raise RuntimeError("images: reading has ended")
            worker = _Worker()
            self._all.add(worker)
        worker.check()
        return worker

    def close(self) -> None:
        """End all processes; what is asked now has no answer."""
        with self._lock:
            self._is_closed = True
            workers, self._idle = list(self._all), []
        for worker in workers:
            worker.close()

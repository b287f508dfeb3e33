"""A reading process: pictures in, pixels or the reason why not out, within limits.

Decoders are large and written in C. What is made to harm them ends this process, or is ended by its limits,
and is one file that could not be read.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import stat
import struct
import sys
import warnings
import zipfile
from collections.abc import Collection
from dataclasses import asdict
from functools import cache
from typing import Any, BinaryIO

from ._camera import camera_of
from ._frames import open_video
from ._kinds import RefusedError
from ._layout import Layout
from ._limits import CLOCK_SECONDS, MEMORY_BYTES, PROCESSOR_SECONDS, check_length
from ._opening import formats, open_data
from ._pixels import UnforeseenError, facts_of, pixels

# Kind and length of an answer, which come before it.
HEAD = struct.Struct("<cq")
READY, PIXELS, FACTS, REASON, UNFORESEEN = b"!", b"p", b"f", b"r", b"u"


def serve() -> None:
    """Answer requests, which are pickled by the process that started this one, until there are no more."""
    # Imported where its own parent speaks to it: who loads a model has no unpickling module of ours.
    import pickle

    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a decoder prints is no answer.
    os.dup2(2, 1)
    _limit()
    _send(answers, READY, b"")
    while True:
        try:
            pictures, layout, alarms = pickle.load(requests)
        except EOFError:
            return
        for source, ending in pictures:
            _send(answers, *_answer(source, ending, None if layout is None else Layout(*layout), alarms))


def _limit() -> None:
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    warnings.simplefilter("ignore")
    # What a library says of a file is said in the reason, where it has one.
    logging.disable(logging.CRITICAL)
    formats()
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(kind, (0, 0))
    if sys.platform != "linux":
        # macOS knows no limit of a process's memory.
        return
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    # Where memory ends all the same, this process is the one to go.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _send(answers: BinaryIO, kind: bytes, body: Any) -> None:
    answers.write(HEAD.pack(kind, len(body)))
    answers.write(body)
    # Answers go at once: where this process ends, the first picture without an answer is the reason.
    answers.flush()


def _answer(
    source: tuple[Any, ...], ending: str, layout: Layout | None, alarms: Collection[str]
) -> tuple[bytes, Any]:
    """The pixels in a layout, and what the picture says of itself; or without one what is known of it."""
    # A broken file must not end the reading of a folder, whatever its decoder raises.
    try:
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        if source[0] == "frames":
            return FACTS, json.dumps(open_video(source[1]).list_frames(source[2])).encode()
        picture = _open(source, ending)
        if layout is not None:
            values = pixels(picture, layout, alarms)
            said = camera_of(picture)
            return PIXELS, values.tobytes() + json.dumps(said).encode() if said else values.data.cast("B")
        return FACTS, json.dumps(asdict(facts_of(picture))).encode()
    except UnforeseenError as error:
        return UNFORESEEN, str(error).encode()
    except MemoryError:
        return REASON, f"wants more than {MEMORY_BYTES >> 20:,} MiB to be decoded".encode()
    except Exception as error:
        return REASON, reason_of(error).encode(errors="replace")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def reason_of(error: Exception) -> str:
    """Why a picture was skipped."""
    kind = type(error).__name__
    if isinstance(error, RefusedError):
        return str(error)
    return "is no picture that is known" if kind == "UnidentifiedImageError" else f"{kind}: {error}"


def _open(source: tuple[Any, ...], ending: str) -> Any:
    if source[0] == "frame":
        signal.setitimer(signal.ITIMER_REAL, CLOCK_SECONDS)
        return open_video(source[1]).frame(*source[2:])
    data = _read(*source)
    signal.setitimer(signal.ITIMER_REAL, CLOCK_SECONDS)
    return open_data(data, ending)


def _read(kind: str, *place: Any) -> bytes:
    """The bytes of a file, of an entry of an archive, or that were sent along."""
    if kind == "data":
        data: bytes = place[0]
        check_length(len(data))
        return data
    if kind == "entry":
        archive = _archive(place[0])
        entry = archive.infolist()[place[1]]
        check_length(entry.file_size)
        return archive.read(entry)
    return _read_file(place[0])


def _read_file(path: str) -> bytes:
    # A pipe may never end and a device never does, and to open one may wait for ever.
    if not os.path.isfile(path):
        raise ValueError("is no regular file")
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is no regular file")
        check_length(status.st_size)
        return file.read(status.st_size)


@cache
def _archive(path: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)

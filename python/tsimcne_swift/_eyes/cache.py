"""Features on disk, block by block as they are found: what a killed run has seen is not looked at again."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .._system.text import legible
from .._system.writing import write

Rows = npt.NDArray[np.float32]
MAGIC = b"tsimcne-swift features 1\n"
LONGEST_KEY = 1 << 20
# Bytes of a block's number of rows, and of the digest behind it.
COUNT, DIGEST = 4, 16


class _Whole:
    """A file without a buffer that reads and writes all that it is asked to."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.seek, self.tell, self.truncate = raw.seek, raw.tell, raw.truncate

    def read(self, length: int) -> bytes:
        parts = []
        while length > 0 and (part := self._raw.read(length)):
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._raw.write(view) :]


class Cache:
    """A file of features: what they are of, then blocks of rows, each with a digest of all before it.

    Parameters
    ----------
    file : file
        Open, with the key read.
    key : bytes
    columns : int
    """

    def __init__(self, file: _Whole, key: bytes, columns: int) -> None:
        self._file: _Whole | None = file
        self._digest = _digest_of(key)
        self._row = 4 * columns

    def read(self, result: Rows) -> int:
        """Put the rows that are there into the first of ``result``; how many they are.

        What is behind the first block that is cut or damaged goes.
        """
        assert self._file is not None
        done, good = 0, self._file.tell()
        while done < len(result):
            count = int.from_bytes(self._file.read(COUNT), "little")
            if not 0 < count <= len(result) - done:
                break
            data = self._file.read(count * self._row)
            digest = _digest_of(self._digest, count.to_bytes(COUNT, "little"), data)
            if self._file.read(DIGEST) != digest:
                break
            rows = np.frombuffer(data, "<f4").reshape(count, -1)
            if not np.isfinite(rows).all():
                break
            result[done : done + count] = rows
            done, good, self._digest = done + count, self._file.tell(), digest
        self._file.seek(good)
        self._file.truncate()
        return done

    def append(self, rows: Rows) -> None:
        """Append a block. A disk that is full does not end the run."""
        if self._file is None:
            return
        data = np.ascontiguousarray(rows, "<f4").tobytes()
        count = len(rows).to_bytes(COUNT, "little")
        digest = _digest_of(self._digest, count, data)
        try:
            self._file.write(count + data + digest)
        except OSError as error:
            warnings.warn(f"cache: {error}; the run goes on without", RuntimeWarning, stacklevel=2)
            self._file = None
        self._digest = digest


@contextlib.contextmanager
def open_cache(path: str, key: dict[str, Any], columns: int) -> Iterator[Cache]:
    """The cache of a path for features of a key; one of other features is named, and made anew.

    Raises
    ------
    ValueError
        If the file is none of features, or another run has it.
    """
    written = json.dumps(key, sort_keys=True).encode()
    head = MAGIC + written + b"\n"
    older = _key_of(path)
    if older is not None and older != written:
        warnings.warn(
            f"cache: {legible(path)} has features {_difference(older, key)}; it is made anew",
            UserWarning,
            stacklevel=3,
        )
    if older != written:
        write(path, head)
    # Without a buffer a row that was appended is the kernel's, and stays when the process is killed.
    with open(path, "r+b", buffering=0) as raw:
        try:
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"cache: another run writes {legible(path)} now; want another name") from error
        except OSError:  # a file system without locks
            pass
        raw.seek(len(head))
        yield Cache(_Whole(raw), written, columns)


def _key_of(path: str) -> bytes | None:
    """The key of a file; None where there is no file."""
    if not os.path.exists(path):
        return None
    if os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return file.readline(LONGEST_KEY).rstrip(b"\n")
    raise ValueError(f"cache: {legible(path)} is there, and holds no features; want another name")


def _difference(older: bytes, key: dict[str, Any]) -> str:
    """What the older features are of."""
    try:
        theirs = json.loads(older)
        other = [name for name, value in key.items() if theirs.get(name) != value]
    except (ValueError, AttributeError, RecursionError):
        return "that are damaged"
    if other != ["eyes"]:
        return "of other images"
    try:
        fields = [name for name, value in key["eyes"].items() if theirs["eyes"].get(name) != value]
    except (AttributeError, KeyError):
        fields = []
    return "of another network" if "sha256" in fields or not fields else f"with another {', '.join(fields)}"


def _digest_of(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST)
    for part in parts:
        digest.update(part)
    return digest.digest()

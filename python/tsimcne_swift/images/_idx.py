"""The idx format of MNIST."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from .._checks.values import check_regular
from ._collection import ImageCollection
from ._reading import Options
from ._stacks import from_stack
from ._storage import Storage

# Most bytes that a byte of deflate may become.
LARGEST_RATIO = 1032
# Bytes that are read together.
CHUNK = 1 << 24


def from_idx(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    label_names: list[str] | None = None,
    **options: Unpack[Options],
) -> ImageCollection:
    """Images of an idx file, gzipped or not, as they are where no other size is asked for.

    Parameters
    ----------
    images : path
        File of uint8 with three dimensions, or four with channels last.
    labels : path or None
        File of uint8 with one dimension, as many as images.
    label_names : list of str or None
        Names of the labels 0, 1, …; None: the numbers.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection

    Raises
    ------
    ValueError
        If a file is none of these, or ends too early.
    """
    X = read_idx(images, "images")
    if X.ndim not in (3, 4):
        raise ValueError(f"images: got {X.ndim} dimensions in {os.fspath(images)}, want 3 or 4")
    collection = from_stack("images", X, options)
    if labels is None:
        return collection
    y = read_idx(labels, "labels").astype(np.int64)
    if y.shape != (len(X),):
        raise ValueError(f"labels: got shape {y.shape} in {os.fspath(labels)}, want ({len(X)},)")
    known = label_names if label_names is not None else [str(i) for i in range(int(y.max(initial=-1)) + 1)]
    if len(y) and y.max() >= len(known):
        raise ValueError(f"label_names: got {len(known)}, but labels go up to {y.max()}")
    return replace(collection, labels=y, label_names=list(known))


def read_idx(path: str | os.PathLike[str], name: str) -> npt.NDArray[np.uint8]:
    """The array of bytes in an idx file; errors name the argument."""
    check_regular(name, path)
    with open(path, "rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        # The file can hold so much at most, by its length alone.
        most = os.fstat(file.fileno()).st_size * (LARGEST_RATIO if is_packed else 1)
        stream = _Stream(gzip.GzipFile(fileobj=file) if is_packed else file, f"{name}: got {os.fspath(path)}")
        start = stream.read(4)
        sizes = stream.read(4 * start[3]) if len(start) == 4 else b""
        if start[:3] != b"\0\0\x08" or len(sizes) < 4 or len(sizes) != 4 * start[3]:
            raise ValueError(f"{stream.name}, which is no idx file of bytes")
        shape = tuple(int(n) for n in np.frombuffer(sizes, ">i4"))
        count = math.prod(shape)
        if min(shape) < 0 or count > most:
            raise ValueError(f"{stream.name} with at most {most} values, want {shape}")
        with Storage((count,), None) as storage:
            got = 0
            while part := stream.read(min(CHUNK, count - got)):
                storage.append(np.frombuffer(part, np.uint8))
                got += len(part)
            if got < count or stream.read(1):
                raise ValueError(f"{stream.name} with {'more' if got == count else got} values, want {shape}")
            return storage.finish().reshape(shape)


class _Stream:
    """Bytes of a file, gzipped or not; ``name`` begins its errors."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self.name = name

    def read(self, count: int) -> bytes:
        """So many bytes, or fewer where the file ends."""
        try:
            data: bytes = self._stream.read(count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{self.name}, which is damaged ({error})") from error
        return data

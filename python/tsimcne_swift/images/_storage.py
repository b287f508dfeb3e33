"""Room for many images: in memory, or in a file that is read in place."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from .._system.config import available_memory
from .._system.writing import replacing

# Share of the available memory that images may take; larger sets go to a file.
MEMORY_SHARE = 0.25


@contextlib.contextmanager
def _nameless() -> Iterator[BinaryIO]:
    """A file that nobody else can open, and that goes with its last map."""
    with tempfile.TemporaryFile() as file:
        yield file


class Storage:
    """Room for images, which come one after the other.

    Parameters
    ----------
    shape : tuple of int
        Shape of all images; fewer may come.
    cache : path or None
        A ``.npy`` file that will hold the images. None: memory, or a nameless file where they would take more
        than a quarter of what is available.

    Raises
    ------
    OSError
        If the disk has no room for all images: later it would end the process that writes to a map.
    """

    def __init__(self, shape: tuple[int, ...], cache: str | os.PathLike[str] | None) -> None:
        self._shape = shape
        self._count = 0
        self._cache = None if cache is None else os.fspath(cache)
        self._closing = contextlib.ExitStack()
        self._file: BinaryIO | None = None
        size = int(np.prod(shape, dtype=object))
        if cache is None and size <= MEMORY_SHARE * available_memory():
            self._images = np.empty(shape, np.uint8)
            return
        # What a map of an older cache shows stays, and two that write one do not meet.
        self._file = self._closing.enter_context(_nameless() if cache is None else replacing(cache))
        try:
            self._write_header(shape[0])
            self._reserve(self._file.tell() + size)
        except BaseException as error:
            self._closing.__exit__(type(error), error, error.__traceback__)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A cache takes its place where all went well; else nothing is left of it."""
        self._closing.__exit__(kind, error, trace)

    def _write_header(self, count: int) -> None:
        assert self._file is not None
        self._file.seek(0)
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *self._shape[1:])}
        np.lib.format.write_array_header_1_0(self._file, header)

    def _reserve(self, size: int) -> None:
        assert self._file is not None
        try:
            os.posix_fallocate(self._file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                raise
            folder = tempfile.gettempdir() if self._cache is None else os.path.dirname(self._cache) or "."
            name = "images" if self._cache is None else "cache"
            hint = "; name a file on another disk as cache, or set TMPDIR" if self._cache is None else ""
            raise OSError(
                error.errno, f"{name}: {size:,} bytes of images have no room in {folder}{hint}"
            ) from error

    def append(self, images: npt.NDArray[np.uint8]) -> None:
        """Append one more image, or several."""
        rows = images.reshape(-1, *self._shape[1:])
        if self._file is not None:
            self._file.write(rows.data if rows.flags.c_contiguous else rows.tobytes())
        else:
            self._images[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def finish(self) -> npt.NDArray[np.uint8]:
        """All images that came."""
        if self._file is None:
            return self._images[: self._count]
        # The header has room for any number.
        self._file.truncate(self._file.tell())
        self._write_header(self._count)
        self._file.flush()
        shape = (self._count, *self._shape[1:])
        images = np.memmap(self._file, np.uint8, "r+", self._file.tell(), shape)
        if self._cache is not None:
            # Types have it as final.
            vars(images)["filename"] = self._cache
        return images

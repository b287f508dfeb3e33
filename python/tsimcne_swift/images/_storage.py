"""Where many images lie: in memory, or in a file that is read in place."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from .._config import available_memory

# Of the memory that is available; larger sets go to a file.
MEMORY_SHARE = 0.25


class Storage:
    """Room for images, which come one after the other.

    Parameters
    ----------
    shape : tuple of int
        Of all; fewer may come.
    cache : path or None
        A ``.npy`` file that will hold the images. None: memory, or a nameless file where they would take more
        than a quarter of what is available.

    Raises
    ------
    OSError
        If the disk has no room for all of them: later it would end the process that writes to a map.
    """

    def __init__(self, shape: tuple[int, ...], cache: str | os.PathLike[str] | None) -> None:
        self._shape = shape
        self._count = 0
        self._target = None if cache is None else Path(cache)
        self._file: BinaryIO | None = None
        size = int(np.prod(shape, dtype=object))
        if cache is None and size <= MEMORY_SHARE * available_memory():
            self._images = np.empty(shape, np.uint8)
            return
        # Under its own name: what a map of an older file shows stays, and two that write do not meet.
        folder = None if self._target is None else os.path.dirname(os.path.realpath(self._target))
        number, self._path = tempfile.mkstemp(".npy", ".tsimcne-", folder)
        self._file = os.fdopen(number, "w+b")
        try:
            self._write_header(shape[0])
            self._reserve(self._file.tell() + size)
        except BaseException:
            self.discard()
            raise

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
            folder = os.path.dirname(self._path)
            name = "cache" if self._target is not None else "images"
            hint = "" if self._target is not None else "; name a file on another disk as cache, or set TMPDIR"
            raise OSError(
                error.errno, f"{name}: {size:,} bytes of images have no room in {folder}{hint}"
            ) from error

    def append(self, images: npt.NDArray[np.uint8]) -> None:
        """One more image, or several."""
        rows = images.reshape(-1, *self._shape[1:])
        if self._file is not None:
            self._file.write(rows.data if rows.flags.c_contiguous else rows.tobytes())
        else:
            self._images[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def finish(self) -> npt.NDArray[np.uint8]:
        """All that came; a cache is in its place only now."""
        if self._file is None:
            return self._images[: self._count]
        shape = (self._count, *self._shape[1:])
        with self._file as file:
            # The header has room for any number.
            file.truncate(file.tell())
            self._write_header(self._count)
            file.flush()
            images = np.memmap(file, np.uint8, "r+", file.tell(), shape)
        if self._target is None:
            os.unlink(self._path)
        else:
            # As any new file of this user.
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(self._path, 0o666 & ~mask)
            os.replace(self._path, os.path.realpath(self._target))
            images.filename = os.fspath(self._target)
        return images

    def discard(self) -> None:
        """Leave nothing of a file that was not finished."""
        if self._file is not None and not self._file.closed:
            self._file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)

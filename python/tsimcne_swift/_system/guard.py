"""Images in files that others may cut while they are read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core


class UnreadableError(ValueError):
    """Images that were read are not those of the file: nothing that was made of them is to be kept."""


@dataclass(frozen=True)
class MappedFile:
    """A file, and the length that it must have for what is mapped of it."""

    path: str
    device: int
    inode: int
    length: int

    def check(self) -> None:
        """A file of that name that took its place since is another's: the map holds on to the old one."""
        try:
            found = os.stat(self.path)
        except OSError:
            return
        if (found.st_dev, found.st_ino) == (self.device, self.inode) and found.st_size < self.length:
            raise UnreadableError(
                f"X: got a memory map of {self.path}, which has {found.st_size} bytes, want {self.length}"
            )


class Guard:
    """Watches an array's memory where it may be a mapped file: a map, or a buffer of something else.

    Reading a page of a file that was cut, or that its disk does not give, would end the process. Here it
    gives zeros, and an error from `check`. The lengths of files are looked at too: what is lost of a file's
    last page reads as zeros by itself.

    Parameters
    ----------
    array : ndarray
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        # The array is kept, so that its memory stays as long as the guard.
        self._array = array
        self._handle: int | None = None
        self._files: list[MappedFile] = []
        if array.size == 0 or _is_own_memory(array):
            return
        first, last = _bounds(array)
        self._handle = _core.guard_create(first, last - first)
        self._files = _mapped_files(first, last)
        self.check()

    def check(self) -> None:
        """Check that all that was read since the beginning is what the files hold.

        Raises
        ------
        UnreadableError
            If something else was read.
        """
        for file in self._files:
            file.check()
        if self._handle is not None and _core.guard_faults(self._handle) > 0:
            names = ", ".join(file.path for file in self._files) or "a file"
            raise UnreadableError(
                f"X: got memory of {names} that cannot be read: the file was cut meanwhile, or its disk fails"
            )

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None:
            _core.guard_destroy(handle)


def as_own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, or a copy that was read whole where its memory may be a mapped file."""
    if _is_own_memory(array):
        return array
    guard = Guard(array)
    copy = array.copy()
    guard.check()
    return copy


def _is_own_memory(array: npt.NDArray[Any]) -> bool:
    """Whether the memory is numpy's own, which is no file's."""
    root: Any = array
    while isinstance(root, np.ndarray):
        if root.flags.owndata:
            return True
        root = root.base
    return isinstance(root, bytes)


def _bounds(array: npt.NDArray[Any]) -> tuple[int, int]:
    """Addresses of the first byte and of the byte after the last."""
    spans = [(length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True)]
    start = array.__array_interface__["data"][0]
    low = sum(span for span in spans if span < 0)
    high = sum(span for span in spans if span > 0)
    return start + low, start + high + array.itemsize


def _mapped_files(first: int, last: int) -> list[MappedFile]:
    """The files that lie in memory between two addresses; those without a name cannot be cut by it."""
    found: list[MappedFile] = []
    try:
        with open("/proc/self/maps", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return found
    for line in lines:
        # A line has: address-address modes offset device inode path.
        parts = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in parts[0].split(b"-"))
        if len(parts) < 6 or end <= first or start >= last or not parts[5].startswith(b"/"):
            continue
        path = os.fsdecode(parts[5])
        try:
            status = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_ino == int(parts[4]):
            length = int(parts[2], 16) + min(end, last) - start
            found.append(MappedFile(path, status.st_dev, status.st_ino, length))
    return found

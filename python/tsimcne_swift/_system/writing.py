"""Files that take the place of older ones: a reader finds the old file or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

# Each writer has a name of its own, that nobody can guess and no older file has; links are not followed.
EXCLUSIVE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file in one step: an interrupted or failed write leaves the old one."""
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file, to write and to map, that takes the place of ``path`` in one step where all goes well.

    It has the mode and the owner of the file that it replaces. A link stays a link: what it points to is
    replaced.

    Raises
    ------
    OSError
        If the file cannot be written; the error names ``path``. Nothing is left of the new file then, nor
        after any other exception.
    """
    with _new_file(path) as (file, take_place):
        yield file
        file.flush()
        os.fsync(file.fileno())
        take_place()


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder, to fill, that takes the place of ``path`` where all goes well: what was there is deleted.

    Raises
    ------
    OSError
        If something cannot be written. Nothing is left of the new folder then, nor after any other exception.
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    with contextlib.ExitStack() as cleaning:
        with _named(path):
            made = tempfile.mkdtemp(prefix=".tsimcne-swift-", dir=folder)
        cleaning.callback(shutil.rmtree, made, ignore_errors=True)
        new = os.path.join(made, "new")
        os.mkdir(new)
        yield Path(new)
        older = os.path.join(made, "older")
        with _named(path):
            if os.path.isdir(target):
                os.rename(target, older)
            try:
                os.rename(new, target)
            except OSError:
                if os.path.isdir(older):
                    os.rename(older, target)
                raise


def check_writable(path: str | os.PathLike[str], size: int) -> None:
    """Try a new file of ``size`` bytes in the place of ``path``; all is as before then.

    Raises
    ------
    OSError
        If the file cannot be written; the error names ``path``.
    """
    with _new_file(path) as (file, _):
        os.posix_fallocate(file.fileno(), 0, size)


@contextlib.contextmanager
def _new_file(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, Callable[[], None]]]:
    """A new file beside ``path``, and what lets it take that place; else it is gone at the end."""
    target = os.path.realpath(path)
    # The folder stays the same one, whatever becomes of its name meanwhile. It need not be one to be listed.
    with _named(path), contextlib.ExitStack() as cleaning:
        folder = os.open(os.path.dirname(target), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        cleaning.callback(os.close, folder)
        older = _status(target)
        name = f".tsimcne-swift-{secrets.token_hex(8)}.tmp"
        mode = 0o666 if older is None else stat.S_IMODE(older.st_mode) & 0o777
        descriptor = os.open(name, EXCLUSIVE, mode, dir_fd=folder)
        cleaning.callback(_remove, name, folder)
        file = cleaning.enter_context(os.fdopen(descriptor, "w+b"))
        if older is not None:
            # Another's file stays his where that is allowed; some file systems know no modes.
            with contextlib.suppress(OSError):
                os.fchown(descriptor, older.st_uid, older.st_gid)
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, mode)
        yield file, partial(_replace, name, os.path.basename(target), folder)


def _status(target: str) -> os.stat_result | None:
    """The status of the file that is to be replaced, if there is one and it may be replaced."""
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Is no regular file")
    if not os.access(target, os.W_OK, effective_ids=True):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return found


def _replace(name: str, target: str, folder: int) -> None:
    os.replace(name, target, src_dir_fd=folder, dst_dir_fd=folder)
    # Some file systems cannot sync a folder; the file is in its place all the same.
    with contextlib.suppress(OSError):
        readable = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(readable)
        finally:
            os.close(readable)


def _remove(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


@contextlib.contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors name the file that is asked for, not the one beside it."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error

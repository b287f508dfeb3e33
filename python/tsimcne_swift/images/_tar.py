"""Pictures from a tar archive, packed or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Unpack

from .._checks.values import check_regular
from ._collection import ImageCollection
from ._decoding._kinds import HEAD
from ._files import pictures_of
from ._finding import find_in
from ._labels import folder_labels
from ._reading import Item, Options, read
from ._workers import Encoded

CHUNK = 1 << 20
# Of a file; as much as of one that lies in a folder.
LARGEST = 512 << 20
# What packed files begin with.
PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


def from_tar(
    path: str | os.PathLike[str],
    **options: Unpack[Options],
) -> ImageCollection:
    """All pictures in a tar archive (``.tar``, ``.tar.gz``, ``.bz2``, ``.xz``); else as `from_folder`.

    A packed archive is unpacked, as a whole, into a nameless file in ``TMPDIR``. Links and devices in it are
    passed over.

    Parameters
    ----------
    path : path
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection

    Raises
    ------
    ValueError
        If it is no tar archive, or is damaged, or has no pictures.
    OSError
        If ``TMPDIR`` has no room for it.
    """
    check_regular("path", path)
    if not tarfile.is_tarfile(path):
        raise ValueError(f"path: got {os.fspath(path)!r}, want a tar archive")
    with tempfile.TemporaryFile() as unpacked, open(path, "rb") as file:
        archive = _unpacked(file, unpacked, path)
        members: dict[PurePosixPath, tuple[int, int]] = {}
        try:
            with tarfile.open(fileobj=archive, mode="r:") as listing:
                for member in listing:
                    if member.isreg() and not member.issparse() and member.size <= LARGEST:
                        name = PurePosixPath(member.name.replace("\\", "/").lstrip("/"))
                        # Of one name the last counts, as for tar.
                        members[name] = member.offset_data, member.size
        except tarfile.TarError as error:
            raise ValueError(f"path: got {os.fspath(path)!r}, which is damaged ({error})") from error
        held = _Held(archive.fileno())

    def head(name: PurePosixPath) -> bytes:
        offset, size = members[name]
        return held.read(offset, min(HEAD, size))

    def opened(name: PurePosixPath) -> Encoded:
        return Encoded(("data", held.read(*members[name])), name.suffix)

    contents = find_in(members, head)
    names = pictures_of(contents, path)
    items = [
        Item(str(name), label, lambda name=name: opened(name))  # type: ignore[misc]
        for name, label in zip(names, folder_labels(names), strict=True)
    ]
    return read(items, Path(path).name, **options, others=contents.others, skipped=contents.skipped)


class _Held:
    """An open file that lives as long as what may read its pictures again."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def __del__(self) -> None:
        os.close(self._descriptor)


def _unpacked(file: BinaryIO, into: BinaryIO, path: Any) -> BinaryIO:
    """The archive itself, or what it is when it is unpacked."""
    start = file.read(6)
    file.seek(0)
    kind = next((kind for begin, kind in PACKED.items() if start.startswith(begin)), None)
    if kind is None:
        return file
    try:
        with kind(file) as stream:
            while part := stream.read(CHUNK):
                into.write(part)
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"path: got {os.fspath(path)!r}, which is damaged ({error})") from error
    except OSError as error:
        if error.errno is None:  # what gzip and bz2 raise for damage
            raise ValueError(f"path: got {os.fspath(path)!r}, which is damaged ({error})") from error
        folder = tempfile.gettempdir()
        raise OSError(error.errno, f"path: {os.fspath(path)!r} has no room in {folder}, unpacked") from error
    into.seek(0)
    return into

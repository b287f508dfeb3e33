"""Pictures from tar archives, packed or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Unpack

from .._checks.values import check_regular
from ._collection import ImageCollection
from ._decoding._kinds import HEAD
from ._files import pictures_of
from ._finding import Found, find_in
from ._labels import folder_labels
from ._reading import Item, Options, read
from ._workers import Encoded

CHUNK = 1 << 20
# Of a file; as much as of one that lies in a folder.
LARGEST = 512 << 20
# Ending of a file that says what its picture is, as WebDataset has it; most of its bytes that are read.
LABEL, LONGEST = ".cls", 1024
# What packed files begin with.
PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}


def from_tar(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    **options: Unpack[Options],
) -> ImageCollection:
    """All pictures in a tar archive (``.tar``, ``.tar.gz``, ``.bz2``, ``.xz``), or in several; else as
    `from_folder`.

    A packed archive is unpacked, as a whole, into a nameless file in ``TMPDIR``. Links and devices in it are
    passed over. Where files that are called as pictures, but for the ending ``.cls``, lie beside them, as in
    WebDataset's shards, labels are what these say.

    Parameters
    ----------
    path : path, or list of paths
        A folder stands for all ``.tar`` files in it and the folders in it. Of several archives, pictures have
        the archive's name before their own.
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
    if not isinstance(path, str | os.PathLike):
        paths = list(path)
    elif os.path.isdir(path):
        paths = [own for own in sorted(Path(path).rglob("*.tar")) if not own.name.startswith(".")]
    else:
        paths = [path]
    if not paths:
        raise ValueError(f"path: got {path!r}, want a tar archive at least")
    archives = [_Archive(one) for one in paths]
    before = [PurePosixPath()] if len(paths) == 1 else _short(paths)
    if len(set(before)) < len(before):
        raise ValueError("path: got an archive twice, want each once")
    found = [find_in(archive.pictures(), archive.head) for archive in archives]
    whole = Found(
        [place / name for place, own in zip(before, found, strict=True) for name in own.pictures],
        [
            (str(place / name), why)
            for place, own in zip(before, found, strict=True)
            for name, why in own.skipped
        ],
        [
            (str(place / name), why)
            for place, own in zip(before, found, strict=True)
            for name, why in own.others
        ],
    )
    names = pictures_of(whole, paths[0])
    inside = [(archive, name) for archive, own in zip(archives, found, strict=True) for name in own.pictures]
    labels: list[str | None] = [archive.label(name) for archive, name in inside]
    if not any(labels):
        labels = folder_labels([name for _, name in inside])
    items = [
        Item(str(name), label, partial(archive.open, own))
        for name, label, (archive, own) in zip(names, labels, inside, strict=True)
    ]
    source = Path(paths[0]).name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    return read(items, source, **options, others=whole.others, skipped=whole.skipped)


def _short(paths: Sequence[str | os.PathLike[str]]) -> list[PurePosixPath]:
    """Names of archives that tell them apart."""
    short = [PurePosixPath(Path(path).name) for path in paths]
    return (
        short if len(set(short)) == len(short) else [PurePosixPath(Path(path).as_posix()) for path in paths]
    )


class _Archive:
    """What lies where in a tar archive, which stays open for as long as pictures may be read again."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        check_regular("path", path)
        if not tarfile.is_tarfile(path):
            raise ValueError(f"path: got {os.fspath(path)!r}, want a tar archive")
        self._members: dict[PurePosixPath, tuple[int, int]] = {}
        with tempfile.TemporaryFile() as unpacked, open(path, "rb") as file:
            archive = _unpacked(file, unpacked, path)
            try:
                with tarfile.open(fileobj=archive, mode="r:") as listing:
                    for member in listing:
                        if member.isreg() and not member.issparse() and member.size <= LARGEST:
                            name = PurePosixPath(member.name.replace("\\", "/").lstrip("/"))
                            # Of one name the last counts, as for tar.
                            self._members[name] = member.offset_data, member.size
                        # Else it keeps all that it has seen.
                        listing.members = []  # type: ignore[attr-defined]
            except tarfile.TarError as error:
                raise ValueError(f"path: got {os.fspath(path)!r}, which is damaged ({error})") from error
            self._held = _Held(archive.fileno())

    def pictures(self) -> list[PurePosixPath]:
        """All names but those of labels."""
        return [name for name in self._members if name.suffix != LABEL]

    def head(self, name: PurePosixPath) -> bytes:
        """A file's first bytes."""
        offset, size = self._members[name]
        return self._held.read(offset, min(HEAD, size))

    def open(self, name: PurePosixPath) -> Encoded:
        """A picture to be decoded."""
        return Encoded(("data", self._held.read(*self._members[name])), name.suffix)

    def label(self, name: PurePosixPath) -> str | None:
        """What lies beside a picture as its label; a sample's name ends at the first dot."""
        beside = name.with_name(name.name.split(".")[0] + LABEL)
        if beside not in self._members:
            return None
        offset, size = self._members[beside]
        return self._held.read(offset, min(LONGEST, size)).decode(errors="replace").strip() or None


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

"""What lies in a folder or an archive: pictures, what is a picture but not read, and other files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ._decoding._kinds import (
    DICOM_ENDINGS,
    HEAD,
    HEIF_ENDINGS,
    RAW_ENDINGS,
    RAW_REASON,
    REASONS,
    VIDEO_ENDINGS,
    is_picture,
)

# What a system leaves in every folder, beside files that are hidden.
LITTER = frozenset(("Thumbs.db", "desktop.ini", "__MACOSX"))


@dataclass
class Found:
    """Pictures in order, and names and reasons of what is a picture but not read, and of other files."""

    pictures: list[PurePosixPath] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)


def find_in_folder(folder: Path) -> Found:
    """All files of a folder and the folders in it, also of those that are links."""
    found = Found()
    names = list(_walk(folder, found))
    _sort(names, lambda name: _head_of_file(folder / name), found)
    return found


def find_in(names: Iterable[PurePosixPath], head: Callable[[PurePosixPath], bytes]) -> Found:
    """The names of an archive; ``head`` gives a file's first bytes."""
    found = Found()
    inside = []
    for name in names:
        if ".." in name.parts:
            found.skipped.append((str(name), "has a name that leads out of the archive"))
        elif not any(map(_is_litter, name.parts)):
            inside.append(name)
    _sort(inside, head, found)
    return found


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name in LITTER


def _walk(folder: Path, found: Found) -> Iterator[PurePosixPath]:
    """Files by their names in the folder. A folder is read once, by its own name rather than a link's."""
    seen: set[tuple[int, int]] = set()
    left, links = [Path()], list[Path]()
    while left or links:
        is_link = not left
        place = left.pop() if left else links.pop(0)
        path = folder / place
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                if is_link:
                    found.others.append((str(place), "is a link to a folder that is read already"))
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            if place == Path():
                raise
            found.skipped.append((str(place), f"is a folder that cannot be read ({error.strerror})"))
            continue
        for entry in entries:
            if _is_litter(entry.name):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # such as a link to itself
                found.skipped.append((str(place / entry.name), f"cannot be read ({error.strerror})"))
                continue
            if not is_folder:
                yield PurePosixPath(place / entry.name)
            else:
                (links if entry.is_symlink() else left).append(place / entry.name)


def _sort(names: list[PurePosixPath], head: Callable[[PurePosixPath], bytes], found: Found) -> None:
    from PIL import Image

    known = (set(Image.registered_extensions()) | HEIF_ENDINGS | DICOM_ENDINGS) - VIDEO_ENDINGS - set(REASONS)
    whole = set(names)
    for name in sorted(names):
        ending = name.suffix.lower()
        if ending == ".png" and {name.with_suffix(".html"), name.with_suffix(".csv")} <= whole:
            found.others.append((str(name), "is the picture of a map"))
        elif ending in known:
            found.pictures.append(name)
        elif ending in RAW_ENDINGS or ending in REASONS:
            found.skipped.append((str(name), RAW_REASON if ending in RAW_ENDINGS else REASONS[ending]))
        elif ending in VIDEO_ENDINGS:
            found.others.append((str(name), "is a video; images.from_video takes it"))
        else:
            try:
                is_one = is_picture(head(name))
            except Exception as error:
                found.skipped.append((str(name), f"cannot be read ({error})"))
                continue
            if is_one:
                found.pictures.append(name)
            else:
                found.others.append((str(name), f"is no picture ({ending or 'no ending'})"))


def _head_of_file(path: Path) -> bytes:
    # To open a pipe waits for who writes to it.
    if not path.is_file():
        return b""
    with open(path, "rb") as file:
        return file.read(HEAD)

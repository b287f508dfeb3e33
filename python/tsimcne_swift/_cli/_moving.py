"""Files that are copies, moved out of the way and back; none is ever deleted, or written over."""

from __future__ import annotations

import csv
import errno
import filecmp
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .._system.text import legible

# In the folder that files are moved to: where each came from, a row for each, before it is moved.
JOURNAL = "moved.csv"


def check_folder(source: Path, folder: Path) -> None:
    """Whether files of the source can be moved to the folder.

    Raises
    ------
    ValueError
        If the source is no folder, the other lies in it or on another disk, or is not empty.
    """
    if not source.is_dir():
        raise ValueError(f"move-to: got pictures of {legible(source)}, want those of a folder")
    if folder.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"move-to: got {legible(folder)}, want a folder outside {legible(source)}")
    if not folder.parent.is_dir() or folder.parent.stat().st_dev != source.stat().st_dev:
        raise ValueError(f"move-to: got {legible(folder)}, want a folder on the disk of {legible(source)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"move-to: got {legible(folder)}, want a new folder, or an empty one")


def copies(source: Path, groups: Iterable[Sequence[str]]) -> list[str]:
    """Of each group of names, the files whose bytes are those of the first."""
    return [
        name
        for first, *others in groups
        for name in others
        if not os.path.samefile(source / first, source / name)
        and filecmp.cmp(source / first, source / name, shallow=False)
    ]


def move(source: Path, names: Sequence[str], folder: Path) -> None:
    """Move files of the source, with the folders that they lie in."""
    folder.mkdir(exist_ok=True)
    with open(folder / JOURNAL, "x", newline="", encoding="utf-8", errors="surrogateescape") as file:
        journal = csv.writer(file)
        journal.writerow(["from", "to"])
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            journal.writerow([(source / name).resolve(), name])
            # What is in the journal can be put back, whenever this ends.
            file.flush()
            os.fsync(file.fileno())
            _move(source / name, target)


def restore(options: Any) -> int:
    """Put the files of a folder back to where they came from."""
    folder: Path = options.folder
    if not (folder / JOURNAL).is_file():
        raise ValueError(f"folder: got {legible(folder)}, want one that 'inspect --move-to' filled")
    with open(folder / JOURNAL, newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    moved = [(folder / row["to"], Path(row["from"])) for row in rows if (folder / row["to"]).is_file()]
    taken = [target for _, target in moved if target.exists()]
    if taken:
        raise ValueError(
            f"folder: got files whose places are taken, such as {legible(taken[0])}; nothing was moved"
        )
    for place, target in moved:
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(place, target)
    (folder / JOURNAL).rename(folder / f"{JOURNAL}.undone")
    print(f"{len(moved):,} files are back in their places")
    return 0


def _move(place: Path, target: Path) -> None:
    """Move one file; an error where there is one already."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(place, target)

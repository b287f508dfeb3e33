"""Labels from the folders that pictures lie in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from unicodedata import normalize

# Folders of parts of a set: a class has the same name in each of them.
PARTS = frozenset(["train", "training", "val", "valid", "validation", "dev", "test", "testing"])


def folder_labels(names: Sequence[PurePosixPath]) -> list[str | None]:
    """The class of each picture by its folders; None for all where they lie in one.

    The class is the innermost folder, after those that say nothing were left out: folders that all pictures
    lie in (``class/images/x.jpg``), and parts of a set (``train/class/x.jpg``). Where one name stands in
    several folders (``2018/06`` and ``2019/06``), the classes are whole paths. Pictures in no
    folder have none.
    """
    # A letter with an accent is written in two ways, which look the same.
    folders = [tuple(normalize("NFC", part) for part in name.parent.parts if part != "/") for name in names]
    folders = _telling(_without_common_start(folders))
    while _has_common_end(folders):
        folders = [parts[:-1] for parts in folders]
    folders = _without_common_start(folders)
    different = set(folders) - {()}
    is_short = len({parts[-1] for parts in different}) == len(different)
    labels = [None if not parts else parts[-1] if is_short else "/".join(parts) for parts in folders]
    return labels if len(set(labels)) > 1 else [None] * len(names)


def _without_common_start(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The folders without those around all, where others are in them."""
    different = set(folders) - {()}
    while len(different) > 1 and all(len(parts) > 1 for parts in different) and _is_one(different, 0):
        folders = [parts[1:] for parts in folders]
        different = set(folders) - {()}
    return folders


def _telling(folders: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The folders without the parts of a set; a folder with others beside it is none."""
    beside: dict[tuple[str, ...], set[str]] = {}
    for parts in set(folders):
        for depth, part in enumerate(parts):
            beside.setdefault(parts[:depth], set()).add(part.lower())
    kept = {
        parts: tuple(part for depth, part in enumerate(parts) if not beside[parts[:depth]] <= PARTS)
        for parts in set(folders)
    }
    return [kept[parts] for parts in folders] if any(kept.values()) else list(folders)


def _has_common_end(folders: Sequence[tuple[str, ...]]) -> bool:
    """Whether all innermost folders have one name, and those around them tell classes apart."""
    different = set(folders) - {()}
    return len({parts[:-1] for parts in different} - {()}) > 1 and _is_one(different, -1)


def _is_one(folders: set[tuple[str, ...]], place: int) -> bool:
    return len({parts[place] for parts in folders}) == 1

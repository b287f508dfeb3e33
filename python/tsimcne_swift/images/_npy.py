"""Pictures in ``.npy`` files: one in each, or many."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from .._checks.axes import SMALLEST
from .._checks.values import check_regular
from ._arrays import open_array
from ._collection import ImageCollection
from ._labels import folder_labels
from ._reading import Item, Options, read
from ._stacks import from_stack


def from_npy(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures in ``.npy`` files: in place where one file of bytes has them all, else as
    `from_files` has arrays.

    Parameters
    ----------
    path : path, or list of paths
        A file of pictures (n, height, width[, channels]); or several, each of one picture (height, width[,
        channels]) or of many. A folder stands for all such files in it and the folders in it, whose names are
        labels.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
        Names are those of the files, with the number of the picture behind them where a file has many; of one
        file these numbers alone. Files that cannot be read are in ``skipped``.

    Raises
    ------
    ValueError
        If there is no such file, or none that can be read.
    """
    if not isinstance(path, str | os.PathLike):
        names = [PurePosixPath(Path(one).as_posix()) for one in path]
        folder = Path()
    elif os.path.isdir(path):
        folder = Path(path)
        names = sorted(_names(folder))
    else:
        check_regular("path", path)
        return from_stack("path", _opened(Path(path)), options)
    if not names:
        raise ValueError(f"path: got {path!r}, want .npy files in it")
    items: list[Item] = []
    skipped: list[tuple[str, str]] = []
    for name, label in zip(names, folder_labels(names), strict=True):
        file = folder / name
        try:
            check_regular("path", file)
            shape = _opened(file).shape
        except (OSError, ValueError) as error:
            skipped.append((str(name), f"cannot be read ({error})"))
            continue
        if _is_one(shape):
            items.append(Item(str(name), label, partial(_picture, file)))
        else:
            items += [Item(f"{name}/{i}", label, partial(_picture, file, i)) for i in range(shape[0])]
    if not items:
        raise ValueError(f"path: got no .npy file that can be read; {skipped[0][0]}: {skipped[0][1]}")
    return read(items, folder.name or "arrays", **options, skipped=skipped)


def _names(folder: Path) -> Iterator[PurePosixPath]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(".npy") and not name.startswith("."):
                yield PurePosixPath((Path(place) / name).relative_to(folder).as_posix())


def _opened(file: Path) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _is_one(shape: tuple[int, ...]) -> bool:
    """Whether an array is one picture, of channels last or first, and not several."""
    return len(shape) < 3 or (len(shape) == 3 and min(shape[0], shape[2]) < SMALLEST)


def _picture(file: Path, number: int | None = None) -> Any:
    array = _opened(file)
    return open_array(np.array(array if number is None else array[number]))

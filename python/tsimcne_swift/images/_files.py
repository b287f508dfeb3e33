"""Pictures from a folder, a zip file, or a list of files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Unpack

import numpy as np

from .._checks.values import check_regular
from ._collection import ImageCollection
from ._decoding._opening import check_format
from ._labels import folder_labels
from ._reading import Item, Options, read
from ._workers import Encoded


def from_folder(
    path: str | os.PathLike[str],
    **options: Unpack[Options],
) -> ImageCollection:
    """All pictures in a folder and the folders in it.

    A file that cannot be read is skipped, and listed in ``skipped`` with the reason. Hidden files, and files
    that no picture's name ends like, are passed over. Files are in the order of their names.

    Parameters
    ----------
    path : path
        Folder of the pictures. Those in folders of it have the name of the innermost as their label; of
        ``class/images`` and ``train/class`` that is ``class``, and of ``2018/06`` beside ``2019/06`` the
        whole path.
    **options
        size : int, (height, width) or None
            Size of the images in pixels. None: their own where all have the same, at most 96; else 64.
        channels : int or None
            Number of channels: 1 makes all grey, 3 makes all colour; more are for TIFF files with as many.
            None: the most that pictures have.
        fit : {"crop", "pad", "stretch"}
            Treatment of a picture whose sides have another ratio: its middle is cut out, it is framed with
            the background's colour, or it is distorted.
        background : {"white", "black"} or (red, green, blue)
            Colour behind transparent pixels and around framed pictures.
        cache : path or None
            A ``.npy`` file that will hold the images, for ``numpy.load(path, mmap_mode="r")`` later. None:
            memory, or a temporary file where they would take more than a quarter of what is available.
        n_jobs : int or None
            Number of threads that decode; None and -1: all cores that the process may use.
        progress : bool
            Whether to show a progress bar.

    Returns
    -------
    ImageCollection

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no picture in it can be read.

    Notes
    -----
    Turned photographs are set upright (EXIF). Values of more than 8 bits are scaled so that the 0.1 and 99.9
    percentile of each channel, over 200 pictures, become 0 and 255. Of animations the first picture is taken.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"path: got {str(path)!r}, want a folder")
    found = []
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [(Path(directory) / name).relative_to(folder) for name in files]
    names = _pictures(PurePosixPath(name) for name in found)
    if not names:
        raise ValueError(f"path: got {str(path)!r} with {len(found)} files, want pictures in it")
    labels = folder_labels(names)
    items = [
        Item(str(name), label, lambda name=name: _file(folder / name))  # type: ignore[misc]
        for name, label in zip(names, labels, strict=True)
    ]
    return read(items, folder.name, **options)


def from_zip(
    path: str | os.PathLike[str],
    **options: Unpack[Options],
) -> ImageCollection:
    """All pictures in a zip file, which is not unpacked; else as `from_folder`.

    Parameters
    ----------
    path : path
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
    """
    check_regular("path", path)
    if not zipfile.is_zipfile(path):
        raise ValueError(f"path: got {str(path)!r}, want a zip file")
    with zipfile.ZipFile(path) as archive:
        entries = [entry.filename for entry in archive.infolist()]
    # Names may be there twice: an entry is known by its number.
    numbers: dict[PurePosixPath, list[int]] = {}
    for number, entry in enumerate(entries):
        if not entry.endswith("/"):
            # Programs of Windows write its separator, against the format.
            numbers.setdefault(PurePosixPath(entry.replace("\\", "/").lstrip("/")), []).append(number)
    found = [(number, name) for name in _pictures(numbers) for number in numbers[name]]
    if not found:
        raise ValueError(f"path: got {str(path)!r} with {len(entries)} files, want pictures in it")
    archive_path = os.path.abspath(path)

    def opened(place: int, name: PurePosixPath) -> Encoded:
        return Encoded(("entry", archive_path, place), name.suffix)

    items = [
        Item(str(name), label, lambda place=place, name=name: opened(place, name))  # type: ignore[misc]
        for (place, name), label in zip(found, folder_labels([name for _, name in found]), strict=True)
    ]
    return read(items, Path(path).name, **options)


def from_files(
    pictures: Iterable[Any],
    *,
    labels: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures from a list of paths, Pillow images or arrays; else as `from_folder`.

    Parameters
    ----------
    pictures : iterable of path, PIL.Image.Image or ndarray
        Pictures; arrays are (height, width) or (height, width, channels), of any size each.
    labels : iterable or None
        Label of each picture.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
    """
    pictures = list(pictures)
    values = [None] * len(pictures) if labels is None else list(labels)
    if not pictures:
        raise ValueError("pictures: got an empty list, want at least one")
    if len(values) != len(pictures):
        raise ValueError(f"labels: got {len(values)}, want one for each of {len(pictures)} pictures")
    items = [
        Item(_name(picture, place), label, lambda picture=picture: _open_any(picture))  # type: ignore[misc]
        for place, (picture, label) in enumerate(zip(pictures, values, strict=True))
    ]
    return read(items, "pictures", **options)


def _pictures(names: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Names that end like a picture's and are not hidden, in order."""
    from PIL import Image

    endings = Image.registered_extensions()
    return sorted(
        name
        for name in names
        if name.suffix.lower() in endings
        and not any(part.startswith((".", "__MACOSX")) for part in name.parts)
    )


def _name(picture: Any, place: int) -> str:
    return os.fspath(picture) if isinstance(picture, str | os.PathLike) else str(place)


def _open_any(picture: Any) -> Any:
    if isinstance(picture, str | os.PathLike):
        return _file(picture)
    if isinstance(picture, np.ndarray):
        return open_array(picture)
    check_format(picture)
    return picture


def _file(path: str | os.PathLike[str]) -> Encoded:
    return Encoded(("file", os.path.abspath(path)), os.path.splitext(path)[1])


def open_array(array: np.ndarray[Any, Any]) -> Any:
    """A picture of an array; those that Pillow cannot hold stay arrays."""
    from PIL import Image

    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"got an array of shape {array.shape}, want (height, width[, channels])")
    if array.dtype != np.uint8 or array.shape[2] not in (1, 3, 4):
        return array
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)

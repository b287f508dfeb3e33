"""Pictures from a folder, a zip file, or a list of files."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Unpack

import numpy as np

from .._checks.labels import read_labels
from .._checks.values import check_regular
from ._arrays import check_stack, picture_of
from ._collection import ImageCollection, in_order_of
from ._decoding._kinds import HEAD
from ._finding import Found, find_in, find_in_folder
from ._labels import folder_labels
from ._reading import Item, Options, read
from ._workers import Encoded


def from_folder(
    path: str | os.PathLike[str],
    **options: Unpack[Options],
) -> ImageCollection:
    """All pictures in a folder and the folders in it, also in those that are links.

    A picture that cannot be read is skipped, and listed in ``skipped`` with the reason; files that are no
    pictures are listed in ``others``. Hidden files are passed over. A file without an ending that is known is
    a picture if it begins like one. Files are in the order of their names.

    Parameters
    ----------
    path : path
        Folder of the pictures. Those in folders of it have the name of the innermost as their label; of
        ``class/images`` and ``train/class`` that is ``class``, and of ``2018/06`` beside ``2019/06`` the
        whole path.
    **options
        size : int, (height, width) or None
            Size of the images in pixels. None: their own where nine of ten have the same, at most 96; else
            64. Sides of fewer than 8 pixels are enlarged.
        channels : int or None
            Number of channels: 1 makes all grey, 3 makes all colour; more are for TIFF files with as many.
            None: what most have; where these are grey, and others are colour, all become colour.
        fit : {"crop", "pad", "stretch"} or None
            Treatment of a picture whose sides have another ratio: its middle is cut out, it is framed with
            the background's colour, or it is distorted. None: "crop".
        background : {"white", "black"}, (red, green, blue) or None
            Colour behind transparent pixels and around framed pictures. None: "white".
        scale : {"auto", "depth", "percentile"}, (low, high) or None
            Which values become black and white in pictures that do not have 8 bits. ``"depth"``: the least
            and the greatest that their type has (0 and 1 of floats). ``"percentile"``: those that nearly all
            pixels lie between. A pair: these. ``"auto"``, None: see the notes.
        like : TSimCNE, ImageCollection, Layout or None
            Bring all into the form of the pictures that a model was fitted on, or of another collection:
            size, channels, fit, background, scale and ranges. It excludes these options.
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
        Its ``layout`` and ``notes`` say what was done.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no picture in it can be read.

    Notes
    -----
    Turned photographs are set upright (EXIF, TIFF), transparent pixels have the background's colour.

    8 bits stay as they are. So do floats in [0, 1], or [-1, 1], which become 0 to 255, and numbers from 0 to
    255. Of 12 bits, where a file says them, 0 and 4095 become black and white; so it is with colours, and
    with grey values among pictures of 8 bits, whose depth is the least of 10, 12, 14 and 16 bits that holds
    them. All other values, such as those of microscopes, are scaled so that nearly all pixels of nearly all
    pictures lie between black and white: the 0.1 and 99.9 percentile of each picture count, without values
    that stand for none (NaN, -9999, GDAL's), without a tenth of the pictures that lie elsewhere as a whole,
    and without what only one of fifty has. There is one range for red, green and blue, and one for each
    channel where channels mean different things.

    Grey pages of one file are channels where most files have as many; else they are a stack, and the middle
    one is taken. Of colour pages and of animations it is the first.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"path: got {str(path)!r}, want a folder")
    found = find_in_folder(folder)
    names = pictures_of(found, path)
    labels = folder_labels(names)
    items = [
        Item(str(name), label, lambda name=name: _file(folder / name))  # type: ignore[misc]
        for name, label in zip(names, labels, strict=True)
    ]
    return read(items, folder.name, **options, others=found.others, skipped=found.skipped)


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

        def head(name: PurePosixPath) -> bytes:
            with archive.open(archive.infolist()[numbers[name][0]]) as file:
                return file.read(HEAD)

        contents = find_in(numbers, head)
    found = [(number, name) for name in pictures_of(contents, path) for number in numbers[name]]
    archive_path = os.path.abspath(path)

    def opened(place: int, name: PurePosixPath) -> Encoded:
        return Encoded(("entry", archive_path, place), name.suffix)

    items = [
        Item(str(name), label, lambda place=place, name=name: opened(place, name))  # type: ignore[misc]
        for (place, name), label in zip(found, folder_labels([name for _, name in found]), strict=True)
    ]
    return read(items, Path(path).name, **options, others=contents.others, skipped=contents.skipped)


def from_files(
    pictures: Iterable[Any],
    *,
    labels: Iterable[Any] | None = None,
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures from a list of paths, Pillow images, arrays or tensors; else as `from_folder`.

    Parameters
    ----------
    pictures : iterable of path, bytes, PIL.Image.Image, ndarray or torch.Tensor
        Pictures; bytes are those of a file. Arrays are (height, width), (height, width, channels) or, with
        one, three or four channels, (channels, height, width), of any size and type each; what is masked in
        one is no value.
    labels : iterable or None
        Label of each picture, in a column of any library; categories keep their order.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
    """
    if isinstance(pictures, str | bytes | Mapping):
        raise TypeError(f"pictures: got {type(pictures).__name__}, want a list of paths, pictures or arrays")
    if isinstance(pictures, np.ndarray):
        check_stack("pictures", pictures)
    pictures = list(pictures)
    if not pictures:
        raise ValueError("pictures: got an empty list, want at least one")
    if isinstance(labels, str | bytes | Mapping):
        raise TypeError(f"labels: got {type(labels).__name__}, want a list of labels")
    return read_listed(pictures, [_name(picture, i) for i, picture in enumerate(pictures)], labels, options)


def read_listed(
    pictures: Sequence[Any], names: Sequence[str], labels: Any, options: Options
) -> ImageCollection:
    """Pictures of `from_files`, with their names."""
    classes: list[Any] = [None] * len(pictures)
    if labels is not None:
        column = labels if hasattr(labels, "__len__") else list(labels)
        if len(column) != len(pictures):
            raise ValueError(f"labels: got {len(column)}, want one for each of {len(pictures)} pictures")
        known = read_labels(column, len(pictures)).check_classes()
        classes = [known.names[code] if code >= 0 else None for code in known.codes]
    items = [
        Item(name, label, lambda picture=picture: _open_any(picture))  # type: ignore[misc]
        for name, label, picture in zip(names, classes, pictures, strict=True)
    ]
    collection = read(items, "pictures", **options)
    if collection.labels is None:
        return collection
    # Categories keep their order; what was skipped may have been all of a class.
    present = set(collection.label_names)
    return in_order_of(collection, [name for name in known.names if name in present])


def pictures_of(found: Found, path: Any) -> list[PurePosixPath]:
    """The names of the pictures, of which there are some."""
    if not found.pictures:
        reasons = Counter(reason for _, reason in [*found.skipped, *found.others])
        listed = "".join(f"; {count} × {reason}" for reason, count in reasons.most_common(5))
        count = len(found.skipped) + len(found.others)
        raise ValueError(f"path: got {str(path)!r} with {count} files, want pictures in it{listed}")
    return found.pictures


def _name(picture: Any, place: int) -> str:
    return os.fspath(picture) if isinstance(picture, str | os.PathLike) else str(place)


def _open_any(picture: Any) -> Any:
    if isinstance(picture, str | os.PathLike):
        return _file(picture)
    return picture_of(picture)


def _file(path: str | os.PathLike[str]) -> Encoded:
    return Encoded(("file", os.path.abspath(path)), os.path.splitext(path)[1])

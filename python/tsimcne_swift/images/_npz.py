"""Images in an ``.npz`` file, as MedMNIST has them."""

from __future__ import annotations

import os
import zipfile
from typing import Unpack

import numpy as np

from .._checks.values import check_regular
from .._system.config import available_memory
from ._arrays import check_stack
from ._collection import ImageCollection
from ._reading import Options
from ._stacks import from_stack

# What arrays of images are called, alone or behind the name of a part of the set, and what their labels are.
IMAGES = ("images", "image", "imgs", "x", "X", "data", "arr_0")
LABELS = ("labels", "label", "targets", "target", "y", "Y")


def from_npz(
    path: str | os.PathLike[str],
    *,
    image: str | None = None,
    label: str | None = None,
    **options: Unpack[Options],
) -> ImageCollection:
    """Images of an ``.npz`` file: in memory as they are where they are bytes, else as `from_files` has them.

    Parameters
    ----------
    path : path
    image : str or None
        Name of an array (n, height, width[, channels]) of any type. None: those called ``images``, ``x``,
        ``data`` or the like, alone or with the name of a part (``train_images``, ``x_test``), all parts
        together.
    label : str or None
        Name of an array (n,) of labels. None: those called as the images, with ``labels``, ``y`` or the like.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
        Names are numbers of rows, behind the part where there are several: ``train/0``.

    Raises
    ------
    ValueError
        If no array is found, the parts have images of several shapes, or memory does not hold them.
    """
    check_regular("path", path)
    if not zipfile.is_zipfile(path):
        raise ValueError(f"path: got {os.fspath(path)!r}, which is no .npz file")
    with np.load(path, allow_pickle=False) as arrays:
        size = sum(entry.file_size for entry in arrays.zip.infolist())
        if size > available_memory():
            raise ValueError(
                f"path: got {size:,} bytes in {os.fspath(path)!r}, want at most {available_memory():,}, "
                "the memory that is available"
            )
        if image is not None and image not in arrays:
            raise ValueError(f"image: got {image!r}, want one of the arrays {', '.join(arrays)}")
        if label is not None and label not in arrays:
            raise ValueError(f"label: got {label!r}, want one of the arrays {', '.join(arrays)}")
        unlike_labels = [name for name in arrays if not {*name.split("_")} & {*LABELS}]
        parts = {"": image} if image is not None else _parts(unlike_labels, IMAGES)
        if not parts:
            raise ValueError(f"image: got arrays {', '.join(arrays)}, want the name of one of images")
        of_labels = {"": label} if label is not None else _parts(list(arrays), LABELS)
        if len(parts) == len(of_labels) == 1:
            # One of each belong together, whatever else is in their names.
            of_labels = {part: name for part in parts for name in of_labels.values()}
        found = {part: arrays[name] for part, name in parts.items()}
        for part, images in found.items():
            check_stack("image", images, f" in {parts[part]}")
        shapes = {images.shape[1:] for images in found.values()}
        if len(shapes) > 1:
            raise ValueError(f"image: got shapes {sorted(shapes)} in {', '.join(parts.values())}, want one")
        values: list[object] = []
        for part, images in found.items():
            known = arrays[of_labels[part]] if part in of_labels else np.full(len(images), -1)
            if known.size != len(images):
                raise ValueError(
                    f"label: got shape {known.shape} in {of_labels[part]}, want ({len(images)},)"
                )
            values += known.ravel().tolist()
    names = [f"{part}/{i}" if part else str(i) for part, images in found.items() for i in range(len(images))]
    has_labels = any(part in of_labels for part in found)
    X = np.concatenate(list(found.values()))
    return from_stack("image", X, options, names, values if has_labels else None)


def _parts(names: list[str], words: tuple[str, ...]) -> dict[str, str]:
    """Arrays with one of the words in their names, by what else is in the name."""
    result: dict[str, str] = {}
    for word in words:
        for name in names:
            pieces = name.split("_") if word != "arr_0" else [name]
            if word in pieces:
                pieces.remove(word)
                result.setdefault("_".join(pieces) if word != "arr_0" else "", name)
    return result

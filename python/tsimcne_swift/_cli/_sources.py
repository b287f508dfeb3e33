"""Images from what stands on the command line."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import images
from .._checks.values import check_regular
from .._system.text import legible
from ..images import ImageCollection
from ._metadata import read_metadata as read_metadata

IDX = b"\0\0\x08"


def read_source(options: Any) -> ImageCollection:
    """The images of ``options.source``; broken files are named on standard error."""
    path: Path = options.source
    chosen = {"image": options.image_column, "label": options.label_column}
    if options.metadata is not None:  # the labels are in the table
        chosen["label"] = None
    columns: dict[str, Any] = {kind: name for kind, name in chosen.items() if name is not None}
    collection = _read(path, columns, {
        "size": options.size, "fit": options.fit, "n_jobs": options.jobs,
        "progress": not options.json,
    })  # fmt: skip
    for name, reason in collection.skipped:
        print(legible(f"skipped {name}: {reason}"), file=sys.stderr)
    return collection


def _read(path: Path, columns: dict[str, Any], reading: Any) -> ImageCollection:
    is_folder = path.is_dir()
    if not is_folder:
        check_regular("source", path)
    if path.suffix == ".parquet" or (is_folder and _holds_tables(path)):
        return images.from_parquet(path, **columns, **reading)
    if path.suffix == ".npz":
        return images.from_npz(path, **columns)
    for kind, name in columns.items():
        more = " or with --metadata" * (kind == "label")
        raise ValueError(f"{kind}-column: got {name!r}, want it with .parquet and .npz files{more} only")
    if is_folder:
        return images.from_folder(path, **reading)
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim not in (3, 4):
            raise ValueError(
                f"source: got shape {array.shape} in {path}, want (n, height, width[, channels])"
            )
        return ImageCollection(array.reshape(*array.shape[:3], -1), [str(i) for i in range(len(array))])
    if zipfile.is_zipfile(path):
        return images.from_zip(path, **reading)
    if tarfile.is_tarfile(path):
        return images.from_tar(path, **reading)
    with open(path, "rb") as file:
        start = file.read(3)
    if start == IDX or start[:2] == b"\x1f\x8b":
        return images.from_idx(path)
    raise ValueError(f"source: got {path}, want a folder, or a .zip, .tar, .parquet, .npy, .npz or idx file")


def _holds_tables(folder: Path) -> bool:
    """Whether there are Parquet files in it or its folders, and no pictures: shards of one set."""
    from PIL import Image

    endings = Image.registered_extensions()
    found = False
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        ends = {os.path.splitext(name)[1].lower() for name in names if not name.startswith(".")}
        if ends & endings.keys():
            return False
        found |= ".parquet" in ends
    return found

"""Images from what stands on the command line."""

from __future__ import annotations

import csv
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import images
from .._checks.values import check_regular
from .._system.text import harmless, legible
from ..images import ImageCollection

IDX = b"\0\0\x08"


def read_source(options: Any) -> ImageCollection:
    """The images of ``options.source``; broken files are named on standard error."""
    path: Path = options.source
    collection = _read(path, {
        "size": options.size, "fit": options.fit, "n_jobs": options.jobs,
        "progress": sys.stderr.isatty(),
    })  # fmt: skip
    for name, reason in collection.skipped:
        print(legible(f"skipped {name}: {reason}"), file=sys.stderr)
    return collection


def _read(path: Path, reading: Any) -> ImageCollection:
    if path.is_dir():
        return images.from_folder(path, **reading)
    check_regular("source", path)
    if path.suffix == ".parquet":
        return images.from_parquet(path, **reading)
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim not in (3, 4):
            raise ValueError(
                f"source: got shape {array.shape} in {path}, want (n, height, width[, channels])"
            )
        return ImageCollection(array.reshape(*array.shape[:3], -1), [str(i) for i in range(len(array))])
    if zipfile.is_zipfile(path):
        return images.from_zip(path, **reading)
    with open(path, "rb") as file:
        start = file.read(3)
    if start == IDX or start[:2] == b"\x1f\x8b":
        return images.from_idx(path)
    raise ValueError(f"source: got {path}, want a folder, or a .zip, .parquet, .npy or idx file")


def read_metadata(path: Path, names: list[str]) -> dict[str, Any]:
    """Columns of a CSV file, in the order of the images.

    The first column whose values are names of images says which row is whose: whole names, or those without
    folders, in the bytes that they have on disk or as `embed` writes them in its own table. Images without a
    row have empty values.
    """
    check_regular("metadata", path)
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"metadata: got no rows in {path}")
    columns = [name for name in rows[0] if name is not None]
    for whole in (True, False):
        keys = [harmless(name if whole else name.rsplit("/", 1)[-1]) for name in names]
        known = set(keys)
        for column in columns:
            cells = [(harmless(row[column] or ""), row) for row in rows]
            found = {cell: row for cell, row in cells if cell in known}
            if found:
                others = [name for name in columns if name != column]
                matched = [found.get(key, {}) for key in keys]
                return {name: _typed([row.get(name) or "" for row in matched]) for name in others}
    raise ValueError(f"metadata: got no column in {path} with names of images, such as {names[0]!r}")


def _typed(values: list[str]) -> Any:
    """The values as numbers, where all that are there are numbers."""
    try:
        return np.array([float(value) if value else np.nan for value in values])
    except ValueError:
        return np.array(values, dtype=object)

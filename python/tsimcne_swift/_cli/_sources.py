"""Images from what stands on the command line."""

from __future__ import annotations

import csv
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import images
from .._checks.axes import order_of
from .._checks.values import check_regular
from .._estimator import TSimCNE
from .._system.text import harmless, legible
from ..images import ImageCollection
from ..images._decoding._layout import SMALLEST
from ..images._reading import layout_of

IDX = b"\0\0\x08"


# Files that are named on standard error, each with its reason; the last line counts all.
MOST_NAMED = 20


def read_source(options: Any, model: TSimCNE | None = None) -> ImageCollection:
    """The images of ``options.source``, prepared as those of a model; what is skipped is named on standard
    error, and so is what was done.
    """
    path: Path = options.source
    reading = _reading(options, model)
    collection = _read(path, reading | {"n_jobs": options.jobs, "progress": sys.stderr.isatty()})
    if model is not None:
        collection = collection.like(layout_of(model))
    for name, reason in collection.skipped[:MOST_NAMED]:
        print(legible(f"skipped {name}: {reason}"), file=sys.stderr)
    if len(collection.skipped) > MOST_NAMED:
        print(f"… and {len(collection.skipped) - MOST_NAMED:,} more", file=sys.stderr)
    for note in collection.notes:
        print(legible(f"note: {note}"), file=sys.stderr)
    return collection


def exit_code(collection: ImageCollection) -> int:
    """0 where most pictures could be read, else 1, which is said."""
    read, skipped = len(collection), len(collection.skipped)
    if skipped <= read:
        return 0
    print(f"error: more pictures were skipped ({skipped:,}) than read ({read:,})", file=sys.stderr)
    return 1


def _reading(options: Any, model: TSimCNE | None) -> dict[str, Any]:
    """What the command line says of the form of pictures, or what a model knows of it."""
    wishes = {name: getattr(options, name) for name in ("size", "channels", "fit", "scale")}
    if model is None:
        return wishes
    given = [f"--{name}" for name, value in wishes.items() if value is not None]
    if model.image_layout_ is None:
        # It was fitted on an array, whose pictures' fit and range it has not seen.
        height, width, channels = model.image_shape_
        print(
            "note: how the pictures of this model were prepared is not known, as it was fitted on an array",
            file=sys.stderr,
        )
        return wishes | {"size": (height, width), "channels": channels}
    if given:
        raise ValueError(f"model: it says how pictures are prepared, which excludes {', '.join(given)}")
    return {"like": model}


def _read(path: Path, reading: dict[str, Any]) -> ImageCollection:
    if path.is_dir():
        return images.from_folder(path, **reading)
    check_regular("source", path)
    if path.suffix == ".parquet":
        return images.from_parquet(path, **reading)
    if path.suffix == ".npy":
        return _read_array(path, reading)
    if zipfile.is_zipfile(path):
        return images.from_zip(path, **reading)
    with open(path, "rb") as file:
        start = file.read(3)
    if start == IDX or start[:2] == b"\x1f\x8b":
        return images.from_idx(path)
    raise ValueError(f"source: got {path}, want a folder, or a .zip, .parquet, .npy or idx file")


def _read_array(path: Path, reading: dict[str, Any]) -> ImageCollection:
    """Images in one array: in place where they are what a network reads, else as pictures of any kind."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim not in (3, 4) or (array.ndim == 3 and array.shape[2] < SMALLEST <= array.shape[0]):
        raise ValueError(f"source: got shape {array.shape} in {path}, want (n, height, width[, channels])")
    shape = (*array.shape[1:], 1)[:3]
    is_ready = array.dtype == np.uint8 and order_of(shape) == "last" and min(shape[:2]) >= SMALLEST
    if is_ready and not any(value is not None for value in (reading.get("size"), reading.get("channels"))):
        return ImageCollection(array.reshape(-1, *shape), [str(i) for i in range(len(array))])
    return images.from_files(array, **reading)


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

"""Images from what stands on the command line."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from .. import images
from .._checks.values import check_regular
from .._estimator import TSimCNE
from .._system.text import legible
from ..images import ImageCollection
from ..images._decoding._kinds import VIDEO_ENDINGS
from ..images._reading import layout_of
from ._metadata import read_metadata as read_metadata

IDX = b"\0\0\x08"


# Files that are named on standard error, each with its reason; the last line counts all.
MOST_NAMED = 20


def load_model(options: Any) -> TSimCNE:
    """The model of a file, whose eyes may be elsewhere."""
    return TSimCNE.load(options.model, backbone_file=options.eyes)


def read_source(options: Any, model: TSimCNE | None = None) -> ImageCollection:
    """The images of ``options.source``, prepared as those of a model; what is skipped is named on standard
    error, and so is what was done.
    """
    path: Path = options.source
    chosen = {"image": options.image_column, "label": options.label_column}
    if getattr(options, "metadata", None) is not None:  # the labels are in the table
        chosen["label"] = None
    columns: dict[str, Any] = {kind: name for kind, name in chosen.items() if name is not None}
    reading = _reading(options, model) | {"n_jobs": options.jobs, "progress": not options.json}
    collection = _read(path, columns, options.every, reading)
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


def _read(path: Path, columns: dict[str, Any], every: float | None, reading: Any) -> ImageCollection:
    is_folder = path.is_dir()
    if not is_folder:
        check_regular("source", path)
    if path.suffix == ".parquet" or (is_folder and _holds_alone(".parquet", path)):
        return images.from_parquet(path, **columns, **reading)
    if path.suffix == ".npz":
        return images.from_npz(path, **columns, **reading)
    for kind, name in columns.items():
        more = " or with --metadata" * (kind == "label")
        raise ValueError(f"{kind}-column: got {name!r}, want it with .parquet and .npz files{more} only")
    if path.suffix.lower() in VIDEO_ENDINGS and not is_folder:
        return images.from_video(path, every=every or 1.0, **reading)
    if every is not None:
        raise ValueError(f"every: got {every:g} s, want it with videos only")
    if is_folder and _holds_alone(".tar", path):
        return images.from_tar(path, **reading)
    if path.suffix == ".npy" or (is_folder and _holds_alone(".npy", path)):
        return images.from_npy(path, **reading)
    if is_folder:
        return images.from_folder(path, **reading)
    if zipfile.is_zipfile(path):
        return images.from_zip(path, **reading)
    if tarfile.is_tarfile(path):
        return images.from_tar(path, **reading)
    with open(path, "rb") as file:
        start = file.read(3)
    if start == IDX or start[:2] == b"\x1f\x8b":
        return images.from_idx(path, **reading)
    raise ValueError(
        f"source: got {path}, want a folder, a .zip, .tar, .parquet, .npy, .npz or idx file, or a video"
    )


def _holds_alone(ending: str, folder: Path) -> bool:
    """Whether there are files of this ending in it or its folders, and no pictures: shards of one set."""
    from PIL import Image

    endings = Image.registered_extensions()
    found = False
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        ends = {os.path.splitext(name)[1].lower() for name in names if not name.startswith(".")}
        if ends & endings.keys():
            return False
        found |= ending in ends
    return found

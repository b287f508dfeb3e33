"""Pictures in the data sets and tables of other libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from .._checks.values import check_regular
from .._system.config import available_memory
from ._collection import ImageCollection, in_order_of
from ._decoding._opening import check_format
from ._files import open_array
from ._reading import Item, Options, read
from ._workers import Encoded


def from_dataset(
    dataset: Any,
    *,
    image: str = "image",
    label: str | None = "label",
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures of a data set of torchvision, or of Hugging Face's ``datasets``.

    Parameters
    ----------
    dataset : sequence
        Sequence of (picture, label), as torchvision's; its names are ``dataset.classes``. Or one of rows with
        named columns, as ``datasets.Dataset``; its names are those of a ``ClassLabel``. Pictures are
        Pillow's, or arrays (height, width[, channels]).
    image, label : str
        Names of the columns. A ``label`` that is not there, or None: no labels.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
    """
    n = len(dataset)
    if n == 0:
        raise ValueError("dataset: got an empty one, want at least one picture")
    columns = getattr(dataset, "column_names", None)
    if columns is not None:
        if image not in columns:
            raise ValueError(f"image: got {image!r}, want one of the columns {', '.join(columns)}")
        numbers = list(dataset[label]) if label in columns else [None] * n
        names = getattr(dataset.features.get(label), "names", None) if label in columns else None

        def opened(place: int) -> Any:
            return _picture(dataset[place][image])
    else:
        targets = getattr(dataset, "targets", None)
        numbers = list(targets) if targets is not None else [dataset[i][1] for i in range(n)]
        names = getattr(dataset, "classes", None)

        def opened(place: int) -> Any:
            return _picture(dataset[place][0])

    return _read_rows(opened, numbers, names, type(dataset).__name__, options)


def from_parquet(
    path: str | os.PathLike[str],
    *,
    image: str = "image",
    label: str | None = "label",
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures in a Parquet file, or a folder of them, as Hugging Face's hub has them.

    Parameters
    ----------
    path : path
    image : str
        Column of files' bytes, or of structs with ``bytes``.
    label : str or None
        Column of numbers or names; names of numbers are taken from the file's Hugging Face metadata. A column
        that is not there, or None: no labels.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
    """
    import pyarrow.parquet

    for file in _files_of(path):
        check_regular("path", file)
    dataset = pyarrow.parquet.ParquetDataset(path)
    columns = dataset.schema.names
    if image not in columns:
        raise ValueError(f"image: got {image!r}, want one of the columns {', '.join(columns)}")
    _check_memory(dataset, image)
    has_labels = label is not None and label in columns
    table = pyarrow.parquet.read_table(path, columns=[image, label] if has_labels else [image])
    pictures = table[image]

    def opened(place: int) -> Any:
        return _picture(pictures[place].as_py())

    numbers = table[label].to_pylist() if has_labels else [None] * len(table)
    return _read_rows(
        opened, numbers, _class_names(table.schema.metadata, label), os.path.basename(path), options
    )


def _files_of(path: str | os.PathLike[str]) -> list[str | os.PathLike[str]]:
    """The file, or all files in a folder and the folders in it."""
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]


def _check_memory(dataset: Any, column: str) -> None:
    """Bytes of the column when it is unpacked, as the files say: it is read as a whole."""
    size = 0
    for fragment in dataset.fragments:
        for number in range(fragment.metadata.num_row_groups):
            group = fragment.metadata.row_group(number)
            parts = [group.column(place) for place in range(group.num_columns)]
            # The path of a struct goes on behind a dot.
            size += sum(
                part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] == column
            )
    if size > available_memory():
        raise ValueError(
            f"image: got {size:,} bytes in the column {column!r}, want at most {available_memory():,}, "
            "the memory that is available"
        )


def _read_rows(
    opened: Callable[[int], Any], numbers: list[Any], names: list[str] | None, source: str, options: Options
) -> ImageCollection:
    def named(number: Any) -> Any:
        if number is None or names is None or isinstance(number, str):
            return number
        # -1 stands for no label in Hugging Face's sets.
        return names[int(number)] if 0 <= int(number) < len(names) else None

    items = [
        Item(str(place), named(number), lambda place=place: opened(place))  # type: ignore[misc]
        for place, number in enumerate(numbers)
    ]
    collection = read(items, source, **options)
    return collection if names is None else in_order_of(collection, names)


def _picture(value: Any) -> Any:
    from PIL import Image

    if isinstance(value, dict):  # the column is not decoded
        value = value["bytes"]
    if isinstance(value, bytes):
        return Encoded(("data", value))
    if isinstance(value, Image.Image):
        check_format(value)
        return value
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        # torchvision's ToTensor has channels first, in [0, 1].
        value = np.moveaxis(np.asarray(value.numpy()), 0, -1)
        if value.dtype.kind == "f":
            value = np.rint(255 * value).astype(np.uint8)
    return open_array(np.asarray(value))


def _class_names(metadata: Any, label: str | None) -> list[str] | None:
    """Names of a ClassLabel in what ``datasets`` writes into a Parquet file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return list(names) if isinstance(names, list) else None

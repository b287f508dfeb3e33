"""Pictures in the data sets and tables of other libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Unpack

from .._checks.columns import is_missing
from .._checks.values import check_regular
from ._arrays import picture_of
from ._collection import ImageCollection, in_order_of
from ._reading import Item, Options, read
from ._row_groups import RowGroups

# Columns of labels, the likeliest first.
LABELS = ("label", "labels", "fine_label", "class", "target", "category", "y")


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
        Pillow's, arrays, or PyTorch's tensors, as `from_files` takes them.
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
    image: str | None = None,
    label: str | None = "auto",
    **options: Unpack[Options],
) -> ImageCollection:
    """Pictures in a Parquet file, or a folder of them, as Hugging Face's hub has them.

    They are read by groups of rows, and need not fit into memory.

    Parameters
    ----------
    path : path
    image : str or None
        Column of files' bytes, or of structs with ``bytes``. None: the only one that holds such.
    label : str or None
        Column of numbers or names; names of numbers are taken from the file's Hugging Face metadata. None: no
        labels. ``"auto"``: the column ``label``, ``labels``, ``fine_label``, ``class``, ``target``,
        ``category`` or ``y``, if there is one; else the only one whose numbers have names.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
        Names are those of the files that the structs name, where no two are equal; else numbers of rows.

    Raises
    ------
    ValueError
        If there is no such column, or several columns hold pictures and ``image`` names none.
    """
    import pyarrow.parquet

    files = _files_of(path)
    for file in files:
        check_regular("path", file)
    dataset = pyarrow.parquet.ParquetDataset(files)
    columns = dataset.schema.names
    if image is None:
        image = _only_image(dataset.schema)
    if image not in columns:
        raise ValueError(f"image: got {image!r}, want one of the columns {', '.join(columns)}")
    if label == "auto" and label not in columns:
        label = _likely_label(dataset.schema)
    if label is not None and label not in columns:
        raise ValueError(f"label: got {label!r}, want one of the columns {', '.join(columns)}, or None")
    rows = RowGroups(files, image)

    def opened(place: int) -> Any:
        return _picture(rows[place])

    numbers = [None] * len(rows)
    if label is not None:
        numbers = dataset.read(columns=[label], use_pandas_metadata=False)[label].to_pylist()
    return _read_rows(
        opened, numbers, _class_names(dataset.schema.metadata, label), os.path.basename(path), options,
        _file_names(dataset.schema, rows),
    )  # fmt: skip


def _files_of(path: str | os.PathLike[str]) -> list[str | os.PathLike[str]]:
    """The file, or all Parquet files in a folder and the folders in it, in the order of their names."""
    if not os.path.isdir(path):
        return [path]
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(".parquet") and not name.startswith(".")
    ]
    if not found:
        raise ValueError(f"path: got {os.fspath(path)!r}, want Parquet files in it")
    return [*sorted(found)]


def _only_image(schema: Any) -> str:
    """The column that holds files' bytes."""
    from pyarrow import types

    def is_bytes(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    found = []
    for field in schema:
        fields = list(field.type) if types.is_struct(field.type) else []
        if is_bytes(field.type) or any(inner.name == "bytes" and is_bytes(inner.type) for inner in fields):
            found.append(field.name)
    if "image" in found or "image" in schema.names:
        return "image"
    if len(found) != 1:
        what = f"several with pictures ({', '.join(found)})" if found else ", ".join(schema.names)
        raise ValueError(f"image: got columns {what}, want the name of the one that holds pictures")
    return str(found[0])


def _likely_label(schema: Any) -> str | None:
    for name in LABELS:
        if name in schema.names:
            return name
    named = [name for name in schema.names if _class_names(schema.metadata, name) is not None]
    return named[0] if len(named) == 1 else None


def _file_names(schema: Any, rows: RowGroups) -> list[str] | None:
    """Names in the structs, where each has one of its own."""
    from pyarrow import types

    kind = schema.field(rows.column).type
    if not types.is_struct(kind) or kind.get_field_index("path") < 0:
        return None
    names = rows.field("path")
    is_unique = all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names)
    return names if is_unique else None


def _read_rows(
    opened: Callable[[int], Any],
    numbers: list[Any],
    names: list[str] | None,
    source: str,
    options: Options,
    files: list[str] | None = None,
) -> ImageCollection:
    def named(number: Any) -> Any:
        if names is None or isinstance(number, str) or is_missing(number):
            return number
        # -1 stands for no label in Hugging Face's sets.
        return names[int(number)] if 0 <= int(number) < len(names) else None

    items = [
        Item(str(place) if files is None else files[place], named(number), lambda place=place: opened(place))  # type: ignore[misc]
        for place, number in enumerate(numbers)
    ]
    collection = read(items, source, **options)
    return collection if names is None else in_order_of(collection, names)


def _picture(value: Any) -> Any:
    if isinstance(value, dict):  # the column is not decoded
        value = value["bytes"]
    return picture_of(value)


def _class_names(metadata: Any, label: str | None) -> list[str] | None:
    """Names of a ClassLabel in what ``datasets`` writes into a Parquet file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return list(names) if isinstance(names, list) else None

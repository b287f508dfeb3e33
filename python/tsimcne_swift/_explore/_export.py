"""A map for other programs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from .._checks.labels import read_labels
from .._checks.maps import as_shown, check_plane
from .._inputs.images import as_pictures
from .._system.text import legible
from ._data import _items, label_texts


def to_frame(
    Y: Any,
    X: Any = None,
    labels: Any = None,
    *,
    label_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    metadata: Any = None,
) -> Any:
    """A data frame with a row for each image.

    Its Parquet file (``to_frame(...).to_parquet("map.parquet")``) is what Embedding Atlas reads:
    ``embedding-atlas map.parquet --x x --y y --image image``. datamapplot takes its columns:
    ``datamapplot.create_plot(frame[["x", "y"]].to_numpy(), frame["label"])``.

    Parameters
    ----------
    Y, X, labels, label_names, names, metadata
        Map, images, labels and the rest, as for `explore`.

    Returns
    -------
    pandas.DataFrame
        Columns ``x``, ``y``, and, where they are known, ``label``, ``name``, ``image`` (dicts of PNG
        ``bytes``, as Hugging Face's data sets have them) and those of the metadata.
    """
    import pandas as pd

    Y = check_plane(Y)
    columns: dict[str, Any] = {"x": Y[:, 0], "y": Y[:, 1]}
    if labels is not None:
        known = read_labels(labels, len(Y), label_names)
        columns["label"] = label_texts(known) if known.scale is None else known.scale
    if names is not None:
        columns["name"] = [legible(name) if isinstance(name, str) else name for name in names]
    columns |= {name: _plain(values) for name, values in _items(metadata)}
    if X is not None:
        columns["image"] = [{"bytes": _png(image)} for image in as_pictures(X, len(Y))]
    return pd.DataFrame(columns)


def _plain(values: Any) -> Any:
    """A column without the index that a data frame's has: rows stand in the map's order."""
    return getattr(values, "array", values)


def _png(image: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(as_shown(image)).save(file, "png")
    return file.getvalue()

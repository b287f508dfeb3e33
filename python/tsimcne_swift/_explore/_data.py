"""What the page shows, checked, as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.maps import check_labels, check_plane
from .._checks.values import check_integer
from .._inputs.images import as_pictures
from .._system.text import legible
from ._atlas import make_atlases

# More different values than this are text to search, and no colours.
MOST_CATEGORIES = 200
# Of the map's extent: less than a pixel.
RESOLUTION = 1e-5


def make_data(
    Y: Any,
    X: Any,
    labels: Any,
    *,
    label_names: Sequence[str] | None,
    names: Sequence[str] | None,
    metadata: Any,
    title: str,
    thumbnail: int,
    quality: int,
) -> str:
    """All of it as JSON: coordinates and categories as base64 of little-endian float32, numbers float64."""
    Y = check_plane(Y)
    n = len(Y)
    if n and np.spacing(np.float32(np.abs(Y).max())) > RESOLUTION * np.ptp(Y, axis=0).max():
        # float32 has differences of the map about its middle only; nothing shows coordinates.
        Y = Y - np.median(Y, axis=0)
    check_integer("thumbnail", thumbnail, 8, 256)
    check_integer("quality", quality, 1, 100)
    columns = []
    if labels is not None:
        columns.append(_column("label", _named(labels, label_names, n), n))
    columns += [_column(legible(name), values, n) for name, values in _items(metadata)]
    data: dict[str, Any] = {
        "title": legible(title),
        "x": _floats(Y[:, 0]),
        "y": _floats(Y[:, 1]),
        "names": _names(names, n),
        "columns": columns,
        "thumbnails": None,
    }
    if X is not None:
        data["thumbnails"] = asdict(make_atlases(as_pictures(X, n), thumbnail, quality))
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _named(labels: Any, label_names: Sequence[str] | None, n: int) -> npt.NDArray[Any]:
    values = check_labels(labels, n)
    if label_names is None or values.dtype.kind not in "iu":
        return values
    if values.max(initial=-1) >= len(label_names):
        raise ValueError(f"label_names: got {len(label_names)}, but labels go up to {values.max()}")
    known = np.array([*map(legible, label_names), ""], dtype=object)
    return known[np.where(values < 0, len(label_names), values)]


def _items(metadata: Any) -> list[tuple[Any, Any]]:
    """Names and values of a mapping or a data frame."""
    if metadata is None:
        return []
    if hasattr(metadata, "to_dict") and hasattr(metadata, "columns"):
        return [(name, metadata[name].to_numpy()) for name in metadata.columns]
    if not hasattr(metadata, "items"):
        raise TypeError(f"metadata: got {type(metadata).__name__}, want a data frame or a dict of columns")
    return list(metadata.items())


def _column(name: str, values: Any, n: int) -> dict[str, Any]:
    array = np.asarray(values)
    if array.dtype.kind in "US":  # numpy writes missing values among them as text
        array = np.asarray(values, dtype=object)
    if array.shape != (n,):
        raise ValueError(f"metadata[{name!r}]: got shape {array.shape}, want ({n},)")
    if array.dtype.kind == "f" or (array.dtype.kind in "iu" and name != "label"):
        return {"name": name, "kind": "number", "values": _floats(array, "<f8")}
    texts = ["" if value is None or value != value else legible(value) for value in array.tolist()]
    known = sorted(set(texts))
    if len(known) > MOST_CATEGORIES:
        return {"name": name, "kind": "text", "values": texts}
    places = {text: place for place, text in enumerate(known)}
    codes = np.array([places[text] for text in texts])
    return {"name": name, "kind": "category", "values": _floats(codes), "categories": known}


def _names(names: Sequence[str] | None, n: int) -> list[str] | None:
    if names is None:
        return None
    if len(names) != n:
        raise ValueError(f"names: got {len(names)}, want one for each of {n} points")
    return [legible(name) for name in names]


def _floats(values: npt.NDArray[Any], dtype: str = "<f4") -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()

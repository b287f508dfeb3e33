"""What the page shows as one JSON document."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from ._atlas import Layout, Pictures

# What is no text is base64 of little-endian numbers.
KINDS = {"category": "<f4", "number": "<f8"}


def as_document(data: dict[str, Any], pictures: Pictures | None) -> str:
    """All of it: places and categories as float32, numbers as float64, neighbours as two bytes or four."""
    shown = data | {
        "x": encoded(data["x"], "<f4"),
        "y": encoded(data["y"], "<f4"),
        "neighbors": None if data["neighbors"] is None else _neighbors(data["neighbors"]),
        "thumbnails": None if pictures is None else _thumbnails(pictures),
    }
    for name in ("columns", "clusters"):
        shown[name] = [_column(column) for column in data[name]]
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def encoded(values: npt.NDArray[Any], dtype: str) -> str:
    """Numbers as base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def _column(column: dict[str, Any]) -> dict[str, Any]:
    dtype = KINDS.get(column["kind"])
    return column if dtype is None else column | {"values": encoded(column["values"], dtype)}


def _neighbors(table: npt.NDArray[Any]) -> dict[str, Any]:
    size = 2 if len(table) <= 1 << 16 else 4
    return {"count": table.shape[1], "bytes": size, "values": encoded(table, f"<u{size}")}


def _thumbnails(pictures: Pictures) -> dict[str, Any]:
    layout = Layout.of(pictures)
    made = layout.make(pictures, range(len(pictures.images)))
    return asdict(layout) | {"pictures": [base64.b64encode(picture).decode() for picture in made]}

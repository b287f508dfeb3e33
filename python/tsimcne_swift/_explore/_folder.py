"""The page as a folder: what describes it in ``index.html``, and pieces that are read as one looks.

Each piece is a script of one call, as a browser reads no other file beside a page that it opened from a disk.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._system.writing import replacing_folder
from ._atlas import Layout, Pictures
from ._document import encoded
from ._levels import LEVELS, along_curve, distance_between, picture_levels
from ._page import MARK, make_page

# Images of a piece.
PIECE = 1 << 16
# Side of a tile of thumbnails in pixels: some hundred kilobytes.
TILE = 512
# Steps of a place on the map along an axis: three bytes.
STEPS = (1 << 24) - 1
# What a folder of ours has.
PAGE, DATA, TILES = "index.html", "data", "tiles"


def is_folder(path: Any) -> bool:
    """Whether a path is meant as a folder: it ends in a slash, has no ending, or is one."""
    if not isinstance(path, str | os.PathLike):
        return False
    text = os.fspath(path)
    if not isinstance(text, str) or not text:
        return False
    return text.endswith(os.sep) or os.path.splitext(text)[1] == "" or os.path.isdir(text)


def check_folder(name: str, path: str | os.PathLike[str]) -> str:
    """The path of a folder that can be made, or that a page may replace."""
    text = os.path.realpath(path)
    if not os.path.isdir(os.path.dirname(text)):
        raise ValueError(f"{name}: got {os.fspath(path)!r}, but there is no folder {os.path.dirname(text)}")
    if not os.path.lexists(text):
        return text
    if not os.path.isdir(text):
        raise ValueError(f"{name}: got {os.fspath(path)!r}, which is a file; want a folder")
    if os.listdir(text) and not holds_page(Path(text)):
        raise ValueError(f"{name}: got {os.fspath(path)!r}, a folder that holds other things than a map")
    return text


def holds_page(folder: Path) -> bool:
    """Whether a folder is one that `write_folder` wrote, with nothing else in it."""
    try:
        if not {entry.name for entry in folder.iterdir()} <= {PAGE, DATA, TILES}:
            return False
        with open(folder / PAGE, "rb") as file:
            return MARK.encode() in file.read(4096)
    except OSError:
        return False


def write_folder(path: str, data: dict[str, Any], pictures: Pictures | None) -> None:
    """Write the page; an older one is replaced when all is written."""
    with replacing_folder(path) as folder:
        (folder / DATA).mkdir()
        (folder / TILES).mkdir()
        n = len(data["x"])
        points = np.stack([data["x"], data["y"]], axis=1)
        described = {"title": data["title"], "description": data["description"], "count": n, "piece": PIECE}
        described["places"] = _write_places(folder, points)
        for name in ("names", "links"):
            described[name] = data[name] is not None
            _write_texts(folder, name, data[name] or [])
        for name in ("columns", "clusters"):
            described[name] = [
                _write_column(folder, f"{name}-{k}", column) for k, column in enumerate(data[name])
            ]
        described["neighbors"] = None
        if data["neighbors"] is not None:
            described["neighbors"] = {"count": data["neighbors"].shape[1]}
            _write_numbers(folder, "neighbors", data["neighbors"], "<u4")
        described["thumbnails"] = None if pictures is None else _write_tiles(folder, points, pictures)
        text = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
        (folder / PAGE).write_text(make_page(data["title"], text, "'self' file:"), encoding="utf-8")


def _write(folder: Path, name: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (folder / f"{name}.js").write_text(f'tsimcne("{name}", {text});\n', encoding="utf-8")


def _pieces(n: int) -> Iterator[tuple[int, slice]]:
    for number, start in enumerate(range(0, n, PIECE)):
        yield number, slice(start, start + PIECE)


def _write_numbers(folder: Path, name: str, values: npt.NDArray[Any], dtype: str) -> None:
    for number, part in _pieces(len(values)):
        _write(folder, f"{DATA}/{name}-{number}", encoded(values[part], dtype))


def _write_texts(folder: Path, name: str, texts: list[str]) -> None:
    for number, part in _pieces(len(texts)):
        _write(folder, f"{DATA}/{name}-{number}", texts[part])


def _write_places(folder: Path, points: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    """Places as whole numbers of steps, three bytes each; where they begin, and the steps."""
    low = points.min(axis=0)
    step = np.ptp(points, axis=0) / STEPS
    step[step == 0] = 1
    for number, part in _pieces(len(points)):
        steps = np.rint((points[part] - low) / step).astype("<u4").view(np.uint8).reshape(-1, 2, 4)
        _write(folder, f"{DATA}/places-{number}", encoded(steps[..., :3], "u1"))
    return {"low": low.tolist(), "step": step.tolist()}


def _write_column(folder: Path, name: str, column: dict[str, Any]) -> dict[str, Any]:
    """What describes a column; its values are pieces."""
    described = {key: value for key, value in column.items() if key != "values"}
    values = column["values"]
    if column["kind"] == "category":
        size = next(size for size in (1, 2, 4) if len(column["categories"]) <= 1 << 8 * size)
        described["bytes"] = size
        _write_numbers(folder, name, values, f"<u{size}")
    elif column["kind"] == "number":
        _write_numbers(folder, name, values, "<f8")
    else:
        _write_texts(folder, name, values)
    return described


def _write_tiles(folder: Path, points: npt.NDArray[np.float64], pictures: Pictures) -> dict[str, Any]:
    """Thumbnails by the zoom at which they appear, then by their places; and where each is."""
    distance = distance_between(points)
    levels = picture_levels(points, pictures.size, distance)
    order = np.lexsort((along_curve(points), levels))
    ranks = np.empty(len(order), "<u4")
    ranks[order] = np.arange(len(order), dtype="<u4")
    _write_numbers(folder, "ranks", ranks, "<u4")
    layout = Layout.of(pictures, TILE)
    for number, picture in enumerate(layout.make(pictures, order)):
        _write(folder, f"{TILES}/{number}", base64.b64encode(picture).decode())
    counts = np.bincount(levels, minlength=LEVELS + 1).tolist()
    return asdict(layout) | {"distance": distance, "levels": counts[:LEVELS]}

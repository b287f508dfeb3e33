"""A still picture of a map, for where a notebook's scripts do not run."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

# Pixels of the picture, and how many times larger it is drawn, so that points have smooth edges.
WIDTH, HEIGHT, FINER = 640, 480, 2
MARGIN = 12
# Share of the points that the first view leaves out at each end, as the page does.
TAIL = 0.02
# Radius of a point, smaller the more there are.
LARGEST, SMALLEST = 4.0, 0.7
PLAIN = "#0072b2"


def make_still(data: str) -> bytes:
    """The points in the colours that the page begins with.

    Parameters
    ----------
    data : str
        What the page shows, as JSON.

    Returns
    -------
    bytes
        A PNG file.
    """
    from PIL import Image, ImageDraw

    shown = json.loads(data)
    points = np.stack([_floats(shown["x"]), _floats(shown["y"])], axis=1).astype(np.float64)
    picture = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), "white")
    draw = ImageDraw.Draw(picture)
    radius = FINER * float(np.clip(60 / max(1, len(points)) ** 0.5, SMALLEST, LARGEST))
    colors = _colors(shown, len(points))
    # In a random order: else the last class would hide the others.
    places = _places(points) * FINER
    for i in np.random.default_rng(0).permutation(len(points)).tolist():
        x, y = places[i].tolist()
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colors[i])
    file = io.BytesIO()
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _places(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pixels; what lies far out stands at the edge."""
    low, high = np.quantile(points, [TAIL, 1 - TAIL], axis=0)
    low, high = np.maximum(points.min(axis=0), 2 * low - high), np.minimum(points.max(axis=0), 2 * high - low)
    room = np.array([WIDTH, HEIGHT]) - 2 * MARGIN
    scale = (room / np.maximum(high - low, 1e-30)).min()
    within = (np.clip(points, low, high) - (low + high) / 2) * scale
    return np.asarray(within * [1, -1] + np.array([WIDTH, HEIGHT]) / 2)


def _colors(shown: dict[str, Any], count: int) -> list[str]:
    for column in [*shown["columns"], *shown["clusters"]]:
        if column["kind"] == "category":
            codes = _floats(column["values"]).astype(int).tolist()
            return [column["colors"][code] for code in codes]
    return [PLAIN] * count


def _floats(text: str) -> npt.NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), "<f4")

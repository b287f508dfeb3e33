"""A still picture of a map, for where a notebook's scripts do not run."""

from __future__ import annotations

import io
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


def make_still(data: dict[str, Any]) -> bytes:
    """The points in the colours that the page begins with.

    Parameters
    ----------
    data : dict
        What the page shows, as `make_data` has it.

    Returns
    -------
    bytes
        A PNG file.
    """
    from PIL import Image, ImageDraw

    points = np.stack([data["x"], data["y"]], axis=1)
    picture = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), "white")
    draw = ImageDraw.Draw(picture)
    radius = FINER * float(np.clip(60 / max(1, len(points)) ** 0.5, SMALLEST, LARGEST))
    colors = _colors(data, len(points))
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
            return [column["colors"][code] for code in np.asarray(column["values"]).astype(int).tolist()]
    return [PLAIN] * count

"""Thumbnails, many to a picture."""

from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from .._checks.maps import as_shown

# Side of an atlas in pixels, which every browser decodes at once.
SIDE = 2048


@dataclass(frozen=True)
class Atlases:
    """Thumbnails in rows, from left to right and from top to bottom.

    ``pictures`` are WebP files in base64; ``height`` and ``width`` are those of a thumbnail.
    """

    height: int
    width: int
    columns: int
    rows: int
    pictures: list[str]


def make_atlases(images: npt.NDArray[Any], size: int, quality: int) -> Atlases:
    """Atlases of images (n, height, width, channels), whose longer side becomes at most ``size``."""
    n, height, width, _ = images.shape
    scale = min(1.0, size / max(height, width))
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    columns, rows = SIDE // width, SIDE // height
    starts = range(0, n, columns * rows)
    with ThreadPoolExecutor() as pool:
        pictures = list(
            pool.map(
                lambda start: _encoded(
                    images[start : start + columns * rows], (width, height), columns, quality
                ),
                starts,
            )
        )
    return Atlases(height, width, columns, rows, pictures)


def _encoded(images: npt.NDArray[Any], size: tuple[int, int], columns: int, quality: int) -> str:
    from PIL import Image

    width, height = size
    rows = -(-len(images) // columns)
    atlas = Image.new("RGB", (columns * width, rows * height), "white")
    for place, image in enumerate(images):
        picture = Image.fromarray(as_shown(image))
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        atlas.paste(picture, (place % columns * width, place // columns * height))
    file = io.BytesIO()
    atlas.save(file, "webp", quality=quality, method=4)
    return base64.b64encode(file.getvalue()).decode()

"""Thumbnails, many to a picture."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.maps import as_shown
from .._checks.values import check_integer
from .._inputs.images import as_pictures

# Side of an atlas in pixels, which every browser decodes at once.
SIDE = 2048
# Pictures that are made at a time, of which as many are kept as are not written yet.
AT_ONCE = 16


@dataclass(frozen=True)
class Pictures:
    """Images (n, height, width, channels), and the longer side and the quality of their thumbnails."""

    images: npt.NDArray[Any]
    thumbnail: int
    quality: int

    @classmethod
    def of(cls, X: Any, n: int, thumbnail: int, quality: int) -> Pictures | None:
        """Those of what `explore` was given."""
        check_integer("thumbnail", thumbnail, 8, 256)
        check_integer("quality", quality, 1, 100)
        return None if X is None else cls(as_pictures(X, n), thumbnail, quality)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a thumbnail."""
        height, width = self.images.shape[1:3]
        scale = min(1.0, self.thumbnail / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


@dataclass(frozen=True)
class Layout:
    """Thumbnails in rows, from left to right and from top to bottom, of pictures in WebP.

    ``height`` and ``width`` are those of a thumbnail.
    """

    height: int
    width: int
    columns: int
    rows: int

    @classmethod
    def of(cls, pictures: Pictures, side: int = SIDE) -> Layout:
        """As many to a picture as its side has room for."""
        height, width = pictures.size
        return cls(height, width, max(1, side // width), max(1, side // height))

    def make(self, pictures: Pictures, order: Sequence[int] | npt.NDArray[Any]) -> Iterator[bytes]:
        """The pictures of all thumbnails in this order, one after another."""
        count = self.columns * self.rows
        starts = list(range(0, len(order), count))
        with ThreadPoolExecutor() as pool:
            for first in range(0, len(starts), AT_ONCE):
                yield from pool.map(
                    lambda start: self._encoded(pictures, order[start : start + count]),
                    starts[first : first + AT_ONCE],
                )

    def _encoded(self, pictures: Pictures, some: Sequence[int] | npt.NDArray[Any]) -> bytes:
        from PIL import Image

        size = (self.width, self.height)
        rows = -(-len(some) // self.columns)
        atlas = Image.new("RGB", (self.columns * self.width, rows * self.height), "white")
        for place, i in enumerate(np.asarray(some).tolist()):
            picture = Image.fromarray(as_shown(pictures.images[i]))
            if picture.size != size:
                picture = picture.resize(size, Image.Resampling.LANCZOS)
            atlas.paste(picture, (place % self.columns * self.width, place // self.columns * self.height))
        file = io.BytesIO()
        atlas.save(file, "webp", quality=pictures.quality, method=4)
        return file.getvalue()

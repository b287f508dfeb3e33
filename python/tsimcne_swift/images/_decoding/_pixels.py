"""One picture, as Pillow or tifffile opened it, to pixels of a wanted size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._opening import exif_of

if TYPE_CHECKING:
    from PIL import Image as PILImage

FITS = ("crop", "pad", "stretch")
GREY_MODES = ("1", "L", "LA", "La", "I", "F")
# Percentiles of a channel that become black and white where an image has more than 8 bits.
RANGE = (0.1, 99.9)
# Most values of a picture and channel that these limits are taken from.
MOST_VALUES = 20_000
# Number of values of a picture that are scaled together.
CHUNK = 1 << 20
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Layout:
    """What every picture of a collection becomes."""

    size: tuple[int, int]
    channels: int
    fit: str = "crop"
    background: tuple[int, int, int] = (255, 255, 255)
    # Values (channels, 2) that become 0 and 255, in pictures with more than 8 bits.
    limits: npt.NDArray[np.float64] | None = None


def is_deep(picture: PILImage.Image) -> bool:
    """Whether values have more than 8 bits."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;")


def channels_of(picture: Any) -> int:
    """Number of channels: 1 for grey, 3 for colour, more for what microscopes write."""
    if isinstance(picture, np.ndarray):
        return int(picture.shape[2])
    return 1 if picture.mode in GREY_MODES or picture.mode.startswith("I;") else 3


def size_of(picture: Any) -> tuple[int, int]:
    """Height and width of the picture when it is upright."""
    if isinstance(picture, np.ndarray):
        return int(picture.shape[0]), int(picture.shape[1])
    width, height = picture.size
    if exif_of(picture).get(ORIENTATION, 1) not in (5, 6, 7, 8):
        return height, width
    if hasattr(picture, "tag_v2"):
        # Of a TIFF file that is not decoded yet, some versions of Pillow say the size upright.
        width, height = picture.tag_v2[256], picture.tag_v2[257]
    return width, height


def deep_values(picture: Any) -> npt.NDArray[Any] | None:
    """Values (height, width, channels) of a picture with more than 8 bits; None for others."""
    if isinstance(picture, np.ndarray):
        return picture
    return np.asarray(picture)[:, :, None] if is_deep(picture) else None


def some_values(picture: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Values (pixels, channels) of every seventh pixel, and of fewer in large pictures."""
    rows = picture.reshape(-1, picture.shape[-1])
    return rows[:: max(7, len(rows) // MOST_VALUES)].astype(np.float32)


def limits_of(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Limits of each channel, from `some_values` of a picture or several."""
    low, high = np.nanpercentile(values, RANGE, axis=0)
    return np.stack([low, np.maximum(high, low + 1e-6 * np.maximum(1, np.abs(low)))], axis=1)


def pixels(picture: Any, layout: Layout) -> npt.NDArray[np.uint8]:
    """The picture in the layout: (height, width, channels).

    Raises
    ------
    ValueError
        If it has another number of channels, and is not grey or colour.
    """
    from PIL import Image, ImageOps

    deep = deep_values(picture)
    if deep is not None:
        return _deep_pixels(deep, layout)
    if layout.channels not in (1, 3):
        raise ValueError(f"got {channels_of(picture)} channels, others have {layout.channels}")
    if picture.getexif().get(ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        canvas = Image.new("RGBA", picture.size, (*layout.background, 255))
        picture = Image.alpha_composite(canvas, picture)
    mode = "L" if layout.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    background = layout.background if layout.channels == 3 else _luminance(layout.background)
    return np.asarray(_fitted(picture, layout, background), np.uint8).reshape(*layout.size, layout.channels)


def _luminance(color: tuple[int, int, int]) -> int:
    return round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2])


def _deep_pixels(values: npt.NDArray[Any], layout: Layout) -> npt.NDArray[np.uint8]:
    from PIL import Image

    if values.shape[2] == 1 and layout.channels == 3:
        values = np.broadcast_to(values, (*values.shape[:2], 3))
    if values.shape[2] != layout.channels:
        raise ValueError(f"got {values.shape[2]} channels, others have {layout.channels}")
    limits = layout.limits if layout.limits is not None else limits_of(some_values(values))
    result = np.empty((*layout.size, layout.channels), np.uint8)
    for channel in range(layout.channels):
        low, high = limits[channel if len(limits) == layout.channels else 0]
        picture = Image.fromarray(_scaled(values[:, :, channel], low, high))
        fitted = np.asarray(_fitted(picture, layout, 0), np.float32)
        result[:, :, channel] = np.clip(np.rint(fitted), 0, 255).astype(np.uint8)
    return result


def _scaled(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float32]:
    """Scale ``low`` to 0 and ``high`` to 255, some rows at a time, as copies take eight bytes a value."""
    result = np.empty(values.shape, np.float32)
    rows = max(1, CHUNK // max(1, values.shape[1]))
    for first in range(0, len(values), rows):
        part = values[first : first + rows].astype(np.float32)
        result[first : first + rows] = np.nan_to_num(np.clip((part - low) / (high - low), 0, 1) * 255)
    return result


def _fitted(picture: PILImage.Image, layout: Layout, background: Any) -> PILImage.Image:
    """The picture in the wanted size."""
    from PIL import Image, ImageOps

    size = (layout.size[1], layout.size[0])
    if picture.size == size:
        return picture
    method = Image.Resampling.LANCZOS
    if layout.fit == "stretch":
        return picture.resize(size, method, reducing_gap=3)
    if layout.fit == "pad":
        return ImageOps.pad(picture, size, method, color=background)
    return ImageOps.fit(picture, size, method)

"""One picture, as Pillow or another reader opened it, to pixels of a wanted size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._kinds import RefusedError
from ._layout import Layout, Range
from ._opening import ORIENTATION, exif_of
from ._ranges import range_alone, range_in_set
from ._raw import Raw
from ._tiff import EXTRA_SAMPLES, OPACITIES, TiffPicture

if TYPE_CHECKING:
    from PIL import Image as PILImage

GREY_MODES = ("1", "L", "LA", "La", "I", "F")
# Grey pages of a file, times its channels, that may be channels; more are a stack.
MOST_PAGES = 32
LUMINANCE = (0.299, 0.587, 0.114)
#: What a picture may be that a layout was chosen without, and that it can be chosen again for.
COLOUR, VALUES = "colour", "values"


class UnforeseenError(Exception):
    """The picture is something that the layout was chosen without."""


#: Kind and summary, as of `Raw`, of values that are not 8 bits; None where they are.
Values = tuple[str, Any]


@dataclass(frozen=True)
class Facts:
    """What is known of a picture before it is read.

    ``pages`` counts grey pages of one size. ``own`` are the values of one page, ``paged`` those of all as
    channels, where they may be channels. ``left`` counts the samples beside red, green and blue of which
    nobody knows what they are.
    """

    size: tuple[int, int]
    channels: int
    pages: int = 1
    own: Values | None = None
    paged: Values | None = None
    may_be_channels: bool = False
    left: int = 0

    @classmethod
    def read(cls, written: dict[str, Any]) -> Facts:
        """Facts from JSON."""
        return cls(**written | {"size": tuple(written["size"])})


def is_deep(picture: PILImage.Image) -> bool:
    """Whether values have more than 8 bits."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;")


def facts_of(picture: Any) -> Facts:
    """Size and channels, from headers where they say them, and what ranges are made of."""
    if isinstance(picture, TiffPicture):
        pages, channels = picture.pages, picture.channels
        may_be_channels = 1 < pages * channels <= MOST_PAGES and pages > 1
        own = _values_of(picture.raw("middle"))
        paged = _values_of(picture.raw("channels")) if may_be_channels else None
        return Facts(picture.size, channels, pages, own, paged, may_be_channels, picture.left)
    raw = _raw_of(picture)
    if raw is not None:
        height, width = raw.values.shape[:2]
        return Facts((height, width), raw.channels, own=_values_of(raw))
    if picture.mode in GREY_MODES:
        return Facts(_size_of(picture), 1)
    # Pillow drops what it does not know.
    extra = getattr(picture, "tag_v2", {}).get(EXTRA_SAMPLES, ())
    return Facts(_size_of(picture), 3, left=sum(kind not in OPACITIES for kind in extra))


def _values_of(raw: Raw) -> Values | None:
    if raw.kind is None:
        return None
    summary = raw.summary()
    return raw.kind, None if summary is None else summary.tolist()


def _size_of(picture: Any) -> tuple[int, int]:
    """Height and width of the picture when it is upright."""
    width, height = picture.size
    if exif_of(picture).get(ORIENTATION, 1) not in (5, 6, 7, 8):
        return height, width
    if hasattr(picture, "tag_v2"):
        # Of a TIFF file that is not decoded yet, some versions of Pillow say the size upright.
        width, height = picture.tag_v2[256], picture.tag_v2[257]
    return width, height


def _raw_of(picture: Any) -> Raw | None:
    """The values of a picture that Pillow's 8 bits do not hold; None for others."""
    if isinstance(picture, Raw):
        return picture
    if not is_deep(picture):
        return None
    values = np.asarray(picture)[:, :, None]
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if picture.mode == "I" and picture.format in ("PNG", "PPM"):
        # These have 16 bits, which Pillow keeps in 32.
        values = values.astype(np.uint16)
    elif picture.format == "FITS" and values.dtype == np.uint16:
        # Its whole numbers have a sign, which Pillow passes over.
        values = values.view(np.int16)
    clear = picture.info.get("transparency")
    alpha = None
    if isinstance(clear, int):
        alpha = np.where(values[:, :, 0] == clear, 0, 255).astype(np.uint8)
    return Raw(values, alpha=alpha).upright(exif_of(picture).get(ORIENTATION, 1))


def pixels(picture: Any, layout: Layout, alarms: Collection[str] = ()) -> npt.NDArray[np.uint8]:
    """The picture in the layout: (height, width, channels).

    Raises
    ------
    ValueError
        If it has another number of channels, and is not grey or colour.
    UnforeseenError
        If it is one of ``alarms``: `COLOUR` in grey images, `VALUES` of a kind without a range.
    """
    raw = picture.raw(layout.pages) if isinstance(picture, TiffPicture) else _raw_of(picture)
    if raw is not None:
        picture = _in_eight_bits(raw, layout, alarms)
        if isinstance(picture, np.ndarray):
            return _channel_by_channel(picture, layout)
    return _shown(picture, layout, alarms)


def _in_eight_bits(raw: Raw, layout: Layout, alarms: Collection[str]) -> Any:
    """A picture of Pillow's, or an array of channels that mean different things."""
    from PIL import Image

    is_picture = raw.channels in (1, 3)
    if layout.channels != raw.channels and not (is_picture and layout.channels in (1, 3)):
        raise ValueError(f"got {raw.channels} channels, others have {layout.channels}")
    values: npt.NDArray[Any] = raw.values
    if raw.kind is not None:
        pairs: Range | None = layout.ranges.get(raw.kind)
        if pairs is None:
            if VALUES in alarms:
                raise UnforeseenError(VALUES)
            pairs = range_alone(raw, raw.kind, layout.scale)
        elif layout.scale == "auto":
            pairs = range_in_set(raw, pairs)
        if raw.missing(raw.values).all():
            raise RefusedError("has no value: all of it is NaN, or stands for no data")
        values = np.zeros(raw.values.shape, np.uint8) if pairs is None else raw.eight_bits(pairs)
    if not is_picture:
        return values
    if raw.alpha is not None:
        values = np.concatenate([values, raw.alpha[:, :, None]], axis=2)
    return Image.fromarray(np.ascontiguousarray(values[:, :, 0] if values.shape[2] == 1 else values))


def _shown(picture: PILImage.Image, layout: Layout, alarms: Collection[str]) -> npt.NDArray[np.uint8]:
    """A picture of 8 bits upright, on the background, in grey or colour."""
    from PIL import Image, ImageOps

    if layout.channels not in (1, 3):
        found = 1 if picture.mode in GREY_MODES else 3
        raise ValueError(f"got {found} channels, others have {layout.channels}")
    if layout.channels == 1 and COLOUR in alarms and picture.mode not in GREY_MODES:
        raise UnforeseenError(COLOUR)
    if picture.getexif().get(ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        extrema: Any = picture.getextrema()
        *colours, opacity = extrema
        # Where nothing is opaque and something is drawn, opacity was written by mistake.
        if opacity[1] > 0 or all(low == high for low, high in colours):
            canvas = Image.new("RGBA", picture.size, (*layout.background, 255))
            picture = Image.alpha_composite(canvas, picture)
    mode = "L" if layout.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    background = layout.background if layout.channels == 3 else _luminance(layout.background)
    return np.asarray(_fitted(picture, layout, background), np.uint8).reshape(*layout.size, layout.channels)


def _luminance(color: tuple[int, int, int]) -> int:
    return round(sum(share * value for share, value in zip(LUMINANCE, color, strict=True)))


def _channel_by_channel(values: npt.NDArray[np.uint8], layout: Layout) -> npt.NDArray[np.uint8]:
    """Channels that are no colours: what lies around them is nothing."""
    from PIL import Image

    channels = [np.ascontiguousarray(values[:, :, channel]) for channel in range(values.shape[2])]
    return np.stack([np.asarray(_fitted(Image.fromarray(one), layout, 0)) for one in channels], axis=2)


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

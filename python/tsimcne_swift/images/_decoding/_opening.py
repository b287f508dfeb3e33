"""What a file holds, judged by its headers before it is decoded."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import Any

import numpy as np

from ._inner import check_segments
from ._limits import check_picture

# Kinds that are pixels. Others of Pillow's start a program (EPS starts Ghostscript), hand what they hold to
# whatever takes it (WMF, GRIB, HDF5, IPTC), or hold pictures of another kind whose size they do not tell.
# They are tried in this order.
RASTER = (
    "JPEG PNG WEBP TIFF GIF BMP AVIF PPM JPEG2000 MPO CUR DCX DDS DIB FITS FLI ICNS ICO IM MSP PCX PIXAR PSD "
    "QOI SGI SPIDER SUN TGA XBM XPM"
).split()
TIFF = (".tif", ".tiff")
# Bytes of a pixel, as Pillow holds it; 4 in all other modes.
BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
# Chunks of a PNG file behind the pixels that may say how it is turned.
NOTES = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


@cache
def formats() -> tuple[str, ...]:
    """The kinds that are pixels and that this Pillow knows."""
    from PIL import Image

    Image.init()
    return tuple(name for name in RASTER if name in Image.OPEN)


def check_format(picture: Any) -> None:
    """Check the kind of a picture that others opened with Pillow, and that may not be decoded yet."""
    kind = getattr(picture, "format", None)
    if kind is not None and kind not in RASTER:
        raise ValueError(f"is {kind}, which is no kind of pixels")


def open_data(data: bytes, ending: str) -> Any:
    """What a file holds: a picture of Pillow's that is not decoded yet, or an array (height, width, channels)
    of a TIFF with channels or values that Pillow does not know.
    """
    from PIL import Image

    if ending.lower() in TIFF:
        array = _tiff_array(data)
        if array is not None:
            return array
    picture = Image.open(io.BytesIO(data), formats=formats())
    check_picture(picture.width * picture.height * BYTES_OF_MODE.get(picture.mode, 4))
    return picture


def exif_of(picture: Any) -> Any:
    """The picture's EXIF, which takes no decoding where its headers have all that is known."""
    from PIL import Image

    if picture.format == "PNG" and hasattr(picture, "fp") and not _has_notes_behind(picture):
        return Image.Image.getexif(picture)
    return picture.getexif()


def _has_notes_behind(picture: Any) -> bool:
    """Whether a PNG file that was opened, not decoded, goes on with notes behind its pixels."""
    if not isinstance(picture.fp, io.BytesIO):
        return True
    data, place, behind = picture.fp.getbuffer(), 8, False
    while place + 8 <= len(data):
        kind = bytes(data[place + 4 : place + 8])
        behind = behind or kind == b"IDAT"
        if behind and kind in NOTES:
            return True
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return False


def _tiff_array(data: bytes) -> np.ndarray[Any, Any] | None:
    """The pixels of a TIFF file, or None for one that Pillow reads as well."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        series = file.series[0]
        if len(file.pages) == 1 and page.dtype == np.uint8 and page.samplesperpixel in (1, 3, 4):
            return None
        check_picture(math.prod(series.shape) * series.dtype.itemsize)
        for part in series.pages:
            if part is not None:
                check_segments(data, part.keyframe, part)
        return _channels_last(file.asarray(maxworkers=1), series.axes)


def _channels_last(array: np.ndarray[Any, Any], axes: str) -> np.ndarray[Any, Any]:
    """(height, width, channels): all that is not height or width becomes channels."""
    rows, columns = axes.index("Y"), axes.index("X")
    return np.moveaxis(array, (rows, columns), (0, 1)).reshape(array.shape[rows], array.shape[columns], -1)

"""What a file holds, judged by its headers before it is decoded."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from ._deep import deep_colour
from ._dicom import is_dicom, open_dicom
from ._kinds import RAW_ENDINGS, RAW_REASON, RefusedError, check_readers
from ._limits import check_picture
from ._tiff import TiffPicture, is_tiff

# Kinds that are pixels. Others of Pillow's start a program (EPS starts Ghostscript), hand what they hold to
# whatever takes it (WMF, GRIB, HDF5, IPTC), or hold pictures of another kind whose size they do not tell.
# They are tried in this order.
RASTER = (
    "JPEG PNG WEBP TIFF GIF BMP AVIF HEIF PPM JPEG2000 MPO CUR DCX DDS DIB FITS FLI ICNS ICO IM MSP PCX "
    "PIXAR PSD QOI SGI SPIDER SUN TGA XBM XPM"
).split()
# Bytes of a pixel, as Pillow holds it; 4 in all other modes.
BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
# EXIF's field that says how a picture is turned.
ORIENTATION = 0x0112
# Chunks of a PNG file behind the pixels that may say how it is turned.
NOTES = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")


@cache
def formats() -> tuple[str, ...]:
    """The kinds that are pixels and that this Pillow knows, with the readers that are installed for it."""
    from PIL import Image

    Image.init()
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        pass
    else:
        register_heif_opener()
    return tuple(name for name in RASTER if name in Image.OPEN)


def check_format(picture: Any) -> None:
    """Check the kind of a picture that others opened with Pillow, and that may not be decoded yet."""
    kind = getattr(picture, "format", None)
    if kind is not None and kind not in RASTER:
        raise ValueError(f"is {kind}, which is no kind of pixels")


def open_data(data: bytes, ending: str) -> Any:
    """What a file holds: a picture of Pillow's that is not decoded yet, or one of a kind that Pillow does not
    know.
    """
    from PIL import Image

    if ending.lower() in RAW_ENDINGS:
        raise RefusedError(RAW_REASON)
    if is_dicom(data):
        return open_dicom(data)
    if is_tiff(data):
        tiff = TiffPicture(data)
        if not tiff.is_for_pillow:
            return tiff
    check_readers(data, formats())
    picture = Image.open(io.BytesIO(data), formats=formats())
    check_picture(picture.width * picture.height * BYTES_OF_MODE.get(picture.mode, 4))
    deep = deep_colour(picture, data)
    return picture if deep is None else deep.upright(exif_of(picture).get(ORIENTATION, 1))


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

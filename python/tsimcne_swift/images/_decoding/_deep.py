"""Colour of more than 8 bits, of which Pillow keeps the upper 8: that of PNG, JPEG 2000 and PPM files."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from ._limits import check_picture
from ._raw import Raw, opacity

# PNG's kinds of pixels that Pillow has in 8 bits alone: colour, grey with opacity, colour with opacity.
PNG_KINDS = {2: 3, 4: 1, 6: 3}
# Where a JPEG 2000 stream begins, and how far behind that it says the bits of its first channel.
STREAM, BITS_BEHIND = b"\xff\x4f\xff\x51", 42
PPM = re.compile(rb"P6(?:\s+(?:#[^\n]*\n\s*)*)(\d+)\s+(\d+)\s+65535\s")


def deep_colour(picture: Any, data: bytes) -> Raw | None:
    """The values of a file that Pillow has opened as ``picture``, if they are such; else None.

    Which bits of 16 were used is seen in the values: of 12 the upper 8 would be nearly black.
    """
    if picture.format == "PNG" and data[24] == 16 and data[25] in PNG_KINDS:
        import imagecodecs

        check_picture(picture.width * picture.height * 8)
        return _raw(imagecodecs.png_decode(data), PNG_KINDS[data[25]], 16)
    if picture.format == "JPEG2000" and picture.mode in ("RGB", "RGBA"):
        bits = _bits_of_stream(data)
        if 8 < bits <= 16:
            import imagecodecs

            check_picture(picture.width * picture.height * 8)
            return _raw(imagecodecs.jpeg2k_decode(data), 3, bits)
    if picture.format == "PPM" and (found := PPM.match(data[:1024])) is not None:
        pixels = picture.width * picture.height
        check_picture(6 * pixels)
        values = np.frombuffer(data, ">u2", 3 * pixels, found.end())
        return _raw(values.reshape(picture.height, picture.width, 3), 3, 16)
    return None


def _bits_of_stream(data: bytes) -> int:
    place = data.find(STREAM) + BITS_BEHIND
    return (data[place] & 127) + 1 if BITS_BEHIND <= place < len(data) else 8


def _raw(values: npt.NDArray[Any], own: int, bits: int) -> Raw:
    """Values of which the first ``own`` channels are those of the picture, and another one is opacity."""
    alpha = opacity(values[:, :, own], 2**bits - 1) if values.shape[2] > own else None
    return Raw(values[:, :, :own].astype(np.uint16), own == 3, bits, alpha)

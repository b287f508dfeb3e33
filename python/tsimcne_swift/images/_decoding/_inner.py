"""What lies in a TIFF file as a picture of its own, with a size of its own."""

from __future__ import annotations

import io
from typing import Any

# Kinds of pictures that may lie there, of those that Pillow reads.
INNER = ("JPEG", "JPEG2000", "PNG", "WEBP")
JPEG_XL = b"\xff\x0a"
# Bytes within which a JPEG XL begins, if it lies in boxes.
BOXES = 1 << 12
# Bits of a JPEG XL's height or width, and ratios of its width to its height.
LENGTHS = (9, 13, 18, 30)
RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def check_segments(data: bytes, layout: Any, page: Any) -> None:
    """Raise an error where a part of a page is larger than the page says: decoders go by inner headers."""
    known = (layout.tilewidth or layout.imagewidth) * (layout.tilelength or layout.rowsperstrip)
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        size = _size(data[offset : offset + count])
        if size is None:
            return  # it is numbers without a header, as the others in this page are
        # Some parts are filled up to whole blocks.
        if size[0] * size[1] > 2 * known + 4096:
            raise ValueError(f"holds a part of {size[0]}×{size[1]} pixels, and says {known:,}")


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height, or None for what has no header that is known."""
    from PIL import Image, UnidentifiedImageError

    if data[:2] == JPEG_XL or data[4:8] == b"JXL ":
        return _jpeg_xl_size(data)
    try:
        return Image.open(io.BytesIO(data), formats=INNER).size
    except UnidentifiedImageError:
        return None


def _jpeg_xl_size(data: bytes) -> tuple[int, int] | None:
    """The size by ISO/IEC 18181-1: the first bits behind the mark, the lowest of a byte first."""
    start = data.find(JPEG_XL, 0, BOXES)
    if start < 0:
        return None
    bits = int.from_bytes(data[start + 2 : start + 14], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    is_small = take(1)

    def length() -> int:
        return 8 * (1 + take(5)) if is_small else 1 + take(LENGTHS[take(2)])

    height = length()
    ratio = RATIOS[take(3)]
    return (length() if ratio is None else height * ratio[0] // ratio[1]), height

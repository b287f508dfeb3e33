"""TIFF files whose values or channels Pillow does not know."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._inner import check_segments
from ._kinds import RefusedError
from ._limits import check_picture
from ._raw import Raw, opacity

# Marks at the beginning of a TIFF file, also of one larger than 4 GB.
MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, MASK, SEPARATED, YCBCR, LAB = 0, 1, 2, 3, 4, 5, 6, 8
# Three ways of writing CIE's L*a*b*.
LABS = (LAB, 9, 10)
COLOURS = (RGB, SEPARATED, YCBCR, LAB)
# What Pillow unpacks: as it is, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard, WebP.
PACKINGS = (1, 2, 3, 4, 5, 6, 7, 8, 32946, 32773, 34925, 50000, 50001)
# Packings that are made red, green and blue as they are unpacked.
JPEGS = (6, 7)
# Kinds of extra samples: opacity with which colours were multiplied, and with which they were not.
OPACITIES = ASSOCIATED, UNASSOCIATED = 1, 2
ORIENTATION, EXTRA_SAMPLES, NO_DATA = 274, 338, 42113


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF file does, whatever its name says."""
    return data[:4] in MARKS


class TiffPicture:
    """A file that was opened, of which nothing is decoded yet: its first picture in full resolution.

    ``channels`` are those of one page, ``pages`` grey ones of the same size that may be a stack or channels;
    ``left`` counts samples beside colour and opacity; ``is_for_pillow`` says whether Pillow reads the same.
    """

    def __init__(self, data: bytes) -> None:
        import tifffile

        self._data = data
        # Pages in other files would be zeros; their own are those of this file.
        self._file = tifffile.TiffFile(io.BytesIO(data), _multifile=False)
        found = list(self._file.series)
        if not found:
            raise RefusedError("begins like a TIFF file, and has no picture that is known")
        self._series: Any = next((one for one in found if not one.keyframe.is_reduced), found[0])
        page = self._page = self._series.keyframe
        axes = dict(zip(self._series.axes, self._series.shape, strict=True))
        self._leading = {axis: n for axis, n in axes.items() if axis not in "YXS"}
        extra = page.extrasamples
        has_alpha = bool(extra) and int(extra[0]) in OPACITIES
        samples = axes.get("S", 1)
        # Palettes of other files are those that microscopes colour a channel with.
        has_palette = page.photometric == PALETTE and "C" not in self._leading and page.index == 0
        self.is_colour = (page.photometric in COLOURS and samples >= 3) or (
            has_palette and page.dtype == np.uint8
        )
        self._alpha = samples - len(extra) if has_alpha else None
        # What other samples of a colour picture are is not known.
        own = 3 if self.is_colour else samples - len(extra) if has_alpha else samples
        self.left = samples - own - has_alpha if page.photometric == RGB else 0
        self.channels = own * (1 if self.is_colour else self._leading.get("C", 1))
        turned = self._tag(ORIENTATION, 1)
        self._orientation = turned if turned in range(1, 9) else 1
        height, width = axes["Y"], axes["X"]
        self.size = (width, height) if self._orientation in (5, 6, 7, 8) else (height, width)
        # Pages in colour, or in black and white, are those of a document, and the first is its face.
        is_document = self.is_colour or page.bitspersample == 1
        others = math.prod(n for axis, n in self._leading.items() if axis != "C" or self.is_colour)
        self._is_face = is_document and others > 1
        self.pages = 1 if is_document else others
        self.is_for_pillow = (
            page.index == 0
            and page.dtype in (np.uint8, np.bool_)
            and page.compression in PACKINGS
            and self.channels * self.pages == own
            and (
                (page.photometric in (MIN_IS_WHITE, MIN_IS_BLACK, MASK) and samples == 1)
                or (self.is_colour and samples in (1, 3, 4))
            )
        )

    def _tag(self, code: int, default: Any) -> Any:
        tag = self._page.tags.get(code)
        return default if tag is None else tag.value

    def raw(self, pages: str) -> Raw:
        """The values of all pages as channels, or of the middle page."""
        values = self._values(pages)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if values.dtype.kind not in "uifb":
            raise RefusedError(f"has values of type {values.dtype}, want real numbers")
        page = self._page
        is_apart = page.photometric == YCBCR and page.compression not in JPEGS
        if is_apart or page.photometric in LABS:
            raise RefusedError("has lightness apart from colour (YCbCr, L*a*b*) in values; make it RGB first")
        bits = int(page.bitspersample) if isinstance(page.bitspersample, int) else None
        if values.dtype.kind == "b":
            # Bits of black and white are a depth of their own.
            values, bits = values.astype(np.uint8), 1
        top = float(2 ** (bits or 8 * values.dtype.itemsize) - 1) if values.dtype.kind == "u" else 1.0
        alpha = None
        if self._alpha is not None:
            alpha = opacity(values[:, :, self._alpha], top)
            if int(page.extrasamples[0]) == ASSOCIATED:
                values = _unmultiplied(values, values[:, :, self._alpha])
        if self.is_colour:
            values = _rgb(values, top) if page.photometric == SEPARATED else values[:, :, :3]
        elif alpha is not None:
            values = values[:, :, : self._alpha]
        if page.photometric == MIN_IS_WHITE:
            values = np.subtract(values.dtype.type(top), values)
        return Raw(values, self.is_colour, bits, alpha, self._no_data()).upright(self._orientation)

    def _values(self, pages: str) -> npt.NDArray[Any]:
        """(height, width, channels), as the file has them."""
        axes, shape = self._series.axes, self._series.shape
        leading = list(self._leading)
        wanted: list[tuple[int, ...]] = [()]
        for axis, n in self._leading.items():
            if self._is_face:
                places: Sequence[int] = [0]
            else:
                places = range(n) if axis == "C" or pages == "channels" else [(n - 1) // 2]
            wanted = [(*before, place) for before in wanted for place in places]
        tail = axes.translate({ord(axis): None for axis in leading})
        counts = tuple(self._leading.values())
        parts = self._series.pages
        if axes.startswith("".join(leading)) and len(parts) == math.prod(counts):
            found = []
            check_picture(len(wanted) * math.prod(shape[len(leading) :]) * self._series.dtype.itemsize)
            for place in wanted:
                part = parts[int(np.ravel_multi_index(place, counts)) if place else 0]
                check_segments(self._data, part.keyframe, part)
                found.append(part.asarray(maxworkers=1).reshape(shape[len(leading) :]))
        else:
            check_picture(math.prod(shape) * self._series.dtype.itemsize)
            for part in parts:
                if part is not None:
                    check_segments(self._data, part.keyframe, part)
            whole = self._series.asarray(maxworkers=1)
            whole = np.moveaxis(whole, [axes.index(axis) for axis in leading], range(len(leading)))
            found = [whole[place] for place in wanted]
        planes = [np.moveaxis(part, (tail.index("Y"), tail.index("X")), (0, 1)) for part in found]
        return np.concatenate([plane.reshape(*plane.shape[:2], -1) for plane in planes], axis=2)

    def _no_data(self) -> float | None:
        """GDAL's number that stands for no value."""
        try:
            return float(self._tag(NO_DATA, None))
        except (TypeError, ValueError):
            return None


def _unmultiplied(values: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Colours before they were multiplied with their opacity."""
    top = float(np.iinfo(values.dtype).max) if values.dtype.kind == "u" else 1.0
    share = np.maximum(alpha[:, :, None].astype(np.float64) / top, 1e-9)
    return np.clip(values / share, 0, top).astype(values.dtype)


def _rgb(values: npt.NDArray[Any], top: float) -> npt.NDArray[Any]:
    """Red, green and blue of cyan, magenta, yellow and black."""
    inks = values[:, :, :4].astype(np.float64) / top
    return ((1 - inks[:, :, :3]) * (1 - inks[:, :, 3:]) * top).astype(values.dtype)

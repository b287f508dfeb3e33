"""What every picture of a collection becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

FITS = ("crop", "pad", "stretch")
PAGES = ("middle", "channels")
SCALES = ("auto", "depth", "percentile")
SMALLEST, LARGEST, MOST_CHANNELS = 8, 1024, 1024
# Kinds of values that a layout has ranges for, at most: many more than there are.
MOST_KINDS = 1024

#: Values that become black and white: one pair, or one for each channel.
Range = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """How pictures are brought into form: what is chosen once for a collection, and kept in a model.

    Parameters
    ----------
    size : (height, width)
        Pixels of every image.
    channels : int
        1 for grey, 3 for colour; other numbers for channels that mean different things.
    fit : {"crop", "pad", "stretch"}
        Treatment of a picture whose sides have another ratio.
    background : (red, green, blue)
        Colour behind transparent pixels and around framed pictures.
    pages : {"middle", "channels"}
        What grey pages of one file are: channels, or a stack whose middle one is taken.
    scale : {"auto", "depth", "percentile"} or (low, high)
        How ranges were chosen, and are for kinds of values that ``ranges`` does not have.
    ranges : dict
        For each kind of values that are not 8 bits, such as ``"uint16:grey"``, ``"float:colour"`` or
        ``"uint16:5"`` (five channels), which of them become 0 and 255: one pair, or one for each channel.
    """

    size: tuple[int, int]
    channels: int
    fit: str = "crop"
    background: tuple[int, int, int] = (255, 255, 255)
    pages: str = "middle"
    scale: str | tuple[float, float] = "auto"
    ranges: dict[str, Range] = field(default_factory=dict)


def write_layout(layout: Layout) -> dict[str, Any]:
    """The layout as JSON has it, for `read_layout`."""
    return asdict(layout)


def read_layout(written: Any) -> Layout:
    """A layout from JSON that strangers may have changed.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is none.
    """
    scale = written["scale"]
    if len(written["ranges"]) > MOST_KINDS:
        raise ValueError("ranges")
    layout = Layout(
        size=_whole(written["size"], 2, SMALLEST, LARGEST),  # type: ignore[arg-type]
        channels=_whole([written["channels"]], 1, 1, MOST_CHANNELS)[0],
        fit=_one_of(written["fit"], FITS),
        background=_whole(written["background"], 3, 0, 255),  # type: ignore[arg-type]
        pages=_one_of(written["pages"], PAGES),
        scale=_one_of(scale, SCALES) if isinstance(scale, str) else _pair(scale),
        ranges={str(kind): tuple(map(_pair, pairs)) for kind, pairs in written["ranges"].items()},
    )
    if any(not 1 <= len(pairs) <= MOST_CHANNELS for pairs in layout.ranges.values()):
        raise ValueError("ranges")
    return layout


def _whole(values: Any, count: int, low: int, high: int) -> tuple[int, ...]:
    if len(values) != count or not all(type(value) is int and low <= value <= high for value in values):
        raise ValueError(f"{values!r}")
    return tuple(values)


def _one_of(value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{value!r}")
    return str(value)


def _pair(values: Any) -> tuple[float, float]:
    low, high = map(float, values)
    if not -1e300 < low < high < 1e300:
        raise ValueError(f"{values!r}")
    return low, high

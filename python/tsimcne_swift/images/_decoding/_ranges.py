"""Which values become black and white, where pictures have other than 8 bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ._layout import Range
from ._raw import Raw

# Bits of the values that cameras, scanners and microscopes write into 16 or more.
DEPTHS = (8, 10, 12, 14, 16, 32, 64)
# Ranges that floats are usually in, the first that holds them.
UNIT, SIGNED_UNIT, BYTES = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)
# How far beyond such a range, as a share of what is there, interpolation may have taken values.
TOLERANCE = 0.02
# Floats from 0 to less than this are on a scale of their own, and not on one to 255.
LEAST_OF_BYTES = 16
# One of this many pictures may be odd: overexposed, or of another thing.
ODD = 10
# One of this many may have spots that would darken all others.
SPOTTED = 50
# Fewest pictures among which one can be called odd.
FEWEST = 5


def range_of(
    kind: str,
    summaries: Sequence[npt.NDArray[np.float64]],
    scale: str | tuple[float, float],
    has_depth: bool,
) -> Range:
    """The range of a kind of values, from `Raw.summary` of pictures.

    ``has_depth`` says whether grey values mean brightness on a scale from black to white, as in scans and
    photographs, and not amounts of anything.
    """
    if not isinstance(scale, str):
        return (scale,)
    name, _, what = kind.partition(":")
    table = np.stack(summaries)
    ends = [_robust(*table[:, channel].T) for channel in range(table.shape[1])]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    if scale != "percentile":
        usual = _usual(name, what, low, high, scale == "depth", has_depth)
        if usual is not None:
            return (usual,)
    if what in ("grey", "colour"):
        return (_apart(low, high),)
    return tuple(_apart(*end) for end in ends)


def range_alone(raw: Raw, kind: str, scale: str | tuple[float, float]) -> Range | None:
    """The range of a picture of a kind that was not there when a layout was made; None if it has no values.

    It depends on this picture alone, so that it is the same in whatever folder the picture lies.
    """
    summary = raw.summary()
    return None if summary is None else range_of(kind, [summary], scale, has_depth=True)


def _usual(
    name: str, what: str, low: float, high: float, is_asked: bool, has_depth: bool
) -> tuple[float, float] | None:
    """The range that values of this name have, whatever is in the pictures; None if there is none."""
    if name == "bool":
        return 0.0, 1.0
    bits = int(name.removeprefix("uint")) if name.startswith("uint") else None
    if bits is not None and (is_asked or bits % 8):
        # A file that says 12 bits means it; 16 may hold any number of them.
        return 0.0, float(2**bits - 1)
    if is_asked and name.startswith("int"):
        half = 2.0 ** (int(name.removeprefix("int")) - 1)
        return -half, half - 1
    if name == "float":
        return UNIT if is_asked else _unit(low, high)
    if low >= 0 and high <= 255:
        return BYTES
    if bits is not None and (what == "colour" or (what == "grey" and has_depth)):
        depth = next(depth for depth in DEPTHS if high < 2.0**depth)
        return 0.0, float(2**depth - 1)
    return None


def _unit(low: float, high: float) -> tuple[float, float] | None:
    margin = TOLERANCE * (high - low)
    for first, last in (UNIT, SIGNED_UNIT, BYTES):
        if first - margin <= low and high <= last + margin and (last < 255 or high > LEAST_OF_BYTES):
            return first, last
    return None


def range_in_set(raw: Raw, pairs: Range) -> Range:
    """The range of a picture, from that of its set: floats come in [0, 1] and from 0 to 255, also side by
    side, and each picture shows which.
    """
    if raw.values.dtype.kind != "f" or pairs not in ((UNIT,), (BYTES,)):
        return pairs
    summary = raw.summary()
    unit = None if summary is None else _unit(summary[:, 0].min(), summary[:, 2].max())
    # What is nearly black on a scale to 255 has whole numbers.
    is_dark = unit == UNIT and pairs == (BYTES,) and bool((raw.values % 1 == 0).all())
    return (unit,) if unit in (UNIT, BYTES) and not is_dark else pairs


def _robust(
    low: npt.NDArray[np.float64], middle: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """The range of most pictures: whole ones that lie elsewhere decide nothing, nor do spots in few.

    Of both a number is let go, and only where they would make the range of the others more than double.
    """
    bottom, top = _without(low, high, ODD)
    span = top - bottom
    whole = (middle >= bottom - span) & (middle <= top + span)
    low, high = low[whole], high[whole]
    bottom, top = _without(low, high, SPOTTED)
    span = top - bottom
    return float(low[low >= bottom - span].min()), float(high[high <= top + span].max())


def _without(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], share: int) -> tuple[float, float]:
    """The range of the pictures without the lowest and the highest one in ``share``."""
    few = max(1, len(low) // share) if len(low) >= FEWEST else 0
    return float(np.sort(low)[few]), float(np.sort(high)[len(high) - 1 - few])


def _apart(low: float, high: float) -> tuple[float, float]:
    """The range, which plain pictures have too: all of it is black then."""
    return low, max(high, low + 1e-6 * max(1.0, abs(low)))

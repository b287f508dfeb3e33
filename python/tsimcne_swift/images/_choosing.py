"""The layout of a collection, from what most of its pictures are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._decoding._layout import LARGEST, SMALLEST, Layout, Range
from ._decoding._pixels import COLOUR, VALUES, Facts
from ._decoding._ranges import range_of

# Pixels a side where the pictures' sizes differ, or are larger than the second number.
USUAL_SIZE = 64
LARGEST_OWN_SIZE = 96
# Share of the pictures that have one size, where it is that of the set.
ALIKE = 0.9
PICTURES = (1, 3)


@dataclass(frozen=True)
class Wishes:
    """What the caller leaves open (None) and what not."""

    size: tuple[int, int] | None
    channels: int | None
    fit: str
    background: tuple[int, int, int]
    scale: str | tuple[float, float]


@dataclass(frozen=True)
class Choice:
    """A layout, what would have it chosen again, and what is to be said of it."""

    layout: Layout
    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def choose(wishes: Wishes, found: Sequence[Facts], is_whole: Callable[[int], bool]) -> Choice:
    """What most pictures are decides; ``is_whole`` decodes one, as what is broken behind its headers decides
    nothing.
    """
    pages = _pages(wishes, found)
    channels = wishes.channels or _channels(found, pages, is_whole)
    size = wishes.size or _size(found, is_whole)
    ranges = _ranges(wishes, found, pages)
    layout = Layout(size, channels, wishes.fit, wishes.background, pages, wishes.scale, ranges)
    alarms: tuple[str, ...] = (VALUES,) if isinstance(wishes.scale, str) else ()
    if wishes.channels is None and channels == 1:
        alarms += (COLOUR,)
    return Choice(layout, alarms, tuple(_notes(layout, found)))


def _channels_of(facts: Facts, pages: str) -> int:
    return facts.channels * (facts.pages if pages == "channels" else 1)


def _pages(wishes: Wishes, found: Sequence[Facts]) -> str:
    """Pages are channels where most files have as many."""
    counts = Counter(_channels_of(facts, "channels") for facts in found if facts.may_be_channels)
    if wishes.channels is not None:
        return "channels" if counts[wishes.channels] and wishes.channels not in PICTURES else "middle"
    return "channels" if 2 * max(counts.values(), default=0) > len(found) else "middle"


def _channels(found: Sequence[Facts], pages: str, is_whole: Callable[[int], bool]) -> int:
    """The number that most have; grey and colour are one kind, of which some colour makes all colour."""
    numbers = [_channels_of(facts, pages) for facts in found]
    families = Counter(1 if number in PICTURES else number for number in numbers)
    most = max(families, key=lambda number: (families[number], number == 1), default=3)
    if most != 1:
        return most
    return 3 if any(number == 3 and is_whole(place) for place, number in enumerate(numbers)) else 1


def _size(found: Sequence[Facts], is_whole: Callable[[int], bool]) -> tuple[int, int]:
    """The size that nearly all have, if it is small; sides that are too small for a network are enlarged."""
    if not found:
        return USUAL_SIZE, USUAL_SIZE
    ((size, count),) = Counter(facts.size for facts in found).most_common(1)
    others = (place for place, facts in enumerate(found) if facts.size != size)
    allowed = count * (1 - ALIKE) / ALIKE
    if max(size) > LARGEST_OWN_SIZE or not _at_most(allowed, (place for place in others if is_whole(place))):
        return USUAL_SIZE, USUAL_SIZE
    factor = max(1, -(-SMALLEST // min(size)))
    return min(LARGEST, factor * size[0]), min(LARGEST, factor * size[1])


def _at_most(count: float, places: Iterator[int]) -> bool:
    """Whether there are no more; looks at one more at most."""
    return all(number <= count for number, _ in enumerate(places, 1))


def _ranges(wishes: Wishes, found: Sequence[Facts], pages: str) -> dict[str, Range]:
    """The range of each kind of values that are not 8 bits."""
    of_pages = pages == "channels"
    values = [facts.paged if of_pages and facts.may_be_channels else facts.own for facts in found]
    deep = [pair for pair in values if pair is not None]
    grey = sum(kind.endswith(":grey") for kind, _ in deep)
    summaries: dict[str, list[npt.NDArray[np.float64]]] = {}
    for kind, summary in deep:
        summaries.setdefault(kind, []).extend([] if summary is None else [np.array(summary)])
    # Amounts of anything where most are grey; a scale where they lie among pictures of 8 bits, or in colour.
    has_depth = 2 * grey < len(found)
    return {
        kind: range_of(kind, known, wishes.scale, has_depth) if known else ((0.0, 1.0),)
        for kind, known in sorted(summaries.items())
    }


def _notes(layout: Layout, found: Sequence[Facts]) -> Iterator[str]:
    for kind, pairs in layout.ranges.items():
        name, _, what = kind.partition(":")
        values = f"{name}, {what if what in ('grey', 'colour') else f'{what} channels'}"
        listed = ", ".join(f"{low:g} to {high:g}" for low, high in pairs[:8]) + (
            ", …" if len(pairs) > 8 else ""
        )
        yield f"values that are not 8 bits ({values}): {listed} became black to white"
    if any(facts.pages > 1 for facts in found):
        taken = "are channels" if layout.pages == "channels" else "are a stack: its middle one was taken"
        yield f"grey pages of one file {taken}"
    left = sum(facts.left > 0 for facts in found)
    if left:
        yield (
            f"{left} pictures have channels beside red, green and blue, which were left aside; written as "
            "MinIsBlack, not RGB, all are read"
        )
    small = {facts.size for facts in found if min(facts.size) < SMALLEST}
    if small:
        height, width = min(small)
        yield f"pictures of {height}×{width} pixels were enlarged to {layout.size[0]}×{layout.size[1]}"

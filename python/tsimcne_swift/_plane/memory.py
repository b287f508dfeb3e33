"""How making the plane keeps to an amount of memory."""

from __future__ import annotations

from typing import NamedTuple

from .. import recipes
from .._algebra.directions import ROWS
from .._checks.memory_sizes import written_size
from .._networks.network import Architecture
from .._patches.words import FEATURES
from .codes import CHUNK as CODED
from .codes import CODE, MOST
from .comparison import CHUNK, LEVELS, VALUES, level_columns

FLOAT = 4


class Room(NamedTuple):
    """What may be there at once.

    Parameters
    ----------
    together : int
        Images with all that they are compared by.
    components : int
        Numbers that each image is compared by while neighbours are sought.
    """

    together: int
    components: int


# Where nothing bounds it; and the least: fewer images at a time are described more slowly, and fewer numbers
# tell less who is a neighbour.
WIDEST = Room(1 << 17, recipes.COMPARED)
NARROWEST = Room(512, 64)


class Numbers(NamedTuple):
    """How many numbers images have.

    Parameters
    ----------
    columns : int
        That they are compared by.
    levels : int
        That the network gives of one, from which most of these come; 0 of feature vectors.
    words : int
        Of patches.
    """

    columns: int
    levels: int
    words: int

    @classmethod
    def of(cls, architecture: Architecture, words: int) -> Numbers:
        """Those of images that a network reads, whose patches have so many words."""
        if architecture.reads_vectors:
            return cls(architecture.features, 0, 0)
        values = level_columns(architecture)
        seen = sum(min(level.features, values[name]) for name, level in LEVELS.items())
        return cls(seen + (FEATURES if words else 0), architecture.levels, words)


def room_within(limit: int | None, n: int, numbers: Numbers) -> Room:
    """What may be there at once where the plane of n images takes no more than so many bytes.

    It has all components that fit, and then as many images together.
    """
    if limit is None:
        return WIDEST
    room = NARROWEST
    if (least := plane_bytes(n, numbers, room)) > limit:
        raise ValueError(
            f"max_memory: got {written_size(limit)}, but the plane of {n} images wants at least "
            f"{written_size(least)}"
        )
    for field, step in ("components", 32), ("together", NARROWEST.together):
        most, value = getattr(WIDEST, field), getattr(room, field)
        while value < most:
            wider = room._replace(**{field: value + step})
            if plane_bytes(n, numbers, wider) > limit:
                break
            room, value = wider, value + step
    return room


def plane_bytes(n: int, numbers: Numbers, room: Room) -> int:
    """Bytes that the plane takes at most beside the images and the network, about: of its four steps."""
    columns, levels, words = numbers
    learnt, together = min(n, ROWS), min(n, room.together)
    seen = min(VALUES, min(together, CHUNK) * levels)
    components = min(columns, room.components)
    # Codes, keys, and places to begin from.
    kept = n * (CODE + 8 + 2 * FLOAT)
    sample = learnt * columns * FLOAT
    return max(
        # What images are compared by is learnt from some.
        4 * FLOAT * max(min(VALUES, learnt * levels), learnt * words),
        # They are described: their numbers, components, and what is coded of them.
        n * components * FLOAT
        + kept
        + sample
        + together * FLOAT * (columns + components)
        + 3 * FLOAT * seen
        + min(together, CODED) * FLOAT * 3 * MOST,
        # Neighbours are sought.
        seeking_bytes(n, components) + kept,
        # Points move: who draws whom from one side and from the other, and from both, which is then cut to
        # its length. What moves takes less.
        n * FLOAT * 13 * recipes.NEIGHBORS + kept,
    )


def seeking_bytes(n: int, columns: int) -> int:
    """Bytes of rows and of what finds their neighbours: three tables with places to spare, orders, halves."""
    return n * FLOAT * (columns + 4 * recipes.NEIGHBORS + 4)

"""How our own cost grows with the batch, the images' size and their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from .. import cost_model
from ..probe import in_turns
from ..rows import Kind, Row
from ..session import Session
from .networks import SIZE

WIDTH = 16
BATCHES, SIZES, COUNTS = (64, 128, 256, 512), (28, 32, 64, 96), (1000, 4000, 16000)
#: Small images, so that many of them can be measured.
COUNT_SIZE = 16


@dataclass(frozen=True)
class Step:
    """Views in a batch, steps in a sample, and pixels a side of an image."""

    views: int
    steps: int
    size: int


def run(session: Session) -> Iterator[Row]:
    """Measure three series at width 16; the members of each take turns."""
    yield from by_batch(session)
    yield from by_size(session)
    yield from by_count(session)


def by_batch(session: Session) -> Iterator[Row]:
    """An epoch of 1,024 images has two steps or more."""
    images = session.smaller(1024, 32)
    steps = {
        f"{batch} images in a batch": Step(2 * batch, images // batch, SIZE)
        for batch in ((8, 16) if session.quick else BATCHES)
    }
    yield from training(session, steps)


def by_size(session: Session) -> Iterator[Row]:
    """Steps of 256 views; larger images have fewer steps."""
    views = session.smaller(256, 16)
    steps = {
        f"{size}×{size}, {views} views": Step(views, max(1, 4 * SIZE**2 // size**2), size)
        for size in ((28, 32) if session.quick else SIZES)
    }
    yield from training(session, steps)


def training(session: Session, steps: dict[str, Step]) -> Iterator[Row]:
    """One row for each of the steps."""
    measured = in_turns(
        {name: session.ours("training", width=WIDTH, **asdict(step)) for name, step in steps.items()},
        session.runs,
    )
    for name, step in steps.items():
        cost = cost_model.training(WIDTH, step.size, step.views)
        yield Row(
            f"training, width {WIDTH}, {name}",
            "views/s",
            Kind.RATE,
            measured[name],
            **session.beside_peaks(cost, measured[name]),
        )


def by_count(session: Session) -> Iterator[Row]:
    """Seconds of an epoch."""
    counts = COUNTS if not session.quick else (100, 400)
    works = {
        str(count): session.ours(
            "epoch_seconds", width=WIDTH, images=count, batch=session.smaller(128, 16), size=COUNT_SIZE
        )
        for count in counts
    }
    measured = in_turns(works, session.runs)
    for count in counts:
        name = f"an epoch of {count:,} images of {COUNT_SIZE}×{COUNT_SIZE}, width {WIDTH}"
        yield Row(name, "s", Kind.TIME, measured[str(count)])

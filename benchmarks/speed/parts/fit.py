"""A whole ``fit`` beside that of the tsimcne package."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import Work, in_turns
from ..rows import Kind, Row, Samples
from ..session import Session


def run(session: Session) -> Iterator[Row]:
    """Image pairs per second at width 64, which is tsimcne's network; set-up is not counted."""
    batch, steps, size = session.smaller(128, 4), session.smaller(3, 1), session.smaller(32, 16)
    ours = {
        name: session.ours("training", width=64, views=2 * batch, steps=steps, size=size, precision=value)
        for name, value in session.precisions.items()
    }
    settings = {"batch": batch, "steps": steps, "size": size, "threads": session.threads}
    measured = in_turns({**ours, "tsimcne": Work("tsimcne.fit", settings)}, session.runs)
    for name in ours:
        pairs = Samples(tuple(views / 2 for views in measured[name].values))
        yield Row(
            f"whole fit, width 64, {batch} images in a batch, {name}",
            "pairs/s",
            Kind.RATE,
            pairs,
            {"tsimcne": measured["tsimcne"]},
            at_least=2.8,
            goal=4.5,
        )

"""A whole ``fit`` beside that of the tsimcne package."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import Work, in_turns
from ..rows import Kind, Row, Samples
from ..session import KEEP_MEMORY, Session


def run(session: Session) -> Iterator[Row]:
    """Image pairs per second at width 64, which is tsimcne's network; set-up is not counted."""
    batch, steps, size = session.smaller(128, 4), session.smaller(2, 1), session.smaller(32, 16)
    ours = session.ours("training", width=64, views=2 * batch, steps=steps, size=size)
    settings = {"batch": batch, "steps": steps, "size": size, "threads": session.threads}
    peers = {
        "tsimcne": Work("tsimcne.fit", settings, KEEP_MEMORY),
        "tsimcne as installed": Work("tsimcne.fit", settings),
    }
    measured = in_turns({"ours": ours, **peers}, session.runs)
    yield Row(
        f"whole fit, width 64, {batch} images in a batch, float32",
        "pairs/s",
        Kind.RATE,
        Samples(tuple(views / 2 for views in measured["ours"].values)),
        {"tsimcne": measured["tsimcne"]},
        {"tsimcne as installed": measured["tsimcne as installed"]},
        at_least=2.8,
        goal=4.5,
    )

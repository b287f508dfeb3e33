"""Loss and gradient alone, time and memory."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import Work, in_turns, in_turns_once
from ..rows import Kind, Row
from ..session import KEEP_MEMORY, Session
from .memory import MOST_RUNS

#: Dimension of the embeddings and least speed-up, for each case.
CASES = ((2, 5.0), (128, 3.0))
GOAL, MOST_MIB = 15.0, 50.0


def run(session: Session) -> Iterator[Row]:
    """InfoNCE with the Cauchy kernel of 8,192 embeddings, beside the loss of the tsimcne package."""
    for dimension, at_least in CASES:
        settings = {
            "rows": session.smaller(8192, 1024),
            "dimension": dimension,
            "threads": session.threads,
        }
        name = f"loss and gradient, {settings['rows']:,} × {dimension}"
        measured = in_turns(
            {
                "ours": Work("ours.loss", settings),
                "tsimcne's loss": Work("tsimcne.loss", settings, KEEP_MEMORY),
                "as installed": Work("tsimcne.loss", settings),
            },
            session.runs,
        )
        peer = {"tsimcne's loss": measured["tsimcne's loss"]}
        installed = {"as installed": measured["as installed"]}
        yield Row(name, "ms", Kind.TIME, measured["ours"], peer, installed, at_least, GOAL)
        memory = in_turns_once(
            {
                "ours": Work("memory.ours_loss", settings),
                "tsimcne's loss": Work("memory.tsimcne_loss", settings),
            },
            min(MOST_RUNS, session.runs),
        )
        yield Row(
            f"{name}: memory",
            "MiB",
            Kind.LIMIT,
            memory["ours"],
            {"tsimcne's loss": memory["tsimcne's loss"]},
            at_least=MOST_MIB,
        )

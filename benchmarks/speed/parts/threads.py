"""What further threads gain."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import in_turns
from ..rows import Kind, Row, Samples
from ..session import Session
from .networks import SIZE, cases


def run(session: Session) -> Iterator[Row]:
    """Training on all threads beside training on one, and beside what the machine's own peak gains."""
    case = cases(session)[0]
    step = {"width": case.width, "views": case.views, "steps": 1, "size": SIZE}
    measured = in_turns(
        {
            "one": session.ours("training", **step, threads=1),
            "all": session.ours("training", **step),
        },
        session.runs,
    )
    pairs = zip(measured["all"].values, measured["one"].values, strict=True)
    gain = session.peaks.gain
    peers = {} if gain is None else {"peak of multiplications": Samples((gain,) * session.runs)}
    yield Row(
        f"1 → {session.threads} threads, training, width {case.width}",
        "times",
        Kind.RATE,
        Samples(tuple(every / one for every, one in pairs)),
        peers,
        at_least=0.9,
    )

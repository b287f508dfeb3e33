"""Memory of a training step."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import Work, in_turns_once
from ..rows import Kind, Row
from ..session import Session
from .networks import SIZE
from .recipes import AUTOCAST

#: Repeats agree to a few megabytes, and each one costs a new process.
MOST_RUNS = 2


def run(session: Session) -> Iterator[Row]:
    """Peak above the idle process, in MiB; what that means stands in ``work.memory``."""
    width, views = session.smaller(64, 8), session.smaller(512, 32)
    step = {"width": width, "views": views, "size": SIZE, "threads": session.threads}
    works = {
        precision: Work("memory.ours_step", {**step, "precision": precision})
        for precision in ("float32", "bfloat16-storage")
    }
    peers = ("eager", "compiled")
    for name in peers:
        works[name] = Work("memory.pytorch_step", {**step, "compiled": name == "compiled"})
    works[AUTOCAST] = Work("memory.pytorch_step", {**step, "compiled": True, "autocast": True})
    measured = in_turns_once(works, min(MOST_RUNS, session.runs))
    for precision in ("float32", "bfloat16-storage"):
        yield Row(
            f"peak memory of a step, width {width}, {views} views, {precision}",
            "MiB",
            Kind.SIZE,
            measured[precision],
            {peer: measured[peer] for peer in peers},
            {AUTOCAST: measured[AUTOCAST]},
            at_least=0.6,
            goal=0.4,
        )

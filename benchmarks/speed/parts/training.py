"""Training steps beside PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator

from .. import cost_model
from ..probe import Work, in_turns
from ..rows import Kind, Row
from ..session import Session
from .networks import SIZE, Case, cases

STORED = "ours, bfloat16-storage"


def run(session: Session) -> Iterator[Row]:
    """Views per second: forward pass, loss, backward pass and SGD; ours makes its views as well."""
    for case in cases(session):
        yield from rows(session, case)


def rows(session: Session, case: Case) -> Iterator[Row]:
    step = {"width": case.width, "views": case.views, "steps": case.steps, "size": SIZE}
    works = {"ours": session.ours("training", **step)}
    works[STORED] = session.ours("training", **step, precision="bfloat16-storage")
    peers = ["eager", "compiled"]
    information = [STORED, "eager as installed", "compiled as installed"]
    for name in peers:
        work = session.pytorch("training", **step, compiled=name == "compiled")
        works[name] = work
        works[f"{name} as installed"] = Work(work.name, work.settings)
    if session.peer_bfloat16:
        information.append("compiled, autocast to bfloat16")
        works[information[-1]] = session.pytorch("training", **step, compiled=True, autocast=True)
    measured = in_turns(works, session.runs)
    cost = cost_model.training(case.width, SIZE, case.views)
    at_least, goal = case.training
    yield Row(
        f"training, width {case.width}, {case.views} views, float32",
        "views/s",
        Kind.RATE,
        measured["ours"],
        {peer: measured[peer] for peer in peers},
        {other: measured[other] for other in information},
        at_least,
        goal,
        **session.beside_peaks(cost, measured["ours"]),
    )

"""``transform`` beside PyTorch's forward pass."""

from __future__ import annotations

from collections.abc import Iterator

from .. import cost_model
from ..probe import in_turns
from ..rows import Kind, Row
from ..session import Session
from .networks import SIZE, Case, cases

#: PyTorch as it is; with batch normalisation in the convolutions; ``torch.compile``, which folds too.
FORMS = ("eager", "folded", "compiled")


def run(session: Session) -> Iterator[Row]:
    """Images per second."""
    for case in cases(session):
        yield from rows(session, case)


def rows(session: Session, case: Case) -> Iterator[Row]:
    works = {"ours": session.ours("inference", width=case.width, images=case.images, size=SIZE)}
    batch = case.views
    sizes = {"width": case.width, "batch": batch, "batches": case.images // batch, "size": SIZE}
    works |= {form: session.pytorch("inference", **sizes, form=form) for form in FORMS}
    measured = in_turns(works, session.runs)
    cost = cost_model.inference(case.width, SIZE, batch)
    at_least, goal = case.inference
    yield Row(
        f"inference, width {case.width}, float32",
        "images/s",
        Kind.RATE,
        measured["ours"],
        {form: measured[form] for form in FORMS},
        at_least=at_least,
        goal=goal,
        **session.beside_peaks(cost, measured["ours"]),
    )

"""Random views beside torchvision's, and their share of a step."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import Work, in_turns
from ..rows import Kind, Row, Samples
from ..session import Session
from .networks import SIZE


def run(session: Session) -> Iterator[Row]:
    """Views of 32×32 colour images per second on one core; percent of a step of width 16."""
    images, views = session.smaller(8192, 512), session.smaller(512, 32)
    measured = in_turns(
        {
            "ours": session.ours("augmentation", images=images, size=SIZE, threads=1),
            "torchvision": Work("torchvision_views.augmentation", {"images": images // 4, "size": SIZE}),
            "all threads": session.ours("augmentation", images=images, size=SIZE),
            "step": session.ours("training", width=16, views=views, steps=session.smaller(5, 1), size=SIZE),
        },
        session.runs,
    )
    yield Row(
        "augmentation, one core",
        "views/s",
        Kind.RATE,
        measured["ours"],
        {"torchvision on PIL images": measured["torchvision"]},
        goal=20.0,
    )
    pairs = zip(measured["step"].values, measured["all threads"].values, strict=True)
    yield Row(
        f"augmentation's share of a step, width 16, {views} views",
        "%",
        Kind.LIMIT,
        Samples(tuple(100 * step / alone for step, alone in pairs)),
        at_least=5.0,
    )

"""Training steps that the recipes run, in the shapes in which they run them, beside PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .. import cost_model
from ..probe import in_turns
from ..rows import Kind, Row
from ..session import Session
from . import avx2

#: Four views of 64 images, as TSimCNE() has them.
IMAGES, VIEWS = 64, 4
GOAL, GOAL_BFLOAT16 = 2.5, 2.0
AUTOCAST = "compiled, autocast to bfloat16"
#: Of numbers with 16 bits, the second where the processor multiplies them.
SHORT = ("bfloat16-storage", "bfloat16")


@dataclass(frozen=True)
class Case:
    """A ResNet-10's width, the views' pixels a side, and those of the images that they are made from."""

    width: int
    size: int
    image: int
    channels: int
    steps: int

    def __str__(self) -> str:
        return f"width {self.width}, {self.size}×{self.size}×{self.channels}"


CASES = (
    Case(32, 14, 28, 1, 12),
    Case(32, 16, 32, 3, 12),
    Case(32, 24, 32, 3, 6),
    Case(32, 32, 32, 3, 4),
    Case(16, 16, 32, 3, 24),
)
QUICK = Case(16, 8, 8, 1, 1)


def run(session: Session) -> Iterator[Row]:
    """Views per second: forward pass, loss, backward pass and SGD; ours makes its views as well."""
    cases = (QUICK,) if session.quick else CASES
    for case in cases:
        yield from rows(session, case)
    if not avx2.is_here():
        return
    environment = avx2.environment()
    for case in cases:
        yield from rows(session, case, environment)


def rows(session: Session, case: Case, environment: dict[str, str] | None = None) -> Iterator[Row]:
    """PyTorch eager, compiled and with autocast, the best one counts; with AVX2 on both sides if there is an
    environment for it. And, where the processor has it, bfloat16 on both sides, ours as is faster.
    """
    step = {"width": case.width, "size": case.size, "channels": case.channels, "steps": case.steps}
    level = {} if environment is None else {"level": avx2.LEVEL}
    ours = session.ours("recipe", image=case.image, images=IMAGES, **step, **level)
    works = {"ours": replace(ours, environment=environment or {})}
    peers = {
        "eager": {"compiled": False},
        "eager, channels first": {"compiled": False, "channels_first": True},
        "compiled": {"compiled": True},
    }
    has_bfloat16 = session.peer_bfloat16 and environment is None
    short = SHORT if has_bfloat16 else SHORT[:1]
    for precision in short:
        works[precision] = replace(works["ours"], settings={**ours.settings, "precision": precision})
    if has_bfloat16:
        peers[AUTOCAST] = {"compiled": True, "autocast": True}
    held = {} if environment is None else avx2.PEER
    for name, settings in peers.items():
        work = session.pytorch("recipe", views=VIEWS, images=IMAGES, **step, **settings)
        works[name] = replace(work, environment={**work.environment, **held})
    measured = in_turns(works, session.runs)
    cost = cost_model.training(case.width, case.size, VIEWS * IMAGES, cost_model.recipe(case.channels))
    at_both = "" if environment is None else ", AVX2 on both sides"
    yield Row(
        f"recipe's step{at_both}, {case}, {VIEWS} views of {IMAGES}",
        "views/s",
        Kind.RATE,
        measured["ours"],
        {name: measured[name] for name in peers},
        {f"ours, {precision}": measured[precision] for precision in short},
        goal=GOAL,
        **(session.beside_peaks(cost, measured["ours"]) if environment is None else {}),
    )
    if has_bfloat16:
        best = max(short, key=lambda precision: measured[precision].median)
        yield Row(
            f"recipe's step in {best}, {case}, {VIEWS} views of {IMAGES}",
            "views/s",
            Kind.RATE,
            measured[best],
            {AUTOCAST: measured[AUTOCAST]},
            {"ours, float32": measured["ours"]},
            goal=GOAL_BFLOAT16,
        )

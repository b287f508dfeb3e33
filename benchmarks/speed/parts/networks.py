"""The networks that the targets name."""

from __future__ import annotations

from dataclasses import dataclass

from ..session import Session

SIZE = 32


@dataclass(frozen=True)
class Case:
    """A ResNet-18, views in a batch, steps in a sample, and targets as (at least, goal)."""

    width: int
    views: int
    steps: int
    images: int
    training: tuple[float | None, float | None]
    inference: tuple[float | None, float | None]


CASES = (
    Case(64, 256, 2, 512, (2.0, 3.0), (1.8, 2.5)),
    Case(32, 256, 3, 1536, (1.8, 2.8), (1.7, 2.3)),
    Case(16, 512, 5, 4096, (1.5, 2.8), (1.6, 2.3)),
)
# This case is too small for its figures to mean anything.
QUICK = Case(8, 32, 1, 64, (None, None), (None, None))


def cases(session: Session) -> tuple[Case, ...]:
    return (QUICK,) if session.quick else CASES

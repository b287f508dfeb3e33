"""Samples, and rows of the table: what was measured beside whom, and what was to be reached."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class Samples:
    """Values of one thing, one for each round of a run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        low, high = (digits(value) for value in (min(self.values), max(self.values)))
        return digits(self.median) if low == high else f"{digits(self.median)} ({low}–{high})"

    def record(self) -> dict[str, Any]:
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "values": self.values,
        }


class Kind(Enum):
    """What a number means, and which comparison judges it."""

    RATE = "rate"  # ours / peer is to be at least the target
    TIME = "time"  # peer / ours is to be at least the target
    SIZE = "size"  # ours / peer is to be at most the target
    LIMIT = "limit"  # our own value is to be at most the target


@dataclass(frozen=True)
class Row:
    """One line of the table.

    ``peers`` are those of which the best one counts; ``information`` are values that are only shown.
    The targets are ``at_least`` and ``goal``.
    """

    name: str
    unit: str
    kind: Kind
    ours: Samples
    peers: dict[str, Samples] = field(default_factory=dict)
    information: dict[str, Samples] = field(default_factory=dict)
    at_least: float | None = None
    goal: float | None = None
    gflops: float | None = None
    roofline_share: float | None = None

    @property
    def best_peer(self) -> str | None:
        if not self.peers:
            return None
        best = max if self.kind is Kind.RATE else min
        return best(self.peers, key=lambda name: self.peers[name].median)

    @property
    def ratio(self) -> Samples | None:
        """Our values in proportion to the best peer's, within each round; times the other way round."""
        if self.best_peer is None:
            return None
        pairs = list(zip(self.ours.values, self.peers[self.best_peer].values, strict=True))
        return Samples(tuple(b / a if self.kind is Kind.TIME else a / b for a, b in pairs))

    @property
    def judged(self) -> float | None:
        """The number that is held against the targets."""
        if self.kind is Kind.LIMIT:
            return self.ours.median
        return None if self.ratio is None else self.ratio.median

    def target(self, value: float | None) -> str:
        """A target and, where that is known, whether it is met."""
        if value is None:
            return ""
        at_most = self.kind in (Kind.SIZE, Kind.LIMIT)
        text = f"{'≤' if at_most else '≥'} {digits(value)}"
        if self.judged is None:
            return text
        met = self.judged <= value if at_most else self.judged >= value
        return f"{text} {'met' if met else 'not met'}"

    def record(self) -> dict[str, Any]:
        """The row as a dict for JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "kind": self.kind.value,
            "ours": self.ours.record(),
            "peers": {name: samples.record() for name, samples in self.peers.items()},
            "information": {name: samples.record() for name, samples in self.information.items()},
            "best_peer": self.best_peer,
            "ratio": None if self.ratio is None else self.ratio.record(),
            "at_least": self.at_least,
            "goal": self.goal,
            "gflops": self.gflops,
            "roofline_share": self.roofline_share,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Row:
        def samples(values: dict[str, Any]) -> dict[str, Samples]:
            return {name: Samples(tuple(value["values"])) for name, value in values.items()}

        copied = ("name", "unit", "at_least", "goal", "gflops", "roofline_share")
        return cls(
            **{name: record[name] for name in copied},
            kind=Kind(record["kind"]),
            ours=Samples(tuple(record["ours"]["values"])),
            peers=samples(record["peers"]),
            information=samples(record["information"]),
        )


def digits(value: float) -> str:
    """The value with three digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

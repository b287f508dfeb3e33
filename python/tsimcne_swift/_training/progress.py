"""The bar that says how much of a run is done."""

from __future__ import annotations

from types import TracebackType

from .. import _core
from .._stages.cost import cost
from .._system.bars import make_bar
from .plan import Plan

# What a run does, in words of somebody who wants a map.
LEARNING, PLACING = "learning to see", "laying out"
FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


class PointsBar:
    """Shows how far points are, once training is over: first their neighbours are found, then they move.

    Parameters
    ----------
    shows : bool
    """

    def __init__(self, shows: bool) -> None:
        self._bar = make_bar(total=2.0, desc=PLACING, bar_format=FORMAT, mininterval=1, disable=not shows)
        self._before, self._now = 0.0, 0.0

    def __enter__(self) -> PointsBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, part: float) -> None:
        """Show that this part of the one or the other is done."""
        if part < self._now:
            self._before += 1
        self._now = part
        self._bar.update(self._before + part - self._bar.n)


class ProgressBar:
    """Counts the time where a run has a deadline; else its work, since a stage's steps may cost a fiftieth
    of another's.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        _, height, width, _ = plan.images.shape
        self._costs = [cost(stage, (height, width)) for stage in plan.stages]
        work = [
            stage.steps(plan.steps_per_epoch) * step
            for stage, step in zip(plan.stages, self._costs, strict=True)
        ]
        # Where points move by themselves another bar shows it; else the stages in two dimensions lay out.
        self._names = [
            PLACING if stage.n_components == 2 and not plan.frees_points else LEARNING
            for stage in plan.stages
        ]
        self._later = [sum(work[i:]) for i in range(1, len(work) + 1)]
        self._total = sum(work)
        self._bar = make_bar(total=1.0, desc=LEARNING, bar_format=FORMAT, mininterval=1)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, event: _core.Event, share: float | None) -> None:
        """Show a step; ``share`` is the part of the time that is used, where there is an end to it."""
        if share is None:
            rest = event.steps_left * self._costs[event.stage] + self._later[event.stage]
            share = 1 - rest / self._total
        self._bar.set_description_str(self._names[event.stage], refresh=False)
        self._bar.set_postfix(stage=event.stage + 1, loss=f"{event.loss:.3f}", refresh=False)
        self._bar.update(min(1.0, share) - self._bar.n)

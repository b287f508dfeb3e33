"""The bar that says how much of a run is done."""

from __future__ import annotations

from types import TracebackType

from .. import _core
from .._stages.cost import cost
from .plan import Plan

FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


class ProgressBar:
    """Counts the time where a run has a deadline; else its work, since a stage's steps may cost a fiftieth
    of another's.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        from tqdm.auto import tqdm

        _, height, width, _ = plan.images.shape
        self._costs = [cost(stage, (height, width)) for stage in plan.stages]
        work = [
            stage.steps(plan.steps_per_epoch) * step
            for stage, step in zip(plan.stages, self._costs, strict=True)
        ]
        self._later = [sum(work[i:]) for i in range(1, len(work) + 1)]
        self._total = sum(work)
        self._max_time = plan.max_time
        self._bar = tqdm(total=1.0, desc="t-SimCNE", bar_format=FORMAT, mininterval=1)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, event: _core.Event, seconds: float) -> None:
        """Show a step; ``seconds`` is the time used, of earlier slices too."""
        if self._max_time is None:
            rest = event.steps_left * self._costs[event.stage] + self._later[event.stage]
            share = 1 - rest / self._total
        else:
            share = seconds / self._max_time
        self._bar.set_postfix(stage=event.stage + 1, loss=f"{event.loss:.3f}", refresh=False)
        self._bar.update(min(1.0, share) - self._bar.n)

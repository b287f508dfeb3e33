"""Fitting the rest of a run into the time that is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .. import _core

# A stage is set anew when its end would be off by more than this share of what is left of it.
TOLERANCE = 0.01
# What follows training is timed anew when this part of what was left is over, unless only `LAST` seconds are.
LOOK_AFTER, LAST = 0.5, 5.0


class Deadline:
    """Stretches or shortens the current stage so that training ends in time.

    What is left is divided among the stages in proportion to their written steps, weighted by what a
    step costs.

    Parameters
    ----------
    ends : float
        Time in seconds when training must have ended, on the clock of ``time.perf_counter``.
    written : list of int
        Steps of each stage as it is written.
    costs : list of float
        Cost of a step of each stage, in any unit.
    learns : list of bool
        Whether a stage changes weights: one that does not is never longer than it is written, so that time
        that is over is left rather than spent for nothing.
    """

    def __init__(
        self, ends: float, written: Sequence[int], costs: Sequence[float], learns: Sequence[bool]
    ) -> None:
        self.ends = ends
        self.written = written
        self.costs = costs
        self.learns = learns
        self._stage = -1
        self._first = 0
        self._begun = self._after_first = 0.0
        self._step_seconds = 0.0
        self._plan_look()

    def move(self, ends: float) -> None:
        """Another end, since what follows training was timed anew."""
        self.ends = ends
        self._plan_look()
        self.pause()

    @property
    def wants_look(self) -> bool:
        """Whether it is time to see how long what follows training takes now.

        A machine that was busy when training began would else leave time over, which the last stage, of no
        use for it, had to fill.
        """
        return time.perf_counter() >= self._look

    def _plan_look(self) -> None:
        now = time.perf_counter()
        left = self.ends - now
        self._look = now + LOOK_AFTER * left if left > LAST else float("inf")

    def _work(self, stage: int, done: float = 0.0) -> float:
        return (self.written[stage] - done) * self.costs[stage]

    def adjust(self, trainer: _core.Trainer) -> tuple[int, int, int] | None:
        """Stretch the stage where it is time to; call this before the first step and after each one.

        Returns
        -------
        (stage, step, remaining) or None
            The stretch that was made.
        """
        progress = trainer.progress()
        stage, step = int(progress["stage"]), int(progress["step"])
        if stage == len(self.written):
            return None
        now = time.perf_counter()
        if stage != self._stage:
            self._begin(stage, step, now)
        done = step - self._first
        # The first step of a stage takes memory from the system: it counts until there is another.
        if done == 1:
            self._step_seconds, self._after_first = now - self._begun, now
        elif done > 1:
            self._step_seconds = (now - self._after_first) / (done - 1)
        if not self._step_seconds:
            # A run that goes on keeps its plan for a step; a new one gets time enough to be set anew.
            if step > 0:
                return None
            return self._set(trainer, progress, max(16, self.written[stage]))
        rest = sum(self._work(later) for later in range(stage + 1, len(self.written)))
        work = self._work(stage, progress["position"])
        share = work / (work + rest) if work > 0 else 0.0
        wanted = max(1, round((self.ends - now) * share / self._step_seconds))
        planned = int(progress["steps"]) - step
        if not self.learns[stage]:
            wanted = min(wanted, planned)
        if abs(wanted - planned) <= max(0.5, TOLERANCE * planned):
            return None
        return self._set(trainer, progress, wanted)

    def pause(self) -> None:
        """What was done since the last step is no part of the next one."""
        self._begun = time.perf_counter()

    def _begin(self, stage: int, step: int, now: float) -> None:
        if self._stage >= 0:
            self._step_seconds *= self.costs[stage] / self.costs[self._stage]
        self._stage, self._first, self._begun = stage, step, now

    def _set(
        self, trainer: _core.Trainer, progress: dict[str, float], remaining: int
    ) -> tuple[int, int, int]:
        trainer.stretch(remaining)
        return int(progress["stage"]), int(progress["step"]), remaining

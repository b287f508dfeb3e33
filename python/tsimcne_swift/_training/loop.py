"""The loop over a trainer's events: records, callbacks, checkpoints and the deadline."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._networks.network import TEMPERATURE, Network
from .._plane.places import Places
from .._stages.cost import cost
from .._stages.stage import Stage
from .._system.guard import UnreadableError
from .._system.locks import ProcessLock
from ..callbacks import Record
from .agreement import description
from .checkpoint import Checkpoint, digest_of
from .core_trainer import Supplier, make_trainer
from .deadline import Deadline
from .forecast import affordable_words, announcement, free_seconds, mapping_seconds, words_seconds
from .partners import find_partners
from .plan import Plan
from .points import free_points
from .progress import PointsBar, ProgressBar
from .resume import Stored

# A run that has fewer seconds begins at once, without a forecast.
SHORTEST = 20.0


class Training:
    """One training, from its plan or from a checkpoint, to its end.

    Parameters
    ----------
    plan : Plan
    params : dict
        The estimator's, for the checkpoint.
    started : float
        When ``fit`` was called, on the clock of ``time.perf_counter``.
    """

    def __init__(self, plan: Plan, params: dict[str, Any], started: float) -> None:
        self.plan = plan
        self.started = started
        self.history: list[dict[str, Any]] = []
        self.stretches: list[list[tuple[int, int]]] = [[] for _ in plan.stages]
        self._epoch = {"loss": 0.0, "steps": 0, "pairs": 0, "seconds": 0.0}
        self.checkpoint: Checkpoint | None = None
        stored = plan.ranks.together(lambda: self._open_checkpoint(params))
        plan.ranks.agree(lambda: description(plan, params, stored))
        # The seed of a run that goes on is the one that it began with.
        self.seed = plan.ranks.share(plan.seed if stored is None else stored.seed)
        self.network = plan.ranks.together(self._make_network)
        plan.ranks.together(self._check_room)
        self.trainer = make_trainer(plan, self.network, self.seed)
        if stored is not None:
            plan.ranks.together(lambda: stored.restore(self.trainer, self.network, len(plan.stages)))
            self.history, self.stretches, self._epoch = stored.history, stored.stretches, stored.epoch
            self.started -= stored.seconds
        plan.ranks.agree(lambda: {"weights or normalisation": digest_of(self.network.tensors())})
        self.supplier = Supplier(plan, self.seed)
        self._deadline: Deadline | None = None
        self._in_step = True
        # Number of words of patches, and the seconds that they are to take.
        self._patch_words, self._words_seconds = plan.patch_words, 0.0
        # Maps that callbacks ask for: one at a time, and none while training goes on.
        self._mapping = ProcessLock()
        self._maps = False

    def _open_checkpoint(self, params: dict[str, Any]) -> Stored | None:
        """What a run goes on from."""
        if self.plan.checkpoint is None:
            return None
        self.checkpoint = Checkpoint(self.plan, params)
        return self.checkpoint.read() if self.plan.resume else None

    def _make_network(self) -> Network:
        plan = self.plan
        network = Network(plan.architecture, plan.first_outputs, plan.normalization, self.seed)
        if plan.init is not None:
            plan.init.network.copy_to(network, head=not plan.init.is_backbone)
        return network

    def _check_room(self) -> None:
        """What cannot be written is known before it is learnt."""
        if self.checkpoint is not None and self.leads:
            self.checkpoint.check_room(self.network)

    def map(self) -> npt.NDArray[np.float32]:
        """Of all images."""
        plan = self.plan
        return plan.ranks.map(self.network, plan.images, plan.threads)

    def align(self) -> None:
        """Turn the network's map as an older one lies, if there is one to go by."""
        alignment = self.plan.alignment
        if alignment is not None:
            motion = None
            if self.leads:
                motion = self._motion(
                    self.network.map(self.plan.images, self.plan.threads, rows=alignment.rows)
                )
            # The last digits of a decomposition differ between machines.
            self.network.turn(*self.plan.ranks.share(motion))

    def _motion(self, ours: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """How to turn a map, where the images of the alignment are at these places."""
        assert self.plan.alignment is not None
        shifts = self.stages[-1].metric != "cosine"
        return self.plan.alignment.motion(ours, self.plan.given, self.plan.threads, shifts)

    def free(self) -> Places | None:
        """The places of all images, where points go by themselves.

        Returns
        -------
        Places or None
            None where the plan has no points, or the head no finite map of the plane, as after a run that
            diverged, or that a callback has stopped in an earlier stage.
        """
        if not self.plan.frees_points or self.network.outputs != 2:
            return None
        with PointsBar(self.speaks) as bar:
            return free_points(self.plan, self.network, self._patch_words, self._turned, bar.show)

    def _turned(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Points as an older map lies, if there is one to go by."""
        if self.plan.alignment is None:
            return points
        matrix, shift = self._motion(points[self.plan.alignment.rows])
        turned: npt.NDArray[np.float32] = (points.astype(np.float64) @ matrix + shift).astype(np.float32)
        return turned

    @property
    def leads(self) -> bool:
        """Whether callbacks and files are this process's."""
        return self.plan.ranks.leads

    @property
    def speaks(self) -> bool:
        return bool(self.plan.values.verbose) and self.leads

    def close(self) -> None:
        """Let go of the images and of training's memory."""
        self.supplier.close()
        self.trainer.close()

    @property
    def seconds(self) -> float:
        """Time used, also before an interruption."""
        return time.perf_counter() - self.started

    @property
    def _share_of_time(self) -> float | None:
        """The part of the time for training that is used; None where it has no end."""
        if self._deadline is None:
            return None
        # A run that goes on may have had all of it before.
        whole = self._deadline.ends - self.started
        return self.seconds / whole if whole > 0 else 1.0

    @property
    def _has_time_to_say(self) -> bool:
        """Whether the steps that a forecast is measured on are a small part of the run."""
        return self.plan.max_time is None or self.plan.max_time >= SHORTEST

    @property
    def stages(self) -> list[Stage]:
        """The stages as they were realised so far."""
        return [
            replace(stage, stretches=tuple(stretches) or stage.stretches)
            for stage, stretches in zip(self.plan.stages, self.stretches, strict=True)
        ]

    def run(self) -> str:
        """Train to the end.

        Between two calls of ``advance``, at most a few hundred milliseconds apart, Python handles
        signals: Ctrl-C arrives here, and the step that ran is dropped.

        Returns
        -------
        "finished", "stopped" (by a callback) or "diverged"
        """
        if self.speaks and not self.history and self.plan.ranks.size == 1 and self._has_time_to_say:
            print(announcement(self.plan, self.seconds), flush=True)
        try:
            if self.speaks:
                with ProgressBar(self.plan) as bar:
                    outcome = self._run(bar)
            else:
                outcome = self._run(None)
        except UnreadableError:
            # Parameters may have moved by what was not there.
            raise
        except BaseException:
            # In the first step of a stage its output layer may be new already: the checkpoint that was
            # written at the end of the stage before is the one to go on from.
            if not self._in_step or self.trainer.progress()["step"] > 0:
                self.save()
            raise
        if outcome != "diverged":
            self.save()
        self.trainer.exchange_averages()
        return outcome

    def _run(self, bar: ProgressBar | None) -> str:
        self._patch_words, self._words_seconds = self.plan.ranks.together(lambda: affordable_words(self.plan))
        self._deadline = self.plan.ranks.together(self._make_deadline)
        self._set_length()
        now = time.perf_counter()
        while True:
            self._in_step = True
            event = self.trainer.advance()
            self.plan.images.check()
            if self.plan.ranks.exchange(self.trainer, event, self.plan, self._temperature):
                continue
            if event.kind == _core.EVENT_BATCH_WANTED:
                self.supplier.supply(self.trainer, event)
            elif event.kind == _core.EVENT_FEATURES_FOUND:
                self.plan.images.forget()
                find_partners(self.trainer, self.plan)
            elif event.kind == _core.EVENT_NEIGHBORS_FOUND:
                self.supplier.found(event)
                if self._deadline is not None:
                    self._deadline.pause()
                now = time.perf_counter()
            elif event.kind == _core.EVENT_STEP:
                self._in_step = False
                self.plan.images.forget()
                before, now = now, time.perf_counter()
                self._count(event, now - before)
                if bar is not None:
                    bar.show(event, self._share_of_time)
                ends = event.steps_left == 0
                if (ends or event.step == event.steps_per_epoch - 1) and self._finish_epoch(event):
                    return "stopped"
                if self._deadline is not None and (ends or self._deadline.wants_look):
                    if self._patch_words > 0:
                        self._words_seconds = words_seconds(self.plan, self._patch_words)
                    self._deadline.move(self._training_ends())
                self._set_length()
                if self.checkpoint is not None and (ends or self.checkpoint.is_due()):
                    self.save()
                now = time.perf_counter()
            elif event.kind == _core.EVENT_FINISHED:
                return "finished"
            elif event.kind == _core.EVENT_DIVERGED:
                return "diverged"

    def _count(self, event: _core.Event, seconds: float) -> None:
        self._epoch["loss"] += event.loss
        self._epoch["steps"] += 1
        self._epoch["pairs"] += event.batch_count
        self._epoch["seconds"] += seconds

    def _finish_epoch(self, event: _core.Event) -> bool:
        """Record an epoch; whether a callback wants to stop."""
        epoch = self._epoch
        record = Record(
            stage=event.stage + 1,
            epoch=event.epoch + 1,
            loss=epoch["loss"] / epoch["steps"],
            lr=event.learning_rate,
            temperature=self._temperature(event.stage),
            seconds=epoch["seconds"],
            pairs_per_second=epoch["pairs"] / max(epoch["seconds"], 1e-9),
            make_embedding=self.embedding,
        )
        self.history.append(record.as_dict())
        self._epoch = dict.fromkeys(epoch, 0)
        stops = self.leads and self._call(record)
        return bool(self.plan.ranks.share(stops))

    def _call(self, record: Record) -> bool:
        """Whether a callback wants to stop. Every one sees the epoch, also after one that does."""
        self._maps = True
        try:
            return any([bool(callback(record)) for callback in self.plan.values.callbacks])
        finally:
            # Training waits for a map that a callback's own thread is still making.
            with self._mapping():
                self._maps = False

    def _temperature(self, stage: int) -> float:
        """As it is now; a stage that trains it has its logarithm, of T²/2 for distances."""
        written = self.plan.stages[stage]
        if not self.plan.values.temperature_lr:
            return float(written.temperature or 0)
        (logarithm,) = np.frombuffer(self.trainer.array(_core.ARRAY_PARAMETER, TEMPERATURE)[2], np.float32)
        # A step may take it to where there is no number for its exponential; the next one diverges.
        value = math.exp(min(700.0, float(logarithm)))
        return value if written.metric == "cosine" else math.sqrt(2 * value)

    def _set_length(self) -> None:
        """Stretch the stage to the deadline, or as a run that is repeated did."""
        if self.plan.max_time is not None:
            made = None if self._deadline is None else self._deadline.adjust(self.trainer)
            made = self.plan.ranks.share(made)
            if made is not None and not self.leads:
                self.trainer.stretch(made[2])
            if made is not None:
                stage, step, remaining = made
                self.stretches[stage].append((step, remaining))
            return
        progress = self.trainer.progress()
        if progress["stage"] < len(self.plan.stages):
            for step, remaining in self.plan.stages[int(progress["stage"])].stretches:
                if step == progress["step"]:
                    self.trainer.stretch(remaining)

    def _make_deadline(self) -> Deadline | None:
        """Of the rank whose clock counts."""
        seconds = self.plan.max_time
        if seconds is None or not self.leads:
            return None
        ends = self._training_ends()
        if ends < time.perf_counter() and self.trainer.progress()["step"] == 0 and not self.history:
            spent = time.perf_counter() - self.started
            raise ValueError(
                f"max_time: got {seconds:g} s, of which {spent:.1f} are over, and making the map alone takes "
                f"about {self.started + seconds - ends:.1f} s here; want more"
            )
        written = [stage.steps(self.plan.steps_per_epoch) for stage in self.plan.stages]
        _, height, width, _ = self.plan.images.shape
        costs = [cost(stage, (height, width)) for stage in self.plan.stages]
        learns = [stage.lr != 0 for stage in self.plan.stages]
        return Deadline(ends, written, costs, learns)

    def _training_ends(self) -> float:
        """When mapping has to begin."""
        assert self.plan.max_time is not None
        after = mapping_seconds(self.plan, self.network) + self._words_seconds
        after += free_seconds(self.plan)
        return float(self.started + self.plan.max_time - after)

    def embedding(self) -> npt.NDArray[np.float32]:
        """The map as it would be if training ended now."""
        with self._mapping():
            if not self._maps:
                raise ValueError("embedding: training has gone on; ask for it while the callback runs")
            self.trainer.exchange_averages()
            try:
                return self.network.map(self.plan.images, self.plan.threads)
            finally:
                self.trainer.exchange_averages()

    def save(self) -> None:
        """Write the checkpoint, if there is one. A disk that is full does not end training."""
        if self.checkpoint is None or not self.leads:
            return
        # An interrupt may come between a step and the look at what it read.
        self.plan.images.check()
        try:
            self.checkpoint.write(self.trainer, self.network, self.history, self._run_so_far())
        except OSError as error:
            warnings.warn(f"checkpoint: {error}; training goes on without", RuntimeWarning, stacklevel=2)

    def epochs(self) -> list[float]:
        """Epochs of each stage that were trained."""
        progress = self.trainer.progress()
        result: list[float] = []
        for i, stage in enumerate(self.stages):
            steps = stage.steps(self.plan.steps_per_epoch)
            for step, remaining in stage.stretches:
                steps = step + remaining
            if i >= progress["stage"]:
                steps = int(progress["step"]) if i == progress["stage"] else 0
            epochs = steps / self.plan.steps_per_epoch
            result.append(int(epochs) if epochs == int(epochs) else epochs)
        return result

    def _run_so_far(self) -> dict[str, Any]:
        """What a checkpoint says of the run beside its arrays."""
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "epoch": self._epoch,
            "stretches": self.stretches,
            "progress": self.trainer.progress(),
        }

    def divergence(self) -> str:
        """What to say of a run that diverged."""
        progress = self.trainer.progress()
        number = min(int(progress["stage"]) + 1, len(self.plan.stages))
        stage = self.plan.stages[number - 1]
        epoch = int(progress["step"]) // self.plan.steps_per_epoch + 1
        clip = "" if self.plan.values.clip_value else ", set clip_value=4.0"
        return (
            f"training diverged in stage {number}, epoch {epoch}, at lr up to {stage.lr:g}: the loss, a "
            f"gradient or the map is not finite. Take a lower lr{clip} or a longer warmup. "
            "The estimator keeps the last finite weights."
        )

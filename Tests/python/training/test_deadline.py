"""``max_time``: the schedule is fitted into the time, and what became of it can be repeated."""

import numpy as np
import pytest
from tsimcne_swift import Stage, TSimCNE
from tsimcne_swift._checks.durations import check_duration
from tsimcne_swift._training import deadline as _deadline

X = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
SMALL = {"width": 4, "hidden_dim": 16, "pretrain_dim": 8, "batch_size": 16, "random_state": 3}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (3, 3.0),
        (np.int64(3), 3.0),
        (0.5, 0.5),
        ("90s", 90.0),
        ("20m", 1200.0),
        ("20min", 1200.0),
        ("1h30min", 5400.0),
        ("1.5 h", 5400.0),
        ("2D", 172800.0),
    ],
)
def test_durations(value, seconds):
    assert check_duration("max_time", value) == seconds


@pytest.mark.parametrize("value", [0, -1, "", "fast", "20", "3 weeks", "-5min", np.nan, np.inf, True, [3]])
def test_no_durations(value):
    with pytest.raises((ValueError, TypeError), match=r"^max_time: got "):
        check_duration("max_time", value)


class Clock:
    """A machine that takes so long for a step of each stage, and trains as the core does."""

    def __init__(self, written, seconds):
        self.now = 100.0
        self.written, self.seconds = written, seconds
        self.steps_done = []
        self._begin(0)

    def _begin(self, stage):
        self.stage, self.step = stage, 0
        self.steps = self.written[stage] if stage < len(self.written) else 0
        self.position, self.stride = 0.0, 1.0

    def progress(self):
        return {"stage": self.stage, "step": self.step, "steps": self.steps, "position": self.position}

    def stretch(self, remaining):
        self.steps = self.step + remaining
        self.stride = (self.written[self.stage] - self.position) / remaining

    def train(self, noise):
        # The first step of a stage is slower.
        self.now += self.seconds[self.stage] * noise * (2 if self.step == 0 else 1)
        self.step += 1
        self.position += self.stride
        if self.step == self.steps:
            assert self.position == pytest.approx(self.written[self.stage])
            self.steps_done.append(self.step)
            self._begin(self.stage + 1)


@pytest.mark.parametrize("written", [[100, 5, 20], [10000, 500, 2000], [3, 1, 1], [50]])
@pytest.mark.parametrize("budget", [20.0, 300.0])
@pytest.mark.parametrize("drift", [0.0, 0.5, -0.3])
def test_training_ends_in_time(written, budget, drift, monkeypatch):
    """This holds for every length of a recipe, and if the machine grows slower or faster meanwhile."""
    costs = [1, 1 / 3, 1][: len(written)]
    clock = Clock(written, [0.05, 0.02, 0.05])
    monkeypatch.setattr(_deadline.time, "perf_counter", lambda: clock.now)
    deadline = _deadline.Deadline(clock.now + budget, written, costs, [True] * len(written))
    chance = np.random.default_rng(0)
    stretches = 0
    while clock.stage < len(written):
        stretches += deadline.adjust(clock) is not None
        share = (clock.now - 100) / budget
        clock.train(chance.uniform(0.8, 1.2) * (1 + drift * share))
    assert abs(clock.now - 100 - budget) < 0.01 * budget
    assert stretches < 200
    if len(written) == 3:
        # Stages keep their proportions, where they are not shorter than a step.
        first, _, last = clock.steps_done
        assert last / first == pytest.approx(written[2] / written[0], rel=0.5)


def test_what_follows_training_is_timed_anew(monkeypatch):
    """Time that was thought to be wanted afterwards goes to all stages, not to the last one alone."""
    written = [1000, 20]
    clock = Clock(written, [0.05, 0.05])
    monkeypatch.setattr(_deadline.time, "perf_counter", lambda: clock.now)
    deadline = _deadline.Deadline(clock.now + 100, written, [1, 1], [True, True])
    looks = 0
    while clock.stage < len(written):
        if deadline.wants_look:
            deadline.move(100 + 200.0)
            looks += 1
        deadline.adjust(clock)
        clock.train(1.0)
    assert clock.now - 100 == pytest.approx(200, rel=0.01)
    assert 2 <= looks < 10
    first, last = clock.steps_done
    # Else the last one would have had as much as both were thought to need.
    assert last / first < 0.04


@pytest.mark.parametrize("budget", [20.0, 300.0])
def test_a_stage_that_learns_nothing_is_no_longer_than_written(budget, monkeypatch):
    """What was timed when all learning is over may have taken less than was thought."""
    written = [1000, 20, 1]
    clock = Clock(written, [0.05, 0.05, 0.05])
    monkeypatch.setattr(_deadline.time, "perf_counter", lambda: clock.now)
    deadline = _deadline.Deadline(clock.now + budget, written, [1, 1, 1], [True, False, False])
    while clock.stage < len(written):
        stage = clock.stage
        deadline.adjust(clock)
        clock.train(1.0)
        if clock.stage > stage:
            deadline.move(100 + budget + 10)
    first, second, third = clock.steps_done
    assert first == pytest.approx(budget / 0.05, rel=0.1)
    assert 0.5 * min(20, 0.02 * first) <= second <= 20 and third == 1


def test_a_run_that_the_clock_has_shaped_can_be_repeated():
    shaped = TSimCNE(**SMALL, total_epochs=[3, 1, 2], max_time=3).fit(X)
    assert any(stage.stretches for stage in shaped.stages_)
    assert sum(shaped.total_epochs_) > 6
    last = shaped.history_[-1]
    assert last["lr"] < 0.01 * shaped.stages_[-1].lr, "the rate is annealed at the end"
    again = TSimCNE(**SMALL, total_epochs=shaped.stages_).fit(X)
    assert again.embedding_.tobytes() == shaped.embedding_.tobytes()
    assert again.total_epochs_ == shaped.total_epochs_


def test_time_before_an_interruption_counts(tmp_path):
    path = tmp_path / "run.ckpt"
    options = SMALL | {"total_epochs": [1, 1, 1], "max_time": 2.0, "checkpoint": path}

    def interrupt(record):
        if record.stage == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TSimCNE(**options, callbacks=interrupt).fit(X)
    model = TSimCNE(**options).fit(X, resume=True)
    stage_three = [row["seconds"] for row in model.history_ if row["stage"] == 3]
    assert sum(row["seconds"] for row in model.history_) <= 2.0
    assert stage_three
    again = TSimCNE(**SMALL, total_epochs=model.stages_).fit(X)
    assert again.embedding_.tobytes() == model.embedding_.tobytes()


def test_what_max_time_excludes():
    with pytest.raises(
        ValueError, match=r"^max_time: .* excludes lr_step='epoch'|^max_time: excludes lr_step"
    ):
        TSimCNE(**SMALL, max_time=3, lr_step="epoch").fit(X)
    stages = [Stage(1, 8, stretches=((1, 3),))]
    with pytest.raises(ValueError, match=r"^max_time: excludes stages with stretches"):
        TSimCNE(**SMALL, max_time=3, total_epochs=stages).fit(X)
    with pytest.raises(ValueError, match=r"^max_time: got 1e-05 s, of which .* are over, and making the map"):
        TSimCNE(**SMALL, max_time=1e-5).fit(X)

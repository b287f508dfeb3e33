"""The core against numbers that PyTorch left behind (Fixtures/make_golden.py), without PyTorch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "Fixtures"
sys.path.insert(0, str(FIXTURES))

import driver  # noqa: E402
import formula  # noqa: E402
from tsimcne_swift import _core  # noqa: E402


def golden(name: str) -> dict[str, np.ndarray]:
    with np.load(FIXTURES / f"golden-{name}.npz") as file:
        return dict(file)


def part(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name[len(prefix) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{prefix}/")}


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


@pytest.fixture(scope="module", params=["deep", "grey"])
def batch(request):
    """Golden numbers of one batch, and the core's."""
    theirs = golden(f"network-{request.param}")
    case = json.loads(str(theirs["case"]))
    configuration, shape = formula.golden_configuration(**case["configuration"]), tuple(case["shape"])
    views = formula.views(case["views"], *shape)
    state = formula.weights(**configuration)
    for name, move in part(theirs, "move").items():
        state[name] += move
    model = driver.make_model(state, **configuration)
    ours = {
        "map": driver.transform(model, views, theirs["map"].shape[1], _core.OUTPUT_MAP),
        "features": driver.transform(model, views, theirs["features"].shape[1], _core.OUTPUT_FEATURES),
    }
    stage = driver.stage(
        output_dim=configuration["output_dim"],
        metric=case["metric"],
        temperature=case["temperature"],
        learning_rate=1e-3,
    )

    def supply(trainer, event):
        return views

    for trainer, event in driver.steps(
        model, shape, [stage], supply, batch_size=shape[0], stop_at=_core.STOP_AT_EMBEDDINGS
    ):
        if event.kind == _core.EVENT_EMBEDDINGS:
            (name,) = [name for kind, name in trainer.arrays() if kind == _core.ARRAY_EMBEDDINGS]
            ours["embeddings"] = driver.get(trainer, name, _core.ARRAY_EMBEDDINGS)
        elif event.kind == _core.EVENT_STEP:
            ours["loss"] = event.loss
            ours["gradients"] = {
                name: driver.get(trainer, name, _core.ARRAY_GRADIENT) for name in part(theirs, "norm")
            }
            ours["buffers"] = {name: driver.get(trainer, name) for name in part(theirs, "buffer")}
    return SimpleNamespace(ours=ours, theirs=theirs)


@pytest.mark.parametrize("what", ["map", "features", "embeddings"])
def test_outputs(batch, what):
    ours, theirs = batch.ours[what], batch.theirs[what]
    assert ours.shape == theirs.shape
    rows = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
    assert rows.max() < 1e-4


def test_loss(batch):
    assert batch.ours["loss"] == pytest.approx(float(batch.theirs["loss"]), rel=1e-5)


def test_gradients(batch):
    values, norms = part(batch.theirs, "gradient"), part(batch.theirs, "norm")
    # The gradient of the output bias is a sum whose parts cancel (the Cauchy loss knows only differences):
    # it is measured by its parts.
    cancels = list(norms)[-1]
    parts = np.linalg.norm(batch.theirs["embedding_gradient"], axis=1).sum()
    for name, norm in norms.items():
        ours = batch.ours["gradients"][name]
        norm = parts if name == cancels else float(norm)
        assert abs(np.linalg.norm(ours) - norm) < 1e-3 * norm or name == cancels, name
        error = np.linalg.norm(ours.ravel()[: len(values[name])] - values[name])
        assert error < 1e-3 * norm, name


def test_running_statistics(batch):
    for name, theirs in part(batch.theirs, "buffer").items():
        assert distance(batch.ours["buffers"][name], theirs) < 1e-4, name


def test_three_stages():
    """Twenty steps in each of three stages; in the second only the output layer is trained."""
    theirs = golden("training")
    case = json.loads(str(theirs["case"]))
    counts, size, stages = case["counts"], case["size"], case["stages"]
    configuration = formula.golden_configuration(**case["configuration"])
    moves = iter(theirs["moves"])
    names = [str(name) for name in theirs["moved names"]]
    before: dict[str, np.ndarray] = {}

    def supply(trainer, event):
        stage = stages[event.stage]
        if event.epoch == event.step == 0:
            if stage["output_start"] == _core.OUTPUT_NORMAL:
                layer = formula.output_layer(2, *configuration["hidden_dims"])
                for name, value in zip(("weight", "bias"), layer, strict=True):
                    driver.put(trainer, f"{driver.OUTPUT_LAYER}.{name}", value)
            before.update(driver.state_of(trainer))
        if not stage["trains"]:
            move, at = next(moves), 0
            for name in names:
                bias = driver.get(trainer, name)
                driver.put(trainer, name, bias + move[at : at + len(bias)])
                at += len(bias)
        assert event.batch_count == counts[event.step]
        return formula.views(f"{event.stage} {event.epoch} {event.step}", event.batch_count, *size)

    model = driver.make_model(formula.weights(**configuration), **configuration)
    expected = iter(theirs["losses"])
    ends = [(i, stage["epochs"] - 1, len(counts) - 1) for i, stage in enumerate(stages)]
    for trainer, event in driver.steps(model, (sum(counts), *size), stages, supply, batch_size=counts[0]):
        at = (event.stage, event.epoch, event.step)
        assert event.loss == pytest.approx(next(expected), rel=1e-3), at
        if at not in ends:
            continue
        for name, values in part(theirs, f"buffer {event.stage}").items():
            assert distance(driver.get(trainer, name), values) < 1e-3, (at, name)
        for name, values in part(theirs, f"parameter {event.stage}").items():
            ours = driver.get(trainer, name).ravel()
            ours = ours[:: max(1, len(ours) // 50)]
            assert distance(ours, values) < 1e-3, (at, name)
        if stages[event.stage]["trains"]:
            check_frozen(driver.state_of(trainer), before)
    assert next(expected, None) is None


def check_frozen(now: dict[str, np.ndarray], before: dict[str, np.ndarray]) -> None:
    """The output layer and the running statistics have moved, and nothing else by a bit."""
    for name, value in before.items():
        moves = ".running_" in name or name.startswith(driver.OUTPUT_LAYER)
        assert (now[name].tobytes() != value.tobytes()) == moves, name


def test_loss_of_given_embeddings():
    theirs = golden("loss")
    for i, case in enumerate(json.loads(str(theirs["cases"]))):
        z, expected = theirs[f"embeddings/{i}"], theirs[f"gradient/{i}"]
        gradient = np.empty_like(z)
        loss = _core.infonce(
            z, gradient, views=2, metric=case["metric"], temperature=case["temperature"], threads=1
        )
        assert loss == pytest.approx(case["loss"], rel=1e-5), i
        assert distance(gradient, expected) < 1e-3, i


def test_learning_rates_per_epoch():
    theirs = golden("schedules")
    for i, (epochs, warmup, peak) in enumerate(theirs["epoch"]):
        rates = driver.learning_rates(
            2,
            2,
            epochs=int(epochs),
            warmup=warmup,
            learning_rate=peak,
            schedule=_core.SCHEDULE_EPOCH,
        )
        # A cosine near its end is a small difference, of which libraries round the last digits.
        np.testing.assert_allclose(rates, theirs[f"epoch/{i}"], rtol=1e-12, atol=1e-15 * peak)


def test_learning_rates_per_batch():
    theirs = golden("schedules")
    for i, (epochs, steps, warmup, peak) in enumerate(theirs["batch"]):
        rates = driver.learning_rates(
            2 * int(steps),
            2,
            epochs=int(epochs),
            warmup=warmup,
            learning_rate=peak,
            schedule=_core.SCHEDULE_BATCH,
        )
        np.testing.assert_allclose(rates, theirs[f"batch/{i}"], rtol=1e-12, atol=1e-15 * peak)


def test_epochs_are_stepped_together():
    rates = driver.learning_rates(5, 2, epochs=3, warmup=2, learning_rate=1.0)
    np.testing.assert_allclose(rates, np.repeat([0.0, 1.0, 1.0], 3))

"""Drives the core through its extension, with the names and layouts of PyTorch's state dict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import formula
import numpy as np
from tsimcne_swift import _core

OUTPUT_LAYER = "projection_head.layers.2"
TEMPERATURE = "loss.log_temperature"


def stage(**changes: float) -> dict[str, float]:
    """One epoch of the reference's stage 1, with changes; see ``core_stage`` for its length."""
    defaults = {
        "epochs": 1,
        "output_dim": 128,
        "output_start": _core.OUTPUT_KEEP,
        "output_scale": 1.0,
        "trains": _core.TRAIN_ALL,
        "metric": _core.METRIC_CAUCHY,
        "temperature": 1.0,
        "degrees_of_freedom": 1.0,
        "temperature_rate": 0.0,
        "annealed_outputs": b"",
        "annealed_degrees": b"",
        "learning_rate": 0.03,
        "warmup": 0,
        "schedule": _core.SCHEDULE_EPOCH,
        "shape": _core.SHAPE_COSINE,
        "optimizer": _core.SGD,
        "decays_biases": 1,
        "momentum": 0.9,
        "second_momentum": 0.999,
        "weight_decay": 5e-4,
        "clip_value": 4.0,
        "view_height": 0,
        "view_width": 0,
        "neighbors": 0,
        "inputs": _core.INPUT_VIEWS,
        "augmentation": None,
    }
    assert changes.keys() <= defaults.keys(), changes
    return defaults | changes


def core_stage(given: dict[str, float], images: int, batch_size: int) -> dict[str, float]:
    """A stage as the core wants it, with steps for epochs; what it lacks is the reference's."""
    result = stage(**given)
    return result | {"steps": result.pop("epochs") * -(-images // batch_size)}


def paper_stages(
    batch_size: int, epochs: int, warmup: float, learning_rate: float | None = None, **changes: float
) -> list[dict]:
    """The paper's three stages in a few epochs."""
    rate = learning_rate or 0.03 * batch_size / 256
    first = stage(epochs=epochs, warmup=warmup, learning_rate=rate, **changes)
    new = {
        "output_dim": 2,
        "output_start": _core.OUTPUT_NORMAL,
        "metric": _core.METRIC_CAUCHY,
        "temperature": 1.0,
    }
    second = first | new | {"trains": _core.TRAIN_OUTPUT_LAYER, "warmup": 0}
    third = first | new | {"output_start": _core.OUTPUT_KEEP, "learning_rate": rate / 1000}
    return [first, second, third]


def kind_of(name: str) -> int:
    return _core.ARRAY_BUFFER if ".running_" in name else _core.ARRAY_PARAMETER


def get(holder, name: str, kind: int | None = None) -> np.ndarray:
    """A copy of an array of a model or trainer; a convolution's has the layout (out, in, height, width)."""
    shape, code, values = holder.array(kind_of(name) if kind is None else kind, name)
    array = np.frombuffer(values, {"f": np.float32, "d": np.float64}[code]).reshape(shape)
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if array.ndim == 4 else array


def put(holder, name: str, value: np.ndarray) -> None:
    value = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
    holder.set_array(kind_of(name), name, np.ascontiguousarray(value, np.float32))


def add(holder, moves: dict[str, np.ndarray]) -> None:
    for name, move in moves.items():
        put(holder, name, get(holder, name) + move)


def state_of(holder) -> dict[str, np.ndarray]:
    """All parameters and running statistics."""
    kinds = (_core.ARRAY_PARAMETER, _core.ARRAY_BUFFER)
    names = [name for kind, name in holder.arrays() if kind in kinds]
    return {name: get(holder, name) for name in names if name != TEMPERATURE}


def make_model(state: dict[str, np.ndarray], **configuration) -> _core.Model:
    model = _core.Model(seed=0, **configuration)
    for name, value in state.items():
        put(model, name, value)
    return model


def transform(model: _core.Model, images: np.ndarray, columns: int, kind: int) -> np.ndarray:
    output = np.empty((len(images), columns), np.float32)
    model.transform(images, output, kind=kind, threads=2)
    return output


def steps(
    model: _core.Model,
    shape: tuple[int, int, int, int],
    stages: Sequence[dict[str, float]],
    views: Callable[[_core.Trainer, _core.Event], np.ndarray],
    *,
    batch_size: int,
    stop_at: int = 0,
    view_count: int = 2,
    precision: int = _core.PRECISION_SINGLE,
) -> Iterator[tuple[_core.Trainer, _core.Event]]:
    """Train on views that the caller makes, and stop at every event that carries something.

    ``views`` is called with the trainer and the event that wants a batch, before anything of the
    step has run: it may set arrays too.
    """
    trainer = _core.Trainer(
        model,
        None,
        shape=shape,
        format="f",
        seed=1,
        batch_size=batch_size,
        source=_core.SOURCE_VIEWS,
        threads=2,
        stop_at=stop_at,
        stages=[core_stage(one, shape[0], batch_size) for one in stages],
        augmentation=None,
        views=view_count,
        precision=precision,
    )
    while (event := trainer.advance()).kind != _core.EVENT_FINISHED:
        assert event.kind != _core.EVENT_DIVERGED
        if event.kind == _core.EVENT_BATCH_WANTED:
            batch = views(trainer, event)
            assert batch.shape == (view_count * event.batch_count, *shape[1:])
            trainer.supply(np.ascontiguousarray(batch, np.float32))
        elif event.kind != _core.EVENT_MORE:
            yield trainer, event
    trainer.close()


def learning_rates(images: int, batch_size: int, **changes: float) -> list[float]:
    """Learning rates of a training run of the smallest network on the smallest images."""
    configuration = dict(depth=10, base_width=1, channels=1, hidden_dims=(), output_dim=1)
    model = _core.Model(seed=0, **configuration)
    small = formula.views("small", images, 8, 8, 1)

    def supply(trainer, event):
        return small[: 2 * event.batch_count]

    stages = [stage(output_dim=1, **changes)]
    run = steps(model, (images, 8, 8, 1), stages, supply, batch_size=batch_size)
    return [event.learning_rate for _, event in run]

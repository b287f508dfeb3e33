"""Write the golden files beside this script, with PyTorch in float64.

    .venv-parity/bin/python Tests/Fixtures/make_golden.py

Weights and images come from formula.py; the files have what a network of such weights gives for
such images, and the moves of biases that keep its gradients well defined (see parity/kinks.py).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import formula
import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import kinks  # noqa: E402
from reference import (  # noqa: E402
    Network,
    StageTraining,
    batch_schedule,
    epoch_schedule,
    infonce,
)

CAUCHY, COSINE = 0, 1
METRICS = ("cauchy", "cosine")
SMALL = 600
"""Gradients of up to so many values are kept whole; of others the norm and the first values are kept."""

NETWORKS = {
    "deep": dict(
        configuration=dict(depth=18, base_width=8, channels=3, hidden_dim=48, output_dim=16, head=1),
        shape=(8, 16, 16, 3),
        metric=CAUCHY,
        temperature=1.0,
    ),
    "grey": dict(
        configuration=dict(depth=10, base_width=5, channels=1, hidden_dim=1, output_dim=2, head=0),
        shape=(7, 11, 14, 1),
        metric=COSINE,
        temperature=0.5,
    ),
}

SCHEDULES = [
    # Rows of (epochs, warm-up, peak): the paper's stages, then the corners of the formula.
    (1000, 10, 0.12),
    (50, 0, 0.12),
    (450, 10, 0.00012),
    (12, 3, 0.03),
    (11, 10, 0.03),
    (10, 10, 0.03),
    (9, 10, 0.03),
    (5, 10, 0.03),
    (1, 10, 0.03),
    (15, 1, 0.03),
    (1, 1, 0.03),
    (1, 0, 0.03),
]
BATCH_SCHEDULES = [(7, 3, 0.1, 0.05), (7, 3, 0.25, 0.05), (4, 2, 0.0, 0.05), (1, 3, 0.5, 0.05)]
"""Each row is (epochs, steps per epoch, warm-up, peak)."""


def load_moved(network: Network, configuration: dict, views: np.ndarray) -> dict[str, np.ndarray]:
    """Load the formula's weights, moved off the kinks for ``views``; return the moves."""
    state = formula.weights(**configuration)
    network.load(state)
    moves = kinks.moves(network, views)
    network.load(state | {name: state[name] + move for name, move in moves.items()})
    return moves


def network_golden(name: str) -> dict[str, np.ndarray]:
    """One batch, forward in both modes and backward."""
    case = NETWORKS[name]
    views = formula.views(f"golden {name}", *case["shape"])
    configuration = formula.golden_configuration(**case["configuration"])
    network = Network(**configuration)
    result = {"case": np.array(json.dumps(case | {"views": f"golden {name}"}))}
    for key, move in load_moved(network, configuration, views).items():
        result[f"move/{key}"] = move
    with torch.no_grad():
        result["map"] = network.eval()(views).numpy()
        result["features"] = network.features(views).numpy()
    embeddings = network.train()(views)
    embeddings.retain_grad()
    loss = infonce(embeddings, METRICS[case["metric"]], case["temperature"])
    loss.backward()
    result["embeddings"] = embeddings.detach().numpy()
    result["embedding_gradient"] = embeddings.grad.numpy()
    result["loss"] = np.array(loss.item())
    for key, parameter in network.named_parameters():
        gradient = parameter.grad.numpy()
        result[f"norm/{key}"] = np.linalg.norm(gradient)
        result[f"gradient/{key}"] = gradient.ravel()[:SMALL]
    return result | buffers(network, "buffer")


def buffers(network: Network, prefix: str) -> dict[str, np.ndarray]:
    return {
        f"{prefix}/{name}": value.numpy().copy()
        for name, value in network.named_buffers()
        if ".running_" in name
    }


def training_golden() -> dict[str, np.ndarray]:
    """Twenty steps in each of the three stages; every second batch is smaller."""
    epochs, counts, size = 10, (8, 5), (12, 12, 3)
    written = dict(depth=10, base_width=4, channels=3, hidden_dim=32, output_dim=16, head=1)
    configuration = formula.golden_configuration(**written)
    first = dict(
        epochs=epochs,
        output_dim=16,
        output_start=0,
        output_scale=1.0,
        trains=0,
        metric=CAUCHY,
        temperature=1.0,
        learning_rate=0.03,
        warmup=3,
        schedule=1,
        momentum=0.9,
        weight_decay=5e-4,
        clip_value=0.02,
    )
    second = first | dict(output_dim=2, output_start=1, trains=1, warmup=0, clip_value=4.0)
    stages = [first, second, second | dict(output_start=0, trains=0, learning_rate=3e-5, warmup=3)]
    case = dict(configuration=written, counts=counts, size=size, stages=stages)
    result = {"case": np.array(json.dumps(case))}

    network = Network(**configuration)
    network.load(formula.weights(**configuration))
    losses, moved = [], []
    for number, stage in enumerate(stages):
        if stage["output_start"]:
            network.replace_output(*formula.output_layer(2, written["hidden_dim"]))
        training = StageTraining(network, stage)
        rates = epoch_schedule(stage["learning_rate"], epochs, stage["warmup"])
        for epoch in range(epochs):
            for step, count in enumerate(counts):
                views = formula.views(f"{number} {epoch} {step}", count, *size)
                if not stage["trains"]:
                    moves = kinks.moves(network, views)
                    network.add(moves)
                    moved.append(np.concatenate(list(moves.values())))
                losses.append(training.step(views, rates[epoch]))
        result |= buffers(network, f"buffer {number}")
        for name, parameter in network.named_parameters():
            values = parameter.detach().numpy().ravel()
            result[f"parameter {number}/{name}"] = values[:: max(1, len(values) // 50)].copy()
    result["moved names"] = np.array(list(moves))
    return result | {"losses": np.array(losses), "moves": np.array(moved)}


def loss_golden() -> dict[str, np.ndarray]:
    """Losses of points at several radii, of which the largest is that of long runs."""
    result, cases = {}, []
    for metric, dimension, radius in [(0, 2, 0.1), (0, 2, 160), (0, 3, 5), (0, 24, 4), (1, 24, 4)]:
        unit = formula.uniform("points", (19, dimension), -1, 1, dimension)
        apart = formula.uniform("views", (2, 19, dimension), -1, 1, dimension) / 100
        z = np.concatenate(list((unit + apart) * np.float32(radius)))
        exact = torch.from_numpy(z).double().requires_grad_()
        temperature = 0.5 if metric else 1.0
        loss = infonce(exact, METRICS[metric], temperature)
        loss.backward()
        result[f"embeddings/{len(cases)}"] = z
        result[f"gradient/{len(cases)}"] = exact.grad.numpy()
        cases.append(dict(metric=metric, temperature=temperature, loss=loss.item()))
    return {"cases": np.array(json.dumps(cases))} | result


def schedule_golden() -> dict[str, np.ndarray]:
    result = {"epoch": np.array(SCHEDULES), "batch": np.array(BATCH_SCHEDULES)}
    for i, (epochs, warmup, peak) in enumerate(SCHEDULES):
        result[f"epoch/{i}"] = epoch_schedule(peak, epochs, warmup)
    for i, (epochs, steps, warmup, peak) in enumerate(BATCH_SCHEDULES):
        result[f"batch/{i}"] = batch_schedule(peak, epochs * steps, warmup)
    return result


def golden() -> dict[str, dict[str, np.ndarray]]:
    """Contents of all files by name."""
    files = {f"network-{name}": network_golden(name) for name in NETWORKS}
    files |= {"training": training_golden(), "loss": loss_golden()}
    return files | {"schedules": schedule_golden()}


if __name__ == "__main__":
    for name, arrays in golden().items():
        np.savez_compressed(HERE / f"golden-{name}.npz", **arrays)

"""Weights and images from a formula, for tests that compare numbers across programs and machines.

Only the raw integers of PCG64 and exactly rounded arithmetic are used, so that every version of
numpy makes the same bits. Arrays have PyTorch's layouts.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np


def uniform(name: str, shape: tuple[int, ...], low: float, high: float, seed: int) -> np.ndarray:
    """Float32 in [low, high) that depend on the name and the seed."""
    raw = np.random.PCG64([seed, zlib.crc32(name.encode())]).random_raw(math.prod(shape))
    unit = (np.asarray(raw) >> np.uint64(40)).astype(np.float64) / 2.0**24
    return (low + (high - low) * unit).astype(np.float32).reshape(shape)


# Blocks of each stage, by the number of layers; those of the last two are bottlenecks.
BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
BOTTLENECKS = (50, 101)


def golden_configuration(*, hidden_dim: int, head: int, **others: int) -> dict[str, Any]:
    """Configuration of a golden file, whose heads have one hidden layer or, where ``head`` is 0, none."""
    return others | {"hidden_dims": (hidden_dim,) if head else ()}


def shapes(
    *, depth: int, base_width: int, channels: int, hidden_dims: Sequence[int], output_dim: int
) -> dict[str, tuple[int, ...]]:
    """Shapes of the network's parameters and running statistics by name."""
    result: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, bn: str, inputs: int, outputs: int, size: int) -> None:
        result[f"backbone.{name}.weight"] = (outputs, inputs, size, size)
        for part in ("weight", "bias", "running_mean", "running_var"):
            result[f"backbone.{bn}.{part}"] = (outputs,)

    convolution("conv1", "bn1", channels, base_width, 3)
    inputs = base_width
    for layer in range(1, 5):
        width = base_width * 2 ** (layer - 1)
        outputs = 4 * width if depth in BOTTLENECKS else width
        for block in range(BLOCKS[depth][layer - 1]):
            at = f"layer{layer}.{block}"
            if depth in BOTTLENECKS:
                convolution(f"{at}.conv1", f"{at}.bn1", inputs, width, 1)
                convolution(f"{at}.conv2", f"{at}.bn2", width, width, 3)
                convolution(f"{at}.conv3", f"{at}.bn3", width, outputs, 1)
            else:
                convolution(f"{at}.conv1", f"{at}.bn1", inputs, width, 3)
                convolution(f"{at}.conv2", f"{at}.bn2", width, width, 3)
            if inputs != outputs:
                convolution(f"{at}.shortcut.0", f"{at}.shortcut.1", inputs, outputs, 1)
            inputs = outputs
    for i, (columns, rows) in enumerate(pairwise([inputs, *hidden_dims, output_dim])):
        result[f"projection_head.layers.{2 * i}.weight"] = (rows, columns)
        result[f"projection_head.layers.{2 * i}.bias"] = (rows,)
    return result


def weights(seed: int = 0, **configuration: Any) -> dict[str, np.ndarray]:
    """A state dict with He-scaled convolutions and BatchNorm far from its starting values."""
    bounds = {"running_mean": (-0.25, 0.25), "running_var": (0.5, 1.5)}
    result = {}
    for name, shape in shapes(**configuration).items():
        part = name.rsplit(".", 1)[1]
        if len(shape) == 4:
            low = -math.sqrt(6 / (shape[0] * shape[2] * shape[3]))
            high = -low
        elif name.startswith("projection_head"):
            inputs = result[name[:-4] + "weight"].shape[1] if part == "bias" else shape[1]
            low, high = -1 / math.sqrt(inputs), 1 / math.sqrt(inputs)
        else:
            low, high = {"weight": (0.5, 1.5), "bias": (-0.25, 0.25), **bounds}[part]
        result[name] = uniform(name, shape, low, high, seed)
    return result


def output_layer(outputs: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of variance 1 and a small bias, for the layer that stage 2 begins with."""
    weight = uniform("output layer", (outputs, inputs), -math.sqrt(3), math.sqrt(3), 0)
    return weight, uniform("output bias", (outputs,), -0.125, 0.125, 0)


def views(name: str, count: int, height: int, width: int, channels: int, number: int = 2) -> np.ndarray:
    """Views in [0, 1] of each of ``count`` images of coloured patches, first views first.

    The views of an image share its patches, with noise and a shift of their own: white noise alone
    would give all images nearly the same embedding.
    """
    rows, columns = -(-height // 4), -(-width // 4)
    patches = uniform(f"{name} patches", (count, rows, columns, channels), 0, 0.75, 0)
    images = patches.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
    noise = uniform(f"{name} noise", (number, *images.shape), 0, 0.25, 0)
    return np.concatenate([np.roll(images, (i, 2 * i), axis=(1, 2)) + noise[i] for i in range(number)])

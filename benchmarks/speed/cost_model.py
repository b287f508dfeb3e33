"""How much a ResNet has to compute and to move, and how long that takes at best (roofline)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

STAGES = 4
OUTPUT_DIM = 128
VALUE_BYTES = 4


@dataclass(frozen=True)
class Kind:
    """A ResNet's blocks in each stage, its images' channels and its head's hidden layers; the paper's."""

    blocks: int = 2
    channels: int = 3
    hidden: tuple[int, ...] = (1024,)


def recipe(channels: int) -> Kind:
    """What ``TSimCNE()`` trains: a ResNet-10 and two hidden layers."""
    return Kind(1, channels, (512, 512))


@dataclass(frozen=True)
class Layer:
    """Multiply-adds, values of the output and weights of a convolution or matrix, for one image."""

    multiply_adds: int
    outputs: int
    weights: int


def layers(width: int, size: int, kind: Kind) -> Iterator[Layer]:
    """All layers with weights; convolutions in their direct form."""

    def convolution(inputs: int, outputs: int, kernel: int, side: int) -> Layer:
        weights = inputs * outputs * kernel**2
        return Layer(weights * side**2, outputs * side**2, weights)

    yield convolution(kind.channels, width, 3, size)
    channels, side = width, size
    for stage in range(STAGES):
        outputs = width * 2**stage
        for block in range(kind.blocks):
            if stage and not block:
                side = math.ceil(side / 2)
                yield convolution(channels, outputs, 1, side)
            yield convolution(channels, outputs, 3, side)
            yield convolution(outputs, outputs, 3, side)
            channels = outputs
    for outputs in (*kind.hidden, OUTPUT_DIM):
        yield convolution(channels, outputs, 1, 1)
        channels = outputs


@dataclass(frozen=True)
class Cost:
    """Floating-point operations and bytes to and from memory, for one image."""

    flops: float
    bytes: float

    def roofline_share(self, rate: float, gflops: float | None, gb_per_second: float | None) -> float | None:
        """The share that ``rate`` is of the images per second that the larger of the two times allows."""
        if gflops is None or gb_per_second is None:
            return None
        return rate * max(self.flops / gflops, self.bytes / gb_per_second) / 1e9


def training(width: int, size: int, batch: int, kind: Kind = Kind()) -> Cost:
    """A training step: the backward pass has twice the multiply-adds of the forward pass.

    Each layer's output is written and read forward, read again backward, and its gradient is written
    and read. Weights (read twice), gradients and momentum (read and written) are shared by the batch.
    """
    network = list(layers(width, size, kind))
    values, weights = (sum(getattr(layer, name) for layer in network) for name in ("outputs", "weights"))
    flops = 3 * 2 * sum(layer.multiply_adds for layer in network)
    return Cost(flops, 5 * VALUE_BYTES * values + 7 * VALUE_BYTES * weights / batch)


def inference(width: int, size: int, batch: int) -> Cost:
    """A forward pass: each layer's output is written and read; weights are read once for the batch."""
    network = list(layers(width, size, Kind()))
    values, weights = (sum(getattr(layer, name) for layer in network) for name in ("outputs", "weights"))
    flops = 2 * sum(layer.multiply_adds for layer in network)
    return Cost(flops, 2 * VALUE_BYTES * values + VALUE_BYTES * weights / batch)


def counted(network: str, size: int) -> int:
    """Floating-point operations of a forward pass of torchvision's network, as PyTorch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from .work.pytorch import torchvision_models

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        torchvision_models.make(network).eval()(torch.zeros(1, 3, size, size))
    return int(counter.get_total_flops())

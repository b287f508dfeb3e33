"""Weights at which the gradient is well defined in float32.

A ReLU whose input is nearer to zero than its rounding error passes its gradient in one program and
stops it in another. A handful among millions is enough for gradients that differ by a percent, in
float32 PyTorch against float64 PyTorch too, and neither is wrong. So each bias before a ReLU is
moved, in both programs alike, to the nearest place where no value of its channel is at the kink:
by a few thousandths where a channel has many values, by some hundredths in the projection head.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from reference import Network
from torch.nn import functional


def margin(count: int) -> float:
    """What ``count`` values keep away from zero: as much as gaps among them allow, up to 0.001."""
    return min(1e-3, 3 / count)


def smallest_move(values: torch.Tensor) -> torch.Tensor:
    """What is to be added to each channel, in the second dimension, to keep it away from zero."""
    channels = values.transpose(0, 1).flatten(1).sort(dim=1).values
    keep = margin(channels.shape[1])
    beyond = torch.full((len(channels), 1), 1e9, dtype=channels.dtype)
    channels = torch.cat([-beyond, channels, beyond], dim=1)
    low, high = channels[:, :-1] + keep, channels[:, 1:] - keep
    # Each gap gives the threshold in it that is nearest to zero.
    thresholds = torch.where(low > 0, low, torch.where(high < 0, high, 0.0))
    distance = thresholds.abs().masked_fill(low > high, torch.inf)
    return -thresholds.gather(1, distance.argmin(dim=1, keepdim=True))[:, 0]


@torch.no_grad()
def moves(network: Network, views: np.ndarray) -> dict[str, np.ndarray]:
    """What is to be added to biases, by name, to clear a training-mode pass over ``views``."""
    # BatchNorm's biases come after its statistics, so that moving one changes only what follows.
    # A copy runs, for its running statistics move.
    runs = copy.deepcopy(network).train()
    names = {id(parameter): name for name, parameter in runs.named_parameters()}
    result = {}

    def rectify(bias: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        move = smallest_move(values).float()
        result[names[id(bias)]] = move.numpy()
        return functional.relu(values + move.reshape(-1, *[1] * (values.dim() - 2)))

    backbone = runs.backbone
    x = rectify(backbone.bn1.bias, backbone.bn1(backbone.conv1(runs.pixels_of(views))))
    for i in range(1, 5):
        for block in getattr(backbone, f"layer{i}"):
            y = x
            *inner, (convolution, normalization) = block.normalized
            for before, following in inner:
                y = rectify(following.bias, following(before(y)))
            x = rectify(normalization.bias, normalization(convolution(y)) + block.shortcut(x))
    x = x.mean(dim=(2, 3))
    for hidden in runs.projection_head.layers[:-1:2]:
        x = rectify(hidden.bias, hidden(x))
    return result

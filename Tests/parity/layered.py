"""Lists of layers in PyTorch: the layers' names and results are what the core is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from reference import Network, ProjectionHead
from torch import nn

FUNCTIONS = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
}


class SqueezeExcite(nn.Module):
    def __init__(self, inputs: int, channels: int, inner: str, gate: str) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(inputs, channels, 1), nn.Conv2d(channels, inputs, 1)
        self.inner, self.gate = FUNCTIONS[inner](), FUNCTIONS[gate]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.fc2(self.inner(self.fc1(x.mean(dim=(2, 3), keepdim=True)))))


class Residual(nn.Module):
    def __init__(self, layers: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.layers, self.shortcut = layers, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) + self.shortcut(x)


def build(layers: list[tuple[str, dict[str, Any]]], channels: int) -> tuple[nn.Sequential, int]:
    """The layers of a list, and the channels of their result."""
    result: list[nn.Module] = []
    for kind, o in layers:
        kernel, stride = o.get("kernel", 3), o.get("stride", 2 if kind == "maxpool" else 1)
        if kind in ("conv", "depthwise"):
            outputs, groups = (o["channels"], 1) if kind == "conv" else (channels, channels)
            bias = o.get("bias", False)
            layer = nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)
            channels = outputs
        elif kind == "batchnorm":
            layer = nn.BatchNorm2d(channels, o.get("eps", 1e-5), o.get("momentum", 0.1))
        elif kind == "maxpool":
            layer = nn.MaxPool2d(kernel, stride, kernel // 2)
        elif kind == "squeeze_excite":
            layer = SqueezeExcite(channels, o["channels"], o.get("inner", "relu"), o.get("gate", "sigmoid"))
        elif kind == "residual":
            body, outputs = build(o["layers"], channels)
            layer = Residual(body, build(o.get("shortcut", []), channels)[0])
            channels = outputs
        else:
            layer = FUNCTIONS[kind]()
        result.append(layer)
    return nn.Sequential(*result), channels


class Pooled(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).mean(dim=(2, 3))


def pooled(layers: list[tuple[str, dict[str, Any]]], channels: int) -> nn.Module:
    return Pooled(*build(layers, channels)[0])


class LayeredNetwork(Network):
    """A backbone of any kind with the method's head."""

    def __init__(self, backbone: nn.Module, features: int, hidden: tuple[int, ...], outputs: int) -> None:
        nn.Module.__init__(self)
        self.backbone = backbone
        self.projection_head = ProjectionHead(features, hidden, outputs)
        self.pixels = None
        self.double()

    def pixels_of(self, images: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(images).to(next(self.parameters()).dtype)
        return x.permute(0, 3, 1, 2)


def state_of(network: nn.Module) -> dict[str, np.ndarray]:
    """The network's float32 state, with BatchNorm far from its starting values."""
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for array in (layer.weight, layer.running_var):
                    array.uniform_(0.5, 1.5, generator=random)
                for array in (layer.bias, layer.running_mean):
                    array.uniform_(-0.25, 0.25, generator=random)
    state = {n: v.float().numpy() for n, v in network.state_dict().items() if "num_batches" not in n}
    network.load(state)
    return state

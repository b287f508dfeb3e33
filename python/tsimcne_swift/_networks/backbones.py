"""Named backbones that are lists of layers, with torchvision's names for their arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from .layers import Layers, check_layers

# Rows of kernel, channels between, channels after, squeeze-excitation, function and stride (Howard et al.,
# ICCV 2019, tables 1 and 2).
MOBILENET_LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)
MOBILENET_SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
# Rows of fused, expansion, stride, channels and blocks (Tan and Le, ICML 2021, table 4 and appendix).
EFFICIENTNET_S = (
    (True, 1, 1, 24, 2),
    (True, 4, 2, 48, 4),
    (True, 4, 2, 64, 4),
    (False, 4, 2, 128, 6),
    (False, 6, 1, 160, 9),
    (False, 6, 2, 256, 15),
)
EFFICIENTNET_M = (
    (True, 1, 1, 24, 3),
    (True, 4, 2, 48, 5),
    (True, 4, 2, 80, 5),
    (False, 4, 2, 160, 7),
    (False, 6, 1, 176, 14),
    (False, 6, 2, 304, 18),
    (False, 6, 1, 512, 5),
)
EFFICIENTNET_L = (
    (True, 1, 1, 32, 4),
    (True, 4, 2, 64, 7),
    (True, 4, 2, 96, 7),
    (False, 4, 2, 192, 10),
    (False, 6, 1, 224, 19),
    (False, 6, 2, 384, 25),
    (False, 6, 1, 640, 7),
)
# Probability that the residual branch of an EfficientNet's last block is dropped; it rises from 0.
MOST_DROPPED = 0.2


def _unit(name: str, norm: dict[str, float], function: str | None, **conv: Any) -> Layers:
    """A convolution, its normalisation and a function, called ``name``.0 and ``name``.1."""
    kind = "conv" if "channels" in conv else "depthwise"
    result: Layers = [(kind, conv | {"name": f"{name}.0"}), ("batchnorm", norm | {"name": f"{name}.1"})]
    return result if function is None else [*result, (function, {"name": f"{name}.2"})]


def _divisible(value: int) -> int:
    """The nearest multiple of 8, and no less than nine tenths."""
    nearest = max(8, (value + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * value else nearest


def _around(name: str, block: Layers, is_residual: bool, drop: float = 0.0) -> Layers:
    return [("residual", {"name": name, "layers": block, "drop": drop})] if is_residual else block


def _mobilenet(blocks: tuple[tuple[int, int, int, bool, str, int], ...]) -> Layers:
    norm = {"eps": 1e-3, "momentum": 0.01}
    at = "model.features"
    layers = _unit(f"{at}.0", norm, "hardswish", channels=16)
    inputs = 16
    for i, (kernel, inner, outputs, squeezes, function, stride) in enumerate(blocks, 1):
        block: Layers = []
        part = 0
        if inner != inputs:
            block += _unit(f"{at}.{i}.block.0", norm, function, channels=inner, kernel=1)
            part = 1
        block += _unit(f"{at}.{i}.block.{part}", norm, function, kernel=kernel, stride=stride)
        part += 1
        if squeezes:
            options = {"channels": _divisible(inner // 4), "inner": "relu", "gate": "hardsigmoid"}
            block.append(("squeeze_excite", options | {"name": f"{at}.{i}.block.{part}"}))
            part += 1
        block += _unit(f"{at}.{i}.block.{part}", norm, None, channels=outputs, kernel=1)
        layers += _around(f"{at}.{i}", block, stride == 1 and inputs == outputs)
        inputs = outputs
    return layers + _unit(f"{at}.{len(blocks) + 1}", norm, "hardswish", channels=6 * inputs, kernel=1)


def _efficientnet(stages: tuple[tuple[bool, int, int, int, int], ...]) -> Layers:
    norm = {"eps": 1e-3, "momentum": 0.1}
    at = "model.features"
    inputs = stages[0][3]
    layers = _unit(f"{at}.0", norm, "silu", channels=inputs)
    total, done = sum(stage[4] for stage in stages), 0
    for i, (fused, expansion, first_stride, outputs, blocks) in enumerate(stages, 1):
        for j in range(blocks):
            stride, name = (first_stride if j == 0 else 1), f"{at}.{i}.{j}"
            make = _fused if fused else _inverted
            block = make(f"{name}.block", norm, inputs, expansion * inputs, outputs, stride)
            layers += _around(name, block, stride == 1 and inputs == outputs, MOST_DROPPED * done / total)
            inputs = outputs
            done += 1
    return layers + _unit(f"{at}.{len(stages) + 1}", norm, "silu", channels=1280, kernel=1)


def _fused(at: str, norm: dict[str, float], inputs: int, inner: int, outputs: int, stride: int) -> Layers:
    if inner == inputs:
        return _unit(f"{at}.0", norm, "silu", channels=outputs, stride=stride)
    first = _unit(f"{at}.0", norm, "silu", channels=inner, stride=stride)
    return first + _unit(f"{at}.1", norm, None, channels=outputs, kernel=1)


def _inverted(at: str, norm: dict[str, float], inputs: int, inner: int, outputs: int, stride: int) -> Layers:
    squeeze = {"channels": max(1, inputs // 4), "inner": "silu", "gate": "sigmoid", "name": f"{at}.2"}
    return [
        *_unit(f"{at}.0", norm, "silu", channels=inner, kernel=1),
        *_unit(f"{at}.1", norm, "silu", kernel=3, stride=stride),
        ("squeeze_excite", squeeze),
        *_unit(f"{at}.3", norm, None, channels=outputs, kernel=1),
    ]


def _resnet(
    blocks: tuple[int, int, int, int], is_bottleneck: bool, width: int, is_of_imagenet: bool = False
) -> Layers:
    """A ResNet with a stem of 3×3, or that for images of 224 pixels: 7×7 and max-pooling, stride 2 each."""
    stem = {"kernel": 7, "stride": 2} if is_of_imagenet else {"kernel": 3}
    layers: Layers = [
        ("conv", {"channels": width, "name": "conv1", **stem}),
        ("batchnorm", {"name": "bn1"}),
        ("relu", {"name": "relu"}),
    ]
    if is_of_imagenet:
        layers.append(("maxpool", {"kernel": 3, "stride": 2, "name": "maxpool"}))
    side = "downsample" if is_of_imagenet else "shortcut"
    inputs = width
    for level, count in enumerate(blocks):
        inner = width << level
        outputs = 4 * inner if is_bottleneck else inner
        kernels = (1, 3, 1) if is_bottleneck else (3, 3)
        for j in range(count):
            stride, at = (2 if level > 0 and j == 0 else 1), f"layer{level + 1}.{j}"
            block: Layers = []
            for k, kernel in enumerate(kernels, 1):
                options = {
                    "channels": outputs if k == len(kernels) else inner,
                    "kernel": kernel,
                    "stride": stride if k == (2 if is_bottleneck else 1) else 1,
                    "name": f"{at}.conv{k}",
                }
                block += [("conv", options), ("batchnorm", {"name": f"{at}.bn{k}"})]
                if k < len(kernels):
                    block.append(("relu", {"name": f"{at}.relu{k}"}))
            residual: dict[str, Any] = {"name": at, "layers": block}
            if stride > 1 or inputs != outputs:
                shortcut = {"channels": outputs, "kernel": 1, "stride": stride, "name": f"{at}.{side}.0"}
                residual["shortcut"] = [("conv", shortcut), ("batchnorm", {"name": f"{at}.{side}.1"})]
            layers += [("residual", residual), ("relu", {"name": f"{at}.relu"})]
            inputs = outputs
    return layers


# ResNets that the core has as one: number of layers, blocks of each level, whether these are bottlenecks.
RESNETS = {
    "resnet10": (10, (1, 1, 1, 1), False),
    "resnet18": (18, (2, 2, 2, 2), False),
    "resnet34": (34, (3, 4, 6, 3), False),
    "resnet50": (50, (3, 4, 6, 3), True),
    "resnet101": (101, (3, 4, 23, 3), True),
}
# Backbones that the core is given as layers, by the channels of the first level; only ResNets let one
# choose them.
LAYERED: dict[str, Callable[[int], Layers]] = {
    "resnet18_imagenet": lambda width: _resnet((2, 2, 2, 2), False, width, is_of_imagenet=True),
    "resnet34_imagenet": lambda width: _resnet((3, 4, 6, 3), False, width, is_of_imagenet=True),
    "resnet50_imagenet": lambda width: _resnet((3, 4, 6, 3), True, width, is_of_imagenet=True),
    "mobilenetv3_small": lambda _: _mobilenet(MOBILENET_SMALL),
    "mobilenetv3_large": lambda _: _mobilenet(MOBILENET_LARGE),
    "efficientnet_v2_s": lambda _: _efficientnet(EFFICIENTNET_S),
    "efficientnet_v2_m": lambda _: _efficientnet(EFFICIENTNET_M),
    "efficientnet_v2_l": lambda _: _efficientnet(EFFICIENTNET_L),
}
NAMES = (*RESNETS, *LAYERED)
# The name that stands for no backbone: X has feature vectors.
IDENTITY = "identity"


def has_width(name: str) -> bool:
    """Whether the channels of the first level can be chosen."""
    return name.startswith("resnet")


@cache
def named_layers(name: str, width: int) -> Layers:
    """The layers of one of `NAMES`, with all their options."""
    if name in RESNETS:
        _, blocks, is_bottleneck = RESNETS[name]
        return check_layers(name, _resnet(blocks, is_bottleneck, width))
    return check_layers(name, LAYERED[name](width))


def is_identity(backbone: Any) -> bool:
    """Whether the parameter ``backbone`` says that X has feature vectors."""
    return isinstance(backbone, str) and backbone == IDENTITY

"""Weights of torchvision's ResNets, as a beginning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .network import Architecture, Network, Normalization

# What the pixels of ImageNet are normalised with before such a network sees them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STEM = "conv1.weight"
LEFT_OUT = ("fc.", "num_batches_tracked")


def is_pretrained(arrays: Mapping[str, Any]) -> bool:
    """Whether these are the arrays of a ResNet of torchvision's, by their names."""
    return STEM in arrays and "layer1.0.conv1.weight" in arrays


def pretrained(arrays: Mapping[str, Any], architecture: Architecture) -> Network:
    """A network whose backbone has these weights; its head is none in particular.

    A ResNet for small images has a stem of 3×3 with stride 1: it gets that of 7×7 with its taps summed in
    nine areas, so that an even surface is answered as before. Images of other than three channels get the
    mean over the three, in proportion.

    Raises
    ------
    ValueError
        If the arrays are of another network.

    Warns
    -----
    RuntimeWarning
        If the stem is adapted.
    """
    backbone = architecture.backbone
    if not isinstance(backbone, str) or not backbone.startswith("resnet"):
        raise ValueError(f"backbone: got {backbone!r}, but init has the weights of a ResNet")
    adapts = not backbone.endswith("_imagenet")
    stem = np.asarray(arrays[STEM], np.float32)
    if stem.ndim != 4 or stem.shape[1:] != (3, 7, 7):
        raise ValueError(f"init: {STEM} has shape {stem.shape}, want (channels, 3, 7, 7)")
    if stem.shape[0] != architecture.width:
        raise ValueError(f"width: got {architecture.width}, but init has {stem.shape[0]}; want the same")
    if adapts:
        warnings.warn(
            f"init: its stem of 7×7 with stride 2 becomes one of 3×3 with stride 1, as {backbone!r} has it; "
            f"'{backbone}_imagenet' keeps it, for images of about 224 pixels",
            RuntimeWarning,
            stacklevel=6,
        )
    given: dict[str, Any] = {}
    for name, value in arrays.items():
        if name.startswith(LEFT_OUT[0]) or name.endswith(LEFT_OUT[1]):
            continue
        value = _in_channels(stem, architecture.channels) if name == STEM else value
        if adapts:
            value = _small_stem(value) if name == STEM else value
            name = name.replace(".downsample.", ".shortcut.")
        given[f"backbone.{name}"] = value
    network = Network(architecture, 1, _normalization(architecture.channels))
    head = {name: value for name, value in network.tensors().items() if name.startswith("projection_head.")}
    try:
        network.read(head | given)
    except ValueError as error:
        raise ValueError(f"init: it is no {backbone}: {error}") from error
    return network


def _small_stem(weight: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """7×7 taps as 3×3, each the sum over its third of the side."""
    # Taps are divided where the thirds' borders go through them.
    edges = np.arange(4) * 7 / 3
    taps = np.arange(7)
    shares = np.clip(np.minimum(edges[1:, None], taps + 1) - np.maximum(edges[:-1, None], taps), 0, 1)
    small: npt.NDArray[np.float32] = np.einsum("ya,xb,oiab->oiyx", shares, shares, weight).astype(np.float32)
    return small


def _in_channels(weight: npt.NDArray[np.float32], channels: int) -> npt.NDArray[np.float32]:
    if channels == 3:
        return weight
    return np.repeat(weight.mean(axis=1, keepdims=True) * (3 / channels), channels, axis=1)


def _normalization(channels: int) -> Normalization:
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    if channels == 3:
        return Normalization(mean, std)
    return Normalization(
        np.full(channels, mean.mean(), np.float32), np.full(channels, std.mean(), np.float32)
    )

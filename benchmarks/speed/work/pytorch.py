"""The network of the parity tests in PyTorch, float32, set up as fast as PyTorch itself offers it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch._inductor import config as inductor
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

sys.path += [str(Path(__file__).resolve().parents[3] / "Tests" / name) for name in ("parity", "Fixtures")]
import torchvision_models
from reference import Block, Network, ProjectionHead

HIDDEN_DIM, OUTPUT_DIM = 1024, 128


def prepare(threads: int) -> None:
    """All usable cores, no denormals; compiled code keeps to AVX2 where the rest of PyTorch does."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        inductor.cpp.simdlen = 256


def infonce(z: torch.Tensor) -> torch.Tensor:
    """InfoNCE with the Cauchy kernel; squared distances by one matrix product, nothing kept twice."""
    count = len(z)
    norms = z.square().sum(1)
    squares = torch.addmm(norms[:, None] + norms, z, z.T, alpha=-2).clamp_min(0)
    logits = -torch.log1p(squares)
    positive = torch.cat([logits.diagonal(count // 2), logits.diagonal(-count // 2)])
    others = logits.masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
    return (others.logsumexp(1) - positive).mean()


def infonce_cosine(z: torch.Tensor, views: int, temperature: float = 0.2) -> torch.Tensor:
    """InfoNCE with cosines and the mean over all other views of an image as its positive."""
    unit = functional.normalize(z)
    count = len(z)
    logits = unit @ unit.T / temperature
    # Of an image's views the squared sum has every pair twice, and each with itself, which is 1.
    pairs = unit.view(views, count // views, -1).sum(0).square().sum() - count
    positive = pairs / (count * (views - 1) * temperature)
    others = logits.masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
    return others.logsumexp(1).mean() - positive


def channels_last(count: int, size: int, channels: int) -> torch.Tensor:
    """Random images of shape (count, channels, size, size) that lie as (count, size, size, channels)."""
    return torch.rand(count, size, size, channels).permute(0, 3, 1, 2)


class Step:
    """A training step whose views are given: there is no augmentation to do.

    Forward, loss, backward and SGD; gradients are not clipped, which is one pass less than tsimcne has.
    """

    def __init__(
        self,
        network: nn.Module,
        views: int,
        size: int,
        threads: int,
        compiled: bool,
        autocast: bool = False,
        channels: int = 3,
        channels_first: bool = False,
        loss: Callable[[torch.Tensor], torch.Tensor] = infonce,
    ) -> None:
        prepare(threads)
        self.network = network.train()
        self.of_embeddings = loss
        self.optimizer = torch.optim.SGD(
            self.network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True
        )
        self.views = channels_last(views, size, channels)
        if channels_first:
            self.views = self.views.contiguous()
        else:
            self.network.to(memory_format=torch.channels_last)
        self.loss = torch.compile(self.loss_of_views) if compiled else self.loss_of_views
        self.autocast = autocast

    def loss_of_views(self, views: torch.Tensor) -> torch.Tensor:
        z = self.network.projection_head(self.network.backbone(views))
        return self.of_embeddings(z.float())

    def __call__(self) -> None:
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if self.autocast else nullcontext():
            loss = self.loss(self.views)
        loss.backward()
        self.optimizer.step()


def resnet(width: int) -> nn.Module:
    return Network(18, width, 3, [HIDDEN_DIM], OUTPUT_DIM).float()


def with_head(name: str, size: int) -> nn.Module:
    """A network of torchvision's as tsimcne 0.4 adapts it, and its head."""
    backbone = torchvision_models.make(name)
    features = backbone(torch.zeros(2, 3, size, size)).shape[1]
    head = ProjectionHead(features, [HIDDEN_DIM], OUTPUT_DIM)
    return nn.ModuleDict({"backbone": backbone, "projection_head": head})


def backbone(network: str, steps: int, size: int, **settings: Any) -> Callable[[], float]:
    """Views per second."""
    return _rate(Step(with_head(network, size), size=size, **settings), settings["views"], steps)


def training(width: int, steps: int, **settings: Any) -> Callable[[], float]:
    """Views per second."""
    return _rate(Step(resnet(width), **settings), settings["views"], steps)


def recipe(
    width: int, views: int, images: int, channels: int, steps: int, **settings: Any
) -> Callable[[], float]:
    """Views per second of a ResNet-10 with two hidden layers and cosines: what ``TSimCNE()`` begins with."""
    network = Network(10, width, channels, [512, 512], OUTPUT_DIM).float()
    loss = partial(infonce_cosine, views=views)
    step = Step(network, views * images, channels=channels, loss=loss, **settings)
    return _rate(step, views * images, steps)


def _rate(step: Step, views: int, steps: int) -> Callable[[], float]:
    step()
    step()

    def sample() -> float:
        started = time.perf_counter()
        for _ in range(steps):
            step()
        return steps * views / (time.perf_counter() - started)

    return sample


def fold_batch_norms(network: nn.Module) -> None:
    """Put every batch normalisation into the convolution before it, for inference."""
    for module in list(network.modules()):
        for i in (1, 2, 3):
            if hasattr(module, f"bn{i}"):
                pair = getattr(module, f"conv{i}"), getattr(module, f"bn{i}")
                setattr(module, f"conv{i}", fuse_conv_bn_eval(*pair))
                setattr(module, f"bn{i}", nn.Identity())
        if isinstance(module, Block) and len(module.shortcut):
            module.shortcut = nn.Sequential(fuse_conv_bn_eval(*module.shortcut))


def inference(
    width: int, batch: int, batches: int, size: int, threads: int, form: str
) -> Callable[[], float]:
    """Images per second; ``form`` is "eager", "folded" (batch normalisation) or "compiled" (folds too)."""
    prepare(threads)
    network = Network(18, width, 3, [HIDDEN_DIM], 2).float().eval().requires_grad_(False)
    if form == "folded":
        fold_batch_norms(network)
    network.to(memory_format=torch.channels_last)
    images = channels_last(batch, size, 3)

    def apply(x: torch.Tensor) -> torch.Tensor:
        return network.projection_head(network.backbone(x))

    if form == "compiled":
        apply = torch.compile(apply, options={"freezing": True})

    @torch.inference_mode()
    def sample() -> float:
        started = time.perf_counter()
        for _ in range(batches):
            apply(images)
        return batches * batch / (time.perf_counter() - started)

    sample()
    sample()
    return sample

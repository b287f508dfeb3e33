"""The tsimcne package: its own ``fit`` and its own loss."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import Dataset

from .timing import milliseconds
from .torchvision_views import declare_operators, pil_images

# tsimcne imports torchvision.
declare_operators()
from tsimcne.losses.infonce import InfoNCECauchy  # noqa: E402
from tsimcne.tsimcne import TSimCNE  # noqa: E402


class Labelled(Dataset[Any]):
    """PIL images with a label, which is what ``fit`` wants."""

    def __init__(self, images: list[Any]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return self.images[i], 0


class TimedLoss(torch.nn.Module):
    """tsimcne's default loss, which notes when it is asked: once a step."""

    def __init__(self) -> None:
        super().__init__()
        self.loss, self.times = InfoNCECauchy(), list[float]()

    def forward(self, *arguments: Any) -> torch.Tensor:
        self.times.append(time.perf_counter())
        return self.loss(*arguments)


def fit(batch: int, steps: int, size: int, threads: int) -> Callable[[], float]:
    """Image pairs per second of one epoch of ``fit``, from its third step on.

    From one call of the loss to the next one is one step: backward pass, SGD, the next batch's views,
    forward pass. The views are made in the training process: workers beside it would compete for the
    same cores, and would have made the views of a short epoch before it begins to count.
    """
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(threads)
    images = Labelled(pil_images((steps + 2) * batch, size))
    # Logs and checkpoints are written to the current folder.
    os.chdir(tempfile.mkdtemp())

    def sample() -> float:
        loss = TimedLoss()
        TSimCNE(loss=loss, total_epochs=1, warmup=[0], batch_size=batch, num_workers=0).fit(images)
        return steps * batch / (loss.times[-1] - loss.times[1])

    return sample


class LossAndGradient:
    """One evaluation of tsimcne's default loss and of its gradient."""

    def __init__(self, rows: int, dimension: int, threads: int) -> None:
        torch.set_num_threads(threads)
        self.z, self.loss = torch.randn(rows, dimension), InfoNCECauchy()

    def __call__(self) -> None:
        self.loss(self.z.detach().requires_grad_()).backward()


def loss(rows: int, dimension: int, threads: int) -> Callable[[], float]:
    """Milliseconds of loss and gradient."""
    work = LossAndGradient(rows, dimension, threads)
    work()
    return lambda: milliseconds(work)

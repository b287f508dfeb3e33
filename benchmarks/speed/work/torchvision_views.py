"""torchvision: its import beside a CPU build of PyTorch, and random views of PIL images."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from .ours import random_images

#: Declarations last as long as the object that made them.
DECLARED: list[torch.library.Library] = []


def declare_operators() -> None:
    """Make ``import torchvision`` work where its compiled operators cannot be loaded.

    Those of the wheel want the CUDA build of PyTorch. The import then fails, because it describes two
    operators that nobody declared. Transforms use none of them.
    """
    found = importlib.util.find_spec("torchvision")
    assert found and found.submodule_search_locations
    try:
        for library in Path(found.submodule_search_locations[0]).glob("_C*"):
            torch.ops.load_library(library)
    except OSError:
        operators = torch.library.Library("torchvision", "FRAGMENT")
        operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        operators.define("qnms(Tensor dets, Tensor scores, Tensor? scales, float iou_threshold) -> Tensor")
        DECLARED.append(operators)


def pil_images(count: int, size: int) -> list[Image.Image]:
    """The images that tsimcne-swift is measured with."""
    return [Image.fromarray(image) for image in random_images(count, size)]


def augmentation(images: int, size: int) -> Callable[[], float]:
    """Views per second on one core: PIL image to tensor, with the method's transforms."""
    declare_operators()
    from torchvision import transforms

    torch.set_num_threads(1)
    transform: Any = transforms.Compose(
        [
            transforms.RandomResizedCrop(size, scale=(0.2, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            transforms.RandomGrayscale(p=0.2),
            transforms.ToTensor(),
        ]
    )
    pictures = pil_images(images, size)

    def sample() -> float:
        started = time.perf_counter()
        for picture in pictures:
            transform(picture)
        return images / (time.perf_counter() - started)

    return sample

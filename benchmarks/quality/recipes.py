"""Named recipes: what is tried, beside what the package does. Epochs are shares: a budget scales them."""

from __future__ import annotations

from typing import Any

from tsimcne_swift import Augmentation, Stage, recipes

FULL = 32
"""Pixels of CIFAR's images, for the shares."""


def share(part: float, components: int, *, size: int | None = None, **options: Any) -> Stage:
    """A stage that takes so large a part of the time: epochs of small views are cheaper."""
    cost = (size / FULL) ** 2 if size else 1.0
    if options.get("trains", "all") != "all":
        cost /= 3
    return Stage(100 * part / cost, components, image_size=size, **options)


COSINE: dict[str, Any] = {"metric": "cosine"}
LOW_COSINE = [
    share(0.5, 128, size=16, **COSINE),
    share(0.2, 128, **COSINE),
    share(0.04, 2, trains="output"),
    share(0.26, 2),
]


def low(
    pretrain: float = 0.6,
    output: float = 0.04,
    plane: float = 0.24,
    full: float = 0.1,
    adapt: float = 0.02,
    metric: str = "cosine",
    rate: float | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Small views first: cosine in many dimensions, the plane, and the plane with views of full size.

    At the end BatchNorm's running statistics are brought to the images themselves.
    """
    stages = [
        share(pretrain, 128, size=16, metric=metric),
        share(output, 2, trains="output", size=16),
        share(plane, 2, size=16, lr=rate),
        share(full, 2, lr=rate),
        share(adapt, 2, trains="output", lr=0.0, augmentation="none"),
    ]
    return {"backbone": "resnet10", "total_epochs": [s for s in stages if s.epochs > 0]} | options


RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "paper-short": recipes.PAPER | {"width": 16, "batch_size": 512, "lr_step": "batch", "warmup": 0.1},
    "today": {"total_epochs": [80, 4, 16]},
    "cosine": {"total_epochs": [80, 4, 16], "metric": ["cosine", "euclidean", "euclidean"]},
    "low": {
        "total_epochs": [
            share(0.5, 128, size=16),
            share(0.2, 128),
            share(0.04, 2, trains="output"),
            share(0.26, 2),
        ]
    },
    "low-cosine": {"total_epochs": LOW_COSINE},
    "lower-cosine": {
        "total_epochs": [
            share(0.6, 128, size=16, **COSINE),
            share(0.04, 2, trains="output", size=16),
            share(0.26, 2, size=16),
            share(0.1, 2),
        ]
    },
    "features": {
        "total_epochs": [share(0.8, 128, size=16, **COSINE), share(0.2, 128, **COSINE)],
        "n_components": 128,
    },
    "low-cosine-10": {"backbone": "resnet10", "total_epochs": LOW_COSINE},
    "low10": low(adapt=0),
    "low10-adapt": low(),
    "low10-256": low(batch_size=256),
    "low10-views4": low(n_views=4, batch_size=64),
    "low10-adamw": low(optimizer="adamw"),
    "low10-crop": low(augmentation=Augmentation(crop_area_min=0.4)),
    "low10-plane": low(pretrain=0.4, plane=0.44),
    "low10-rate": low(rate=0.1),
    "low10-cauchy": low(metric="euclidean"),
    "low10-64": low(batch_size=64),
    "low10-head": {
        "backbone": "resnet10",
        "total_epochs": [
            share(0.6, 128, size=16, **COSINE),
            share(0.12, 2, trains="head", size=16, output_init="principal", lr=0.1),
            share(0.16, 2, size=16),
            share(0.1, 2),
            share(0.02, 2, trains="output", lr=0.0, augmentation="none"),
        ],
    },
    "low10-light": low(augmentation=Augmentation(crop_area_min=0.3, grayscale=0.1)),
}

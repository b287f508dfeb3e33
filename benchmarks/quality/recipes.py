"""Named recipes: what is tried, beside what the package does. Epochs are shares: a budget scales them."""

from __future__ import annotations

from typing import Any

from tsimcne_swift import Stage, recipes

FULL = 32
"""Pixels of CIFAR's images, for the shares."""


def share(part: float, components: int, *, size: int | None = None, **options: Any) -> Stage:
    """A stage that takes so large a part of the time: epochs of small views are cheaper."""
    cost = (size / FULL) ** 2 if size else 1.0
    if options.get("trains", "all") != "all":
        cost /= 3
    return Stage(100 * part / cost, components, image_size=size, **options)


COSINE: dict[str, Any] = {"metric": "cosine"}

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
    "low-cosine": {
        "total_epochs": [
            share(0.5, 128, size=16, **COSINE),
            share(0.2, 128, **COSINE),
            share(0.04, 2, trains="output"),
            share(0.26, 2),
        ]
    },
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
}

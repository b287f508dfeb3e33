"""Named recipes: those of the package, and what was tried. Epochs are shares: a budget scales them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tsimcne_swift import Augmentation, Stage, recipes
from tsimcne_swift._stages.cost import cost

FULL = 32
"""Pixels a side of CIFAR's images, by which the shares are reckoned."""


def share(part: float, components: int, *, size: int | None = None, **options: Any) -> Stage:
    """A stage that takes so large a part of the time: epochs of small views are cheaper."""
    stage = Stage(1, components, image_size=(size, size) if size else None, **options)
    return replace(stage, epochs=100 * part / cost(stage, (FULL, FULL)))


def recipe(stages: list[Stage], **options: Any) -> dict[str, Any]:
    """A recipe of the stages; those that have no part are left out."""
    return {"width": 16, "total_epochs": [stage for stage in stages if stage.epochs > 0]} | options


ADAPT: dict[str, Any] = {"trains": "output", "lr": 0.0, "augmentation": "none"}
COSINE: dict[str, Any] = {"metric": "cosine"}
TWO_VIEWS: dict[str, Any] = {"n_views": 2, "batch_size": 128}


def whole(
    pretrain: float = 0.6,
    output: float = 0.04,
    plane: float = 0.24,
    full: float = 0.1,
    adapt: float = 0.02,
    metric: str = "cosine",
    temperature: float | None = None,
    rate: float | None = None,
    neighbors: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """The whole network is trained in the plane: cosine in many dimensions, the plane, both with small
    views; the plane with views of full size. At the end BatchNorm's running statistics are brought to
    the images.
    """
    stages = [
        share(pretrain, 128, size=16, metric=metric, temperature=temperature),
        share(output, 2, trains="output", size=16),
        share(plane, 2, size=16, lr=rate, neighbors=neighbors),
        share(full, 2, lr=rate, neighbors=neighbors),
        share(adapt, 2, **ADAPT),
    ]
    return recipe(stages, **TWO_VIEWS | options)


def head(
    pretrain: float = 0.78,
    full: float = 0.0,
    plane: float = 0.2,
    size: int = 16,
    temperature: float = 0.2,
    neighbors: int = 15,
    optimizer: str = "adamw",
    **options: Any,
) -> dict[str, Any]:
    """Only the head learns the plane, from features that are computed once: the package's own way."""
    stages = [
        share(pretrain, 128, size=size, temperature=temperature, **COSINE),
        share(full, 128, temperature=temperature, **COSINE),
        share(0.02, 128, **ADAPT),
        share(plane, 2, trains="head", inputs="features", neighbors=neighbors, optimizer=optimizer),
    ]
    return recipe(stages, **options)


LOW_COSINE = [
    share(0.5, 128, size=16, **COSINE),
    share(0.2, 128, **COSINE),
    share(0.04, 2, trains="output"),
    share(0.26, 2),
]
RECIPES: dict[str, dict[str, Any]] = {
    "fast": recipes.FAST,
    "network": recipes.FAST | {"patch_words": 0},
    "fast-sgd": recipes.FAST | {"optimizer": "sgd"},
    "default": recipes.DEFAULT,
    "default-sgd": recipes.DEFAULT | {"optimizer": "sgd"},
    "default-narrow": recipes.DEFAULT | {"width": 16},
    "best": recipes.BEST,
    "paper-short": recipes.PAPER | {"width": 16, "batch_size": 512, "lr_step": "batch", "warmup": 0.1},
    # These go the same way into the plane, with another network or other views.
    "head": head(),
    "head-two-views": head(**TWO_VIEWS),
    "head-warm": head(temperature=0.5),
    "head-cold": head(temperature=0.1),
    "head-eight-views": head(n_views=8, batch_size=32),
    "head-32": head(width=32),
    "head-18": head(backbone="resnet18"),
    "head-full": head(pretrain=0.64, full=0.2),
    "head-24": head(size=24),
    "head-24-wide": head(size=24, width=32),
    "head-crop": head(augmentation=Augmentation(crop_area_min=0.08)),
    "head-sgd": head(optimizer="sgd"),
    "head-5": head(neighbors=5),
    "simclr": recipe([share(0.98, 128, size=16, temperature=0.2, **COSINE), share(0.02, 128, **ADAPT)]),
    # These train the whole network in the plane.
    "low-cosine": recipe(LOW_COSINE, backbone="resnet18", **TWO_VIEWS),
    "low-cosine-10": recipe(LOW_COSINE, **TWO_VIEWS),
    "low10": whole(adapt=0),
    "low10-adapt": whole(),
    "low10-256": whole(batch_size=256),
    "low10-64": whole(batch_size=64),
    "low10-views4": whole(n_views=4, batch_size=64),
    "low10-cold": whole(temperature=0.2),
    "low10-plane": whole(pretrain=0.4, plane=0.44),
    "low10-rate": whole(rate=0.1),
    "low10-neighbors": whole(neighbors=15),
}

"""The stages that a named length stands for, from the number and size of the images alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .. import recipes
from .cost import cost
from .stage import SMALLEST_VIEW, Stage

Size = tuple[int, int]

# Epochs of a run, at least and at most, if all of it had full size: more teach a tiny set nothing new.
FEWEST, MOST = 1.0, 1000.0
# Part of the time in which BatchNorm is brought to the images' size.
ADAPT = 0.02
# Epochs of a stage of one step.
ONE_STEP = 1e-9


def automatic_stages(
    length: str,
    n: int,
    image: Size | None,
    views: int,
    pretrain_dim: int,
    grows: bool = True,
    frees_points: bool = False,
    optimizer: str | None = None,
) -> list[Stage]:
    """Many dimensions from growing views; BatchNorm brought to full size; then the plane, from features.

    Where points move by themselves afterwards, the head learns no plane: it only gets two outputs, and points
    begin from principal components of the features.

    Parameters
    ----------
    length : str
        A key of ``recipes.PAIRS``.
    n : int
        Number of images.
    image : (height, width) or None
        Size of the images in pixels; None for feature vectors.
    views : int
        Random views of an image in a batch.
    pretrain_dim : int
    grows : bool
        Whether views may be smaller than the images.
    frees_points : bool
        Whether points move by themselves afterwards.
    optimizer : str or None
        Of the stages in many dimensions; None for the estimator's.
    """
    cosine = Stage(1, pretrain_dim, metric="cosine", temperature=recipes.TEMPERATURE, optimizer=optimizer)
    if image is None:
        shares = [] if frees_points else [(0.6, cosine), (0.4, _plane(n))]
    else:
        adapt = Stage(1, pretrain_dim, "output", lr=0.0)
        plane = 0.0 if frees_points else recipes.PLANE[length]
        growing = _growing(cosine, recipes.VIEWS[length] if grows else {1.0: 1.0}, image)
        shares = [((1 - plane - ADAPT) * part, stage) for part, stage in growing]
        shares += [(ADAPT, adapt)] + ([] if frees_points else [(plane, _plane(n))])
    stages = _of_length(shares, length, n, image, views)
    return [*stages, Stage(ONE_STEP, None, "output", lr=0.0)] if frees_points else stages


def continued_stages(
    length: str, n: int, image: Size | None, views: int, components: int, frees_points: bool = False
) -> list[Stage]:
    """Stages for weights that have a map already: the plane again, from the images, in the same layout."""
    if frees_points:
        return [Stage(ONE_STEP, components, "output", lr=0.0)]
    return _of_length([(0.1, replace(_plane(n), n_components=components))], length, n, image, views)


def _plane(n: int) -> Stage:
    neighbors = min(recipes.NEIGHBORS, max(1, n // 20))
    return Stage(1, None, "head", inputs="features", neighbors=neighbors, optimizer="adamw")


def _of_length(
    shares: Sequence[tuple[float, Stage]], length: str, n: int, image: Size | None, views: int
) -> list[Stage]:
    """Each stage with the epochs that take its share of the time."""
    height, width = image or recipes.VECTORS_LIKE
    size = image or (1, 1)
    # Time grows more slowly than the number of images, and than their area: small sets see more epochs,
    # large images fewer. An epoch costs as much as there are views.
    pairs = recipes.PAIRS[length] * (n / 60_000) ** recipes.GROWTH / (height * width / 1024) ** 0.5
    epochs = min(MOST, max(FEWEST, pairs * 2 / views / n))
    return [replace(stage, epochs=share * epochs / cost(stage, size)) for share, stage in shares]


def _growing(stage: Stage, views: dict[float, float], image: Size) -> list[tuple[float, Stage]]:
    """The stage once for each size of its views, with its part: all under one course of the learning rate."""
    parts: dict[Size | None, float] = {}
    for scale, part in views.items():
        size = _scaled(image, scale)
        parts[size] = parts.get(size, 0.0) + part
    stages = [replace(stage, image_size=size) for size in parts]
    if len(stages) > 1:
        stages = [replace(stage, lr_scheduler="constant") for stage in stages]
        stages[1:] = [replace(stage, warmup=0.0) for stage in stages[1:]]
        stages[-1] = replace(stages[-1], lr_scheduler="linear")
    return list(zip(parts.values(), stages, strict=True))


def _scaled(image: Size, scale: float) -> Size | None:
    """Size of views of this share of the height and width, 8 pixels at least; None: that of the images."""
    height, width = (max(SMALLEST_VIEW, math.ceil(scale * side)) for side in image)
    return (height, width) if (height, width) != image else None

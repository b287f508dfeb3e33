"""The stages that a named length stands for, from the number and size of the images alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import recipes
from ._deadline import cost
from ._stages import SMALLEST_VIEW, Stage

Size = tuple[int, int]

# Epochs of a run, at least and at most, if all of it had full size: more teach a tiny set nothing new.
FEWEST, MOST = 1.0, 1000.0


def automatic_stages(length: str, n: int, image: Size | None, views: int, pretrain_dim: int) -> list[Stage]:
    """Many dimensions from small views; BatchNorm brought to the images; then the plane, from the features.

    Parameters
    ----------
    length : str
        A key of ``recipes.PAIRS``.
    n : int
        Images.
    image : (height, width) or None
        None: feature vectors.
    views : int
        Of an image in a batch.
    pretrain_dim : int
    """
    cosine = Stage(1, pretrain_dim, metric="cosine", temperature=recipes.TEMPERATURE)
    if image is None:
        shares = [(0.6, cosine), (0.4, _plane(n))]
    else:
        adapt = Stage(1, pretrain_dim, "output", lr=0.0, augmentation="none")
        shares = [(0.78, replace(cosine, image_size=_small_views(image))), (0.02, adapt), (0.2, _plane(n))]
    return _of_length(shares, length, n, image, views)


def continued_stages(length: str, n: int, image: Size | None, views: int, components: int) -> list[Stage]:
    """For weights that have a map already, whose layout is kept: the plane again, from the images given."""
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


def _small_views(image: Size) -> Size | None:
    """Half as large, where that leaves enough to see."""
    small = (max(SMALLEST_VIEW, -(-image[0] // 2)), max(SMALLEST_VIEW, -(-image[1] // 2)))
    return small if small != image else None

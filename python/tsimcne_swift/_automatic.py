"""The stages that a named length stands for, from the number and size of the images alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import recipes
from ._deadline import cost
from ._stages import Stage

Size = tuple[int, int]

# Pixels a side that views have at least.
SMALLEST_VIEW = 8
# Epochs of a run, at least and at most, if all of it had full size: more teach a tiny set nothing new.
FEWEST, MOST = 1.0, 1000.0


def automatic_stages(length: str, n: int, image: Size | None, views: int, pretrain_dim: int) -> list[Stage]:
    """Many dimensions first, then the plane; small views first; at the end BatchNorm.

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
    small = None if image is None else _small_views(image)
    shares = [
        (0.60, Stage(1, pretrain_dim, image_size=small, metric="cosine", temperature=recipes.TEMPERATURE)),
        (0.04, Stage(1, trains="output", image_size=small)),
        (0.24, Stage(1, image_size=small, neighbors=_neighbors(n))),
        *_ending(0.10, n, image),
    ]
    return _of_length(shares, length, n, image, views)


def continued_stages(length: str, n: int, image: Size | None, views: int, components: int) -> list[Stage]:
    """For weights that have a map already: the plane, which keeps its layout."""
    shares = [(share, replace(stage, n_components=components)) for share, stage in _ending(0.34, n, image)]
    return _of_length(shares, length, n, image, views)


def _ending(share: float, n: int, image: Size | None) -> list[tuple[float, Stage]]:
    """The plane with views of full size, and BatchNorm brought to the images themselves."""
    plane = (share, Stage(1, neighbors=_neighbors(n)))
    if image is None:
        return [plane]
    return [plane, (0.02, Stage(1, trains="output", lr=0.0, augmentation="none"))]


def _of_length(
    shares: Sequence[tuple[float, Stage]], length: str, n: int, image: Size | None, views: int
) -> list[Stage]:
    """Each stage with the epochs that take its share of the time."""
    height, width = image or recipes.VECTORS_LIKE
    # Time grows more slowly than the number of images, and than their area: small sets see more epochs,
    # large images fewer.
    pairs = recipes.PAIRS[length] * (n / 60_000) ** recipes.GROWTH / (height * width / 1024) ** 0.5
    epochs = min(MOST, max(FEWEST, pairs * 2 / views / n))
    return [replace(stage, epochs=share * epochs / cost(stage, (height, width))) for share, stage in shares]


def _small_views(image: Size) -> Size | None:
    """Half as large, where that leaves enough to see."""
    small = (max(SMALLEST_VIEW, -(-image[0] // 2)), max(SMALLEST_VIEW, -(-image[1] // 2)))
    return small if small != image else None


def _neighbors(n: int) -> int:
    return min(recipes.NEIGHBORS, max(1, n // 20))

"""What training sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks.maps import as_shown
from .._checks.values import check_integer
from .._inputs.images import Images
from .._stages.augmentation import Augmentation, check_augmentation, random_views
from ._frame import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def views(
    X: Any,
    augmentation: str | Augmentation = "natural",
    *,
    n_views: int = 8,
    random_state: int = 0,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw images, and random views of each beside it: what the map will not tell apart.

    Parameters
    ----------
    X : array-like of shape (n, height, width[, channels])
        Some images, a row each, as for `TSimCNE.fit`.
    augmentation : {"natural", "text", "microscopy", "none"} or Augmentation
    n_views : int, default=8
        Number of random views of each image.
    random_state : int, default=0
        Seed of the views.
    ax : matplotlib Axes or None
    title : str or None

    Returns
    -------
    matplotlib.axes.Axes
    """
    images = Images(X)
    chosen = check_augmentation("augmentation", augmentation)
    check_integer("n_views", n_views, 1, 255)
    seed = check_integer("random_state", random_state, 0, (1 << 63) - 1)
    originals = images.batch(slice(None))
    columns = [originals if originals.dtype == np.float32 else originals / np.float32(255)]
    for view in range(n_views):
        columns.append(random_views(originals, chosen, seed, view))
    images.check()
    # A white pixel between the images, three between the originals and their views.
    framed = [np.pad(c, ((0, 0), (1, 0), (1, 0), (0, 0)), constant_values=1) for c in columns]
    framed[1] = np.pad(framed[1], ((0, 0), (0, 0), (2, 0), (0, 0)), constant_values=1)
    mosaic = np.concatenate([np.concatenate(column, axis=0) for column in framed], axis=1)
    ax = new_axes(ax, (1 + n_views, 0.3 + len(originals)))
    ax.imshow(as_shown(mosaic), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title)
    return ax

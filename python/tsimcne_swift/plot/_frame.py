"""What all drawings of maps share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points beyond these percentiles do not decide what is shown.
SHOWN = (0.2, 99.8)
MARGIN = 0.04


def new_axes(ax: Axes | None, figsize: tuple[float, float] = (8, 8)) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def frame(ax: Axes, Y: npt.NDArray[np.float64]) -> None:
    """Equal scales, no ticks (the axes of a map mean nothing), and nearly all points."""
    low, high = np.percentile(Y, SHOWN[0], axis=0), np.percentile(Y, SHOWN[1], axis=0)
    gap = MARGIN * max((high - low).max(), 1e-12)
    ax.set(xlim=(low[0] - gap, high[0] + gap), ylim=(low[1] - gap, high[1] + gap), xticks=[], yticks=[])
    ax.set_aspect("equal")
    for side in ax.spines.values():
        side.set_visible(False)

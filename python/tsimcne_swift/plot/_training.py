"""How training went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._colors import colors_of
from ._frame import new_axes
from ._scatter import scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training_curve(history: Sequence[dict[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Loss by epoch; losses of different stages are different functions, and drawn apart.

    Parameters
    ----------
    history : list of dict
        ``history_`` of a fitted `TSimCNE`.
    ax : matplotlib Axes or None

    Returns
    -------
    matplotlib.axes.Axes
    """
    if not history:
        raise ValueError("history: got an empty list, want history_ of a fitted TSimCNE")
    ax = new_axes(ax, (8, 4))
    numbers = sorted({row["stage"] for row in history})
    colors = colors_of(len(numbers))
    for color, number in zip(colors, numbers, strict=True):
        places = [place for place, row in enumerate(history, 1) if row["stage"] == number]
        losses = [history[place - 1]["loss"] for place in places]
        ax.plot(places, losses, "o-", ms=3, color=color, label=f"stage {number}")
    ax.set(xlabel="epoch", ylabel="loss")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def stages(
    maps: Sequence[Any], labels: Any = None, *, titles: Sequence[str] | None = None, **options: Any
) -> Any:
    """Maps side by side, as of the ends of stages.

    Parameters
    ----------
    maps : sequence of array-like of shape (n, 2)
    labels : array-like of shape (n,), or None
    titles : sequence of str or None
        Titles of the maps; None: "stage 1", "stage 2", …
    **options
        Options of `scatter`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    if len(maps) == 0:
        raise ValueError("maps: got none, want at least one")
    if titles is None:
        titles = [f"stage {number}" for number in range(1, len(maps) + 1)]
    if len(titles) != len(maps):
        raise ValueError(f"titles: got {len(titles)}, want one for each of {len(maps)} maps")
    _, axes = plt.subplots(1, len(maps), figsize=(5 * len(maps), 5), squeeze=False, layout="constrained")
    last = len(maps) - 1
    for place, (Y, title, ax) in enumerate(zip(maps, titles, axes[0], strict=True)):
        options_here = options if place == last else options | {"names": "none"}
        scatter(np.asarray(Y), labels, ax=ax, title=title, **options_here)
    return axes[0]

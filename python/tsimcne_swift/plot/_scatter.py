"""A map as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks.labels import Labels, read_labels
from .._checks.maps import check_plane
from .._checks.values import check_choice
from .._system.text import legible
from ._colors import NONE, SCALE, colors_for, colors_of
from ._frame import frame, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELLING = ("auto", "legend", "map", "none")
# More names than this do not fit a legend.
LONGEST_LEGEND = 20
# Nor can more be read on a map; who asks for them has them.
MOST_WRITTEN = 200
# Share of the drawing that all points together cover, about.
COVERED = 0.35


def scatter(
    Y: Any,
    labels: Any = None,
    *,
    label_names: Sequence[str] | None = None,
    names: str = "auto",
    ax: Axes | None = None,
    size: float | None = None,
    alpha: float | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a map, from ten points to a million.

    Parameters
    ----------
    Y : array-like of shape (n, 2)
    labels : array-like of shape (n,), or None
        Classes, each with a colour: whole numbers, truth values, names or days, of any library. None, NaN,
        NA, blank text and negative whole numbers stand for no label, and are grey. Fractions are drawn as a
        continuous scale.
    label_names : sequence of str or None
        Names of the labels 0, 1, …; None: the labels themselves.
    names : {"auto", "legend", "map", "none"}
        Where the names stand: beside the map, or at the middle of their class. ``"auto"``: beside it, up to
        20 of them; on it, up to 200.
    ax : matplotlib Axes or None
    size : float or None
        Area of a point in square points. None: smaller the more there are.
    alpha : float or None
        Opacity. None: lower where the map is dense.
    title : str or None

    Returns
    -------
    matplotlib.axes.Axes
    """
    Y = check_plane(Y)
    check_choice("names", names, LABELLING)
    ax = new_axes(ax)
    frame(ax, Y)
    size = _size(ax, len(Y)) if size is None else size
    alpha = _alpha(Y) if alpha is None else alpha
    style: dict[str, Any] = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": len(Y) > 5000}
    if labels is None:
        ax.scatter(Y[:, 0], Y[:, 1], color=colors_of(1)[0], **style)
    else:
        known = read_labels(labels, len(Y), label_names)
        if known.scale is None:
            _classes(ax, Y, known, names, style)
        else:
            _measure(ax, Y, known, style)
    if title is not None:
        ax.set_title(legible(title))
    return ax


def _measure(ax: Axes, Y: npt.NDArray[Any], labels: Labels, style: Any) -> None:
    known = labels.known
    ax.scatter(Y[~known, 0], Y[~known, 1], color=NONE, **style)
    assert labels.scale is not None
    drawn = ax.scatter(Y[known, 0], Y[known, 1], c=labels.scale[known], cmap=SCALE, **style)
    ax.figure.colorbar(drawn, ax=ax, shrink=0.5)


def _classes(ax: Axes, Y: npt.NDArray[Any], labels: Labels, names: str, style: Any) -> None:
    # Points are drawn in a random order: else the last class would hide the others.
    order = np.random.default_rng(0).permutation(len(Y))
    ax.scatter(Y[order, 0], Y[order, 1], c=colors_for(labels)[order], **style)
    colors, shown = colors_of(len(labels.names)), labels.present
    if names == "legend" or (names == "auto" and len(shown) <= LONGEST_LEGEND):
        for code in shown:
            ax.scatter([], [], s=30, color=colors[code], label=legible(labels.names[code]))
        if shown:
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    elif names == "map" or (names == "auto" and len(shown) <= MOST_WRITTEN):
        for code in shown:
            _write_on_map(ax, Y[labels.codes == code], legible(labels.names[code]), colors[code])


def _write_on_map(ax: Axes, points: npt.NDArray[Any], text: str, color: Any) -> None:
    """Write a name where most of its class is nearby: the mean may lie in another class's land."""
    from matplotlib.patheffects import withStroke

    sample = points[:: max(1, len(points) // 300)]
    distances = np.sort(np.linalg.norm(sample[:, None] - sample[None], axis=2), axis=1)
    x, y = sample[distances[:, len(sample) // 4].argmin()]
    ax.text(
        x, y, text, color=color, ha="center", va="center", fontsize=9, weight="bold",
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )  # fmt: skip


def _size(ax: Axes, n: int) -> float:
    """Area of a point: all cover a set share of the drawing, and each can be seen and is no balloon."""
    box = ax.get_window_extent()
    area = box.width * box.height * (72 / ax.figure.dpi) ** 2
    return float(np.clip(COVERED * area / max(1, n), 0.3, 60))


def _alpha(Y: npt.NDArray[np.float64]) -> float:
    """Opacity, lower where points lie on one another: the usual place is denser than an even spread."""
    counts, _, _ = np.histogram2d(Y[:, 0], Y[:, 1], bins=64)
    filled = counts[counts > 0]
    return float(np.clip(1.2 * (filled.mean() / np.average(filled, weights=filled)) ** 0.5, 0.25, 0.9))

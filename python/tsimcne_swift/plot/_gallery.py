"""A map as the images themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks.labels import read_labels
from .._checks.maps import as_shown, check_plane
from .._checks.values import check_integer, check_number
from .._inputs.images import as_pictures
from .._system.text import legible
from ._colors import NONE, colors_for
from ._frame import frame, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gallery(
    Y: Any,
    X: Any,
    labels: Any = None,
    *,
    indices: Any = None,
    columns: int = 32,
    zoom: float = 0.95,
    background: bool = True,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw images where they lie on the map, none over another.

    Parameters
    ----------
    Y : array-like of shape (n, 2)
    X : ndarray of shape (n, height, width[, channels])
        Images of uint8, or floats in [0, 1]. The first three channels are shown of other than one or three.
    labels : array-like of shape (n,), or None
        Colours of the frames, as in `scatter`; images without a label have none.
    indices : array-like or None
        Images to show, in this order of precedence, as `tsimcne_swift.inspect` gives them. None: those
        nearest to the middles of a grid's cells.
    columns : int, default=32
        Images that fit beside one another across the map.
    zoom : float, default=0.95
        Part of the room for an image that it fills.
    background : bool, default=True
        Whether all points are drawn behind, in grey.
    ax : matplotlib Axes or None
    title : str or None

    Returns
    -------
    matplotlib.axes.Axes
    """
    Y = check_plane(Y)
    images = as_pictures(X, len(Y))
    check_number("zoom", zoom, 0.05, 1)
    ax = new_axes(ax, (12, 12))
    frame(ax, Y)
    if background:
        ax.scatter(Y[:, 0], Y[:, 1], s=2, color=NONE, linewidths=0, rasterized=True, zorder=0)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    cell = (right - left) / check_integer("columns", columns, 1, 1000)
    shown = _without_overlap(Y, (left, bottom), cell, _order(Y, (left, bottom), cell, indices))
    inside = [i for i in shown if left <= Y[i, 0] <= right and bottom <= Y[i, 1] <= top]
    known = None if labels is None else read_labels(labels, len(Y))
    colors = None if known is None else colors_for(known)
    half = cell * zoom / 2
    for i in inside:
        x, y = Y[i]
        box = (x - half, x + half, y - half, y + half)
        picture = as_shown(images[i])
        ax.imshow(picture, extent=box, cmap="gray", vmin=0, vmax=255, interpolation="nearest", zorder=1)
        if known is not None and colors is not None and known.codes[i] >= 0:
            edge = {"fill": False, "edgecolor": colors[i], "linewidth": 1.2, "zorder": 2}
            ax.add_patch(_rectangle((box[0], box[2]), 2 * half, edge))
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_aspect("equal")
    if title is not None:
        ax.set_title(legible(title))
    return ax


def _rectangle(corner: tuple[float, float], side: float, style: dict[str, Any]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side, **style)


def _order(Y: npt.NDArray[Any], origin: Any, cell: float, indices: Any) -> npt.NDArray[np.int64]:
    if indices is not None:
        return np.asarray(indices, np.int64)
    place = (Y - origin) / cell
    off = np.linalg.norm(place - np.floor(place) - 0.5, axis=1)
    return np.argsort(off, kind="stable")


def _without_overlap(
    Y: npt.NDArray[Any], origin: Any, cell: float, order: npt.NDArray[np.int64]
) -> list[int]:
    """Images in the order, each at least a cell from the others in x or y."""
    taken: dict[tuple[int, int], Any] = {}
    shown = []
    for i in order:
        column, row = (int(v) for v in np.floor((Y[i] - origin) / cell))
        near = (taken.get((column + dx, row + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        if all(other is None or np.abs(other - Y[i]).max() >= cell for other in near):
            taken[column, row] = Y[i]
            shown.append(int(i))
    return shown

"""`explore`, and what it returns."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from .._storage.safetensors import check_path
from .._system.text import legible
from .._system.writing import write
from ._data import make_data

FILES = resources.files(__package__)


def explore(
    Y: Any,
    X: Any = None,
    labels: Any = None,
    *,
    path: str | os.PathLike[str] | None = None,
    label_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    metadata: Any = None,
    title: str = "Map",
    thumbnail: int = 32,
    quality: int = 60,
) -> Explorer:
    """A map to pan, zoom, search and select in, with the image under the pointer.

    Wants the extra ``tsimcne-swift[explore]``.

    Parameters
    ----------
    Y : array-like of shape (n, 2)
    X : ndarray of shape (n, height, width[, channels]), or None
        Images of uint8, or floats in [0, 1].
    labels : array-like of shape (n,), or None
        Classes, each with a colour: whole numbers, truth values, names or days, of any library. None, NaN,
        NA, blank text and negative whole numbers stand for no label. Fractions are a continuous scale.
    path : path or None
        An HTML file to write, which replaces an older one: one file that works offline, in any browser.
    label_names : sequence of str or None
        Names of the labels 0, 1, ….
    names : sequence of str or None
        Names of the images, such as their file names, which are shown, searched and downloaded.
    metadata : DataFrame, dict of columns, or None
        Further columns of n values each, to colour by and to search: numbers, truth values, times or text.
    title : str, default="Map"
    thumbnail : int, default=32
        Longest side of the images in the page, in pixels.
    quality : int, default=60
        Quality of the images' compression (WebP), 1 to 100.

    Returns
    -------
    Explorer
        The map, which a notebook shows inline as its last value.
    """
    if path is not None:
        check_path("path", path)
    data = make_data(
        Y, X, labels, label_names=label_names, names=names, metadata=metadata, title=title,
        thumbnail=thumbnail, quality=quality,
    )  # fmt: skip
    explorer = Explorer(data, title)
    if path is not None:
        explorer.save(path)
    return explorer


class Explorer:
    """A map that is explored; made by `explore`.

    Parameters
    ----------
    data : str
        All that the page shows, as JSON.
    title : str
    """

    def __init__(self, data: str, title: str) -> None:
        self._data = data
        self._title = title

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one HTML file that asks for nothing else.

        Parameters
        ----------
        path : path
            File to write; an older one is replaced in one step.
        """
        write(check_path("path", path), self.page().encode())

    def page(self) -> str:
        """The page.

        Returns
        -------
        str
            HTML.
        """
        from plotly.offline import get_plotlyjs

        parts = {
            "title": html.escape(legible(self._title)),
            "style": (FILES / "app.css").read_text(encoding="utf-8"),
            "plotly": get_plotlyjs(),
            "app": (FILES / "app.js").read_text(encoding="utf-8"),
            # The data alone are not the page's own text: no tag in them may end the script.
            "data": self._data.replace("<", "\\u003c"),
        }
        page = (FILES / "page.html").read_text(encoding="utf-8")
        # Marks are filled in one pass, so that what fills one is not looked at.
        return re.sub("{(" + "|".join(parts) + ")}", lambda mark: parts[mark[1]], page)

    @cached_property
    def widget(self) -> Any:
        """The map as a notebook's widget, an anywidget."""
        from ._widget import make_widget

        return make_widget(self._data)

    @property
    def selection(self) -> npt.NDArray[np.int64]:
        """Indices of the images that are selected in the notebook now."""
        return np.array(self.widget.selection, dtype=np.int64)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)

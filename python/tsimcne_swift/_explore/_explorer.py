"""`explore`, and what it returns."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.maps import check_plane
from .._storage.safetensors import check_path
from .._system.writing import write
from ._atlas import Pictures
from ._data import make_data
from ._document import as_document
from ._folder import check_folder, is_folder, write_folder
from ._page import make_page
from ._still import make_still


def explore(
    Y: Any,
    X: Any = None,
    labels: Any = None,
    *,
    path: str | os.PathLike[str] | None = None,
    label_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    metadata: Any = None,
    features: Any = None,
    links: Sequence[str] | None = None,
    title: str = "Map",
    description: str = "",
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
        An HTML file to write, which replaces an older one: one file that works offline, in any browser. A
        name that ends in ``/``, or has no ending, is a folder: its ``index.html`` reads images and what is
        written about them as one looks, for more than 100,000 of them.
    label_names : sequence of str or None
        Names of the labels 0, 1, ….
    names : sequence of str or None
        Names of the images, such as their file names, which are shown, searched and downloaded.
    metadata : DataFrame, dict of columns, or None
        Further columns of n values each, to colour by, to search and to filter by: numbers, truth values,
        times or text.
    features : array-like of shape (n, d), or None
        What images are compared by, such as ``model.features(X)``: the page then shows those that are most
        like an image, or like a selection, by the cosine of their features.
    links : sequence of str or None
        Paths, relative to the page, or URLs of the originals, which a click on the selected image opens.
    title : str, default="Map"
    description : str, default=""
        A paragraph below the title.
    thumbnail : int, default=32
        Longest side of the images in the page, in pixels.
    quality : int, default=60
        Quality of the images' compression (WebP), 1 to 100.

    Returns
    -------
    Explorer
        The map, which a notebook shows inline as its last value.

    Notes
    -----
    Clusters of the map (HDBSCAN, at three sizes) are columns too, from 40 points on. Their names are words
    of names, folders, labels and metadata that are frequent there and rare elsewhere.
    """
    if path is not None:
        _check(path)
    pictures = Pictures.of(X, len(check_plane(Y)), thumbnail, quality)
    data, clusters = make_data(
        Y, labels, label_names=label_names, names=names, metadata=metadata, features=features, links=links,
        title=title, description=description,
    )  # fmt: skip
    explorer = Explorer(data, pictures, {found.name: found.texts() for found in clusters})
    if path is not None:
        explorer.save(path)
    return explorer


def _check(path: Any) -> str:
    return check_folder("path", path) if is_folder(path) else check_path("path", path)


class Explorer:
    """A map that is explored; made by `explore`.

    Parameters
    ----------
    data : dict
        All that the page shows, but for the images.
    pictures : Pictures or None
    clusters : dict of lists of str
        For each size of clusters, by its name, the name of each image's; empty between them.
    """

    def __init__(
        self, data: dict[str, Any], pictures: Pictures | None, clusters: dict[str, list[str]]
    ) -> None:
        self._shown, self._pictures = data, pictures
        self._title = data["title"]
        self.clusters = clusters

    @cached_property
    def _data(self) -> str:
        return as_document(self._shown, self._pictures)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(set(texts) - {''})} of {name!r}" for name, texts in self.clusters.items())
        return f"<Explorer {self._title!r}: clusters: {sizes or 'none'}; save(path) writes the page>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one HTML file that asks for nothing else, or a folder.

        Parameters
        ----------
        path : path
            File to write, or folder, as for `explore`; an older one is replaced in one step.
        """
        checked = _check(path)
        if is_folder(path):
            write_folder(checked, self._shown, self._pictures)
        else:
            write(checked, self.page().encode())

    def page(self) -> str:
        """The page.

        Returns
        -------
        str
            HTML.
        """
        return make_page(self._title, self._data)

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
        bundle = self.widget._repr_mimebundle_(**options)
        shown, about = bundle if isinstance(bundle, tuple) else (bundle, {})
        # Front ends show the richest of these that they can: GitHub, and a notebook that was not trusted,
        # have the picture.
        still = base64.b64encode(make_still(self._shown)).decode()
        return shown | {"image/png": still, "text/plain": repr(self)}, about

"""What the page shows, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.columns import LARGEST_EXACT, in_order, read_column
from .._checks.labels import Labels, read_labels
from .._checks.maps import check_plane
from .._system.text import legible
from ..plot._colors import NONE, colors_of
from ._clusters import Clusters, find_clusters
from ._similar import make_neighbors

# More different values than this, most of which one image alone has, are text to search, and no colours.
MOST_CATEGORIES = 200
# Images that a value has on average, at least, where there are more different ones.
MOST_ALONE = 10
# More classes of labels than this, and than half of the images, are names of single images.
MOST_CLASSES = 1000
# Of the map's extent: less than a pixel.
RESOLUTION = 1e-5


def make_data(
    Y: Any,
    labels: Any,
    *,
    label_names: Sequence[str] | None,
    names: Sequence[str] | None,
    metadata: Any,
    features: Any,
    links: Sequence[str] | None,
    title: str,
    description: str,
) -> tuple[dict[str, Any], list[Clusters]]:
    """All of it but for the images, with arrays where there are numbers, and the clusters in it."""
    Y = check_plane(Y)
    n = len(Y)
    if n and np.spacing(np.float32(np.abs(Y).max())) > RESOLUTION * np.ptp(Y, axis=0).max():
        # float32 has differences of the map about its middle only; nothing shows coordinates.
        Y = Y - np.median(Y, axis=0)
    columns: list[dict[str, Any]] = []
    if labels is not None:
        columns.append(_label_column(read_labels(labels, n, label_names), label_names is not None))
    columns += [_column(legible(name), values, n) for name, values in _items(metadata)]
    data: dict[str, Any] = {
        "title": legible(title),
        "description": legible(description),
        "x": Y[:, 0],
        "y": Y[:, 1],
        "names": _texts("names", names, n),
        "links": _texts("links", links, n),
        "columns": columns,
        "neighbors": None if features is None else make_neighbors(features, n),
    }
    clusters = find_clusters(Y, data["names"], _kinds(columns))
    data["clusters"] = [_cluster_column(found) for found in clusters]
    return data, clusters


def label_texts(labels: Labels) -> npt.NDArray[Any]:
    """The name of each image's class; empty where it has none."""
    return np.array([*map(legible, labels.names), ""], dtype=object)[labels.codes]


def _label_column(labels: Labels, is_sorted: bool) -> dict[str, Any]:
    """Classes in their order, or sorted by the names that were given to them."""
    if labels.scale is not None:
        return {"name": "label", "kind": "number", "values": labels.scale}
    shown = labels.present
    if is_sorted:
        shown.sort(key=lambda code: in_order(labels.names[code]))
    if len(shown) > max(MOST_CLASSES, len(labels.codes) // 2):
        return {"name": "label", "kind": "text", "values": label_texts(labels).tolist()}
    first = 0 if labels.known.all() else 1
    places = np.zeros(len(labels.names) + 1, np.int64)
    places[shown] = np.arange(first, first + len(shown))
    categories = [""] * first + [legible(labels.names[code]) for code in shown]
    # Colours go by the class's number, as on plots.
    colors = colors_of(len(labels.names))
    return _category(
        "label", places[labels.codes], categories, [NONE] * first + [colors[code] for code in shown]
    )


def _category(
    name: str, codes: npt.NDArray[Any], categories: list[str], colors: list[str] | None = None
) -> dict[str, Any]:
    """A column of kinds, by their numbers, of which an empty first one stands for none."""
    if colors is None:
        first = int(categories[:1] == [""])
        colors = [NONE] * first + colors_of(len(categories) - first)
    return {"name": name, "kind": "category", "values": codes, "categories": categories, "colors": colors}


def _cluster_column(found: Clusters) -> dict[str, Any]:
    """Clusters with, for each, an image that stands for it."""
    column = _category(found.name, found.codes + 1, ["", *found.names])
    return column | {"examples": [-1, *found.examples]}


def _kinds(columns: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The texts of the columns that sort images into kinds."""
    return {
        column["name"]: [column["categories"][code] for code in column["values"].tolist()]
        for column in columns
        if column["kind"] == "category"
    }


def _items(metadata: Any) -> list[tuple[Any, Any]]:
    """Names and values of a mapping or a data frame."""
    if metadata is None:
        return []
    if hasattr(metadata, "to_dict") and hasattr(metadata, "columns"):
        return [(name, metadata[name]) for name in metadata.columns]
    if not hasattr(metadata, "items"):
        raise TypeError(f"metadata: got {type(metadata).__name__}, want a data frame or a dict of columns")
    return list(metadata.items())


def _column(name: str, values: Any, n: int) -> dict[str, Any]:
    column = read_column(f"metadata[{name!r}]", values, n)
    # Whole numbers that no float holds are names.
    if column.kind == "number" and not (
        column.values.dtype.kind in "iuO" and (abs(column.values[column.known]) > LARGEST_EXACT).any()
    ):
        return {"name": name, "kind": "number", "values": column.floats()}
    texts = [legible(text) for text in column.texts()]
    if column.kind == "time":
        return {"name": name, "kind": "time", "values": texts}
    different = set(texts)
    if len(different) > max(MOST_CATEGORIES, n // MOST_ALONE):
        return {"name": name, "kind": "text", "values": texts}
    known = sorted(different - {""}, key=in_order)
    if column.order is not None:
        known = [text for text in map(legible, column.order) if text in different]
    categories = [""] * ("" in different) + known
    places = {text: place for place, text in enumerate(categories)}
    return _category(name, np.array([places[text] for text in texts]), categories)


def _texts(name: str, texts: Sequence[str] | None, n: int) -> list[str] | None:
    if texts is None:
        return None
    if len(texts) != n:
        raise ValueError(f"{name}: got {len(texts)}, want one for each of {n} points")
    return [legible(text) for text in texts]

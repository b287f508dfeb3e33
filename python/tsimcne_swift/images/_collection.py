"""Images with what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.labels import read_labels


@dataclass(frozen=True, repr=False)
class ImageCollection:
    """Images of one size, and what is known about each.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
        Pixels of the images; a memory map where they are large.
    names : list of str
        File names relative to the folder, or the numbers of rows.
    labels : ndarray of shape (n,), int64, or None
        Places of the labels in ``label_names``; -1 where there is none.
    label_names : list of str
    skipped : list of (str, str)
        Name and reason of what could not be read.
    """

    images: npt.NDArray[np.uint8]
    names: list[str]
    labels: npt.NDArray[np.int64] | None = None
    label_names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        n, height, width, channels = self.images.shape
        parts = [f"{n:,} images of {height}×{width}×{channels}"]
        if self.labels is not None:
            parts.append(f"{len(self.label_names)} labels")
        if self.skipped:
            parts.append(f"{len(self.skipped)} skipped")
        return f"<ImageCollection: {', '.join(parts)}>"


def encode_labels(values: Any) -> tuple[npt.NDArray[np.int64] | None, list[str]]:
    """Numbers for labels, in their order; None for no label at all."""
    labels = read_labels(values, len(values)).check_classes()
    return (labels.codes, labels.names) if labels.names else (None, [])


def in_order_of(collection: ImageCollection, names: list[str]) -> ImageCollection:
    """The collection with these names of labels, some of which may be nobody's, in this order."""
    if collection.labels is None or len(set(names)) < len(names):
        return collection
    places = np.array([*map(names.index, collection.label_names), -1], np.int64)
    return replace(collection, labels=places[collection.labels], label_names=list(names))

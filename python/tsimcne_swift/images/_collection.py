"""Images with what is known about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.labels import read_labels
from ._decoding._layout import Layout
from ._decoding._pixels import pixels
from ._decoding._raw import raw_of_array

# Reasons that a summary lists, the most frequent first.
MOST_REASONS = 8


@dataclass(frozen=True, repr=False)
class ImageCollection:
    """Images of one size, and what is known about each; `TSimCNE.fit` and `transform` take it as it is.

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
    others : list of (str, str)
        Name and reason of files in a folder or archive that are no pictures, and were not opened.
    layout : Layout or None
        What was done to bring the pictures into form: a model that is fitted on the collection keeps it, and
        ``like=`` repeats it. None: the images came as they are.
    notes : list of str
        Sentences on what was done, where it is not what everyone expects: which values became black and white
        where pictures have more than 8 bits, which page of several was taken.
    metadata : dict of str to ndarray of shape (n,)
        What pictures say of themselves, for ``explore(metadata=)``: when (``taken``, days and times), with
        what (``camera``) and where (``latitude``, ``longitude``, in degrees) a photograph was taken, by EXIF;
        the ``seconds`` of a video's frames. Only columns in which some picture has something.
    """

    images: npt.NDArray[np.uint8]
    names: list[str]
    labels: npt.NDArray[np.int64] | None = None
    label_names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    layout: Layout | None = None
    notes: list[str] = field(default_factory=list)
    metadata: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    # The function reads the same pictures in another layout, where they still lie.
    _again: Callable[[Layout], ImageCollection] | None = field(default=None, init=False, compare=False)

    def __len__(self) -> int:
        return len(self.images)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """The images, for whatever takes an array of them."""
        images = self.images if dtype is None else self.images.astype(dtype, copy=False)
        return images.copy() if copy else images

    def __repr__(self) -> str:
        n, height, width, channels = self.images.shape
        parts = [f"{n:,} images of {height}×{width}×{channels}"]
        if self.labels is not None:
            parts.append(f"{len(self.label_names)} labels")
        if self.skipped:
            parts.append(f"{len(self.skipped):,} skipped")
        if self.others:
            parts.append(f"{len(self.others):,} other files")
        return f"<ImageCollection: {', '.join(parts)}>"

    def __getstate__(self) -> dict[str, Any]:
        # Where pictures lie is of this process.
        return self.__dict__ | {"_again": None}

    def like(self, layout: Layout) -> ImageCollection:
        """The same pictures in another layout, such as ``model.image_layout_``.

        Parameters
        ----------
        layout : Layout

        Returns
        -------
        ImageCollection
            This one, if that is its layout. Else the pictures are read again from where they lie; where that
            is not known, the images are made larger or smaller, grey or colour.
        """
        if layout == self.layout:
            return self
        if self._again is not None:
            return self._again(layout)
        if self.layout is None and self.images.shape[1:] == (*layout.size, layout.channels):
            return self
        images = np.stack([pixels(raw_of_array(image), layout) for image in self.images])
        return ImageCollection(
            images, self.names, self.labels, self.label_names, self.skipped, self.others, layout, self.notes,
            self.metadata,
        )  # fmt: skip

    def summary(self) -> str:
        """How many files were read, how many were skipped, and why.

        Returns
        -------
        str
            One line.
        """
        parts = [f"{len(self):,} read"]
        for name, found in (("skipped", self.skipped), ("other files", self.others)):
            if found:
                reasons = Counter(reason for _, reason in found).most_common()
                listed = [f"{count:,} × {reason}" for reason, count in reasons[:MOST_REASONS]]
                listed += ["…"] if len(reasons) > MOST_REASONS else []
                parts.append(f"{len(found):,} {name} ({'; '.join(listed)})")
        return ", ".join(parts)


def with_source(collection: ImageCollection, again: Callable[[Layout], ImageCollection]) -> ImageCollection:
    """The collection, which knows from now on how its pictures are read in another layout."""
    object.__setattr__(collection, "_again", again)
    return collection


def encode_labels(values: Any) -> tuple[npt.NDArray[np.int64] | None, list[str]]:
    """Numbers for labels, in their order; None for no label at all."""
    labels = read_labels(values, len(values)).check_classes()
    return (labels.codes, labels.names) if labels.names else (None, [])


def in_order_of(collection: ImageCollection, names: list[str]) -> ImageCollection:
    """The collection with these names of labels, some of which may be nobody's, in this order."""
    if collection.labels is None or len(set(names)) < len(names):
        return collection
    order = {name: place for place, name in enumerate(names)}
    places = np.array([*map(order.__getitem__, collection.label_names), -1], np.int64)
    ordered = replace(collection, labels=places[collection.labels], label_names=list(names))
    again = collection._again
    return ordered if again is None else with_source(ordered, lambda other: in_order_of(again(other), names))

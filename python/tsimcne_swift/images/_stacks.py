"""Pictures that lie in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.axes import SMALLEST, order_of
from ._arrays import check_stack
from ._collection import ImageCollection, encode_labels
from ._files import read_listed
from ._reading import Options, layout_of


def from_stack(
    name: str,
    array: npt.NDArray[Any],
    options: Options,
    names: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
) -> ImageCollection:
    """In place where they are what a network reads and no other size is asked for; else as pictures of any
    kind.

    Parameters
    ----------
    name : str
        What errors call the array.
    array : ndarray of shape (n, height, width[, channels])
    options : Options
    names : sequence of str or None
        None: the numbers of rows.
    labels : sequence or None
    """
    check_stack(name, array)
    names = [str(i) for i in range(len(array))] if names is None else names
    shape = (*array.shape[1:], 1)[:3]
    is_ready = array.dtype == np.uint8 and order_of(shape) == "last" and min(shape[:2]) >= SMALLEST
    if not is_ready or options.get("size") is not None or options.get("channels") is not None:
        return read_listed(list(array), names, labels, options)
    codes, label_names = (None, []) if labels is None else encode_labels(labels)
    collection = ImageCollection(array.reshape(-1, *shape), list(names), codes, label_names)
    like = options.get("like")
    return collection if like is None else collection.like(layout_of(like))

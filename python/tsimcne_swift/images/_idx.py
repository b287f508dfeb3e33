"""The idx format of MNIST."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ._collection import ImageCollection


def from_idx(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    label_names: list[str] | None = None,
) -> ImageCollection:
    """Images of an idx file, gzipped or not.

    Parameters
    ----------
    images : path
        uint8 of three dimensions, or four with channels last.
    labels : path or None
        uint8 of one dimension, as many.
    label_names : list of str or None
        None: the numbers.

    Returns
    -------
    ImageCollection

    Raises
    ------
    ValueError
        If a file is none of these, or ends too early.
    """
    X = read_idx(images, "images")
    if X.ndim not in (3, 4):
        raise ValueError(f"images: got {X.ndim} dimensions in {os.fspath(images)}, want 3 or 4")
    X = X.reshape(*X.shape[:3], -1)
    names = [str(i) for i in range(len(X))]
    if labels is None:
        return ImageCollection(X, names)
    y = read_idx(labels, "labels").astype(np.int64)
    if y.shape != (len(X),):
        raise ValueError(f"labels: got shape {y.shape} in {os.fspath(labels)}, want ({len(X)},)")
    known = label_names if label_names is not None else [str(i) for i in range(int(y.max(initial=-1)) + 1)]
    if len(y) and y.max() >= len(known):
        raise ValueError(f"label_names: got {len(known)}, but labels go up to {y.max()}")
    return ImageCollection(X, names, y, list(known))


def read_idx(path: str | os.PathLike[str], name: str) -> npt.NDArray[np.uint8]:
    """An array of bytes; errors name the argument."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise ValueError(f"{name}: got {os.fspath(path)}, which is no idx file of bytes")
    shape = tuple(int(n) for n in np.frombuffer(data, ">i4", count=data[3], offset=4))
    start = 4 + 4 * len(shape)
    if min(shape, default=0) < 0 or len(data) - start != int(np.prod(shape, dtype=object)):
        raise ValueError(f"{name}: got {os.fspath(path)} with {len(data) - start} values, want {shape}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)

"""A new map, turned so that images lie as they did on an older one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from .._inputs.images import Images
from .._storage.model_file import Fitted, read_fitted

# Images that decide how the map is turned; more change nothing.
MOST = 10_000
# Steps of float32 in a standard deviation of places, at least.
COARSEST = 1000


@dataclass(frozen=True)
class Alignment:
    """The places where some of the images were: ``places`` of ``rows``, or where ``older`` has them."""

    rows: npt.NDArray[np.intp]
    places: npt.NDArray[np.float64] | None
    older: Fitted | None

    def motion(
        self, ours: npt.NDArray[np.float32], images: Images, threads: int, shifts: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """How to turn, mirror and shift a map (Schönemann 1966); distances on it stay as they are.

        ``ours`` has the places of `rows` on it.
        ``shifts`` says whether the map may be moved, which changes what the cosine says.
        """
        theirs = self.places
        if theirs is None:
            assert self.older is not None
            theirs = self.older.map(images, threads, self.rows).astype(np.float64)
        turn, shift = procrustes(ours.astype(np.float64), theirs)
        return turn, shift if shifts else np.zeros_like(shift)


def procrustes(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The orthogonal matrix and the shift that bring the one nearest to the other: ours @ matrix + shift."""
    centre, goal = ours.mean(axis=0), theirs.mean(axis=0)
    left, _, right = np.linalg.svd((ours - centre).T @ (theirs - goal))
    matrix = left @ right
    return matrix, goal - centre @ matrix


def check_alignment(value: Any, images: Images, components: int) -> Alignment | None:
    """What the parameter ``align_to`` stands for."""
    if value is None:
        return None
    n = int(images.shape[0])
    if isinstance(value, str | os.PathLike) or hasattr(value, "_fitted"):
        if hasattr(value, "_fitted"):
            check_is_fitted(value, msg="align_to: this %(name)s is not fitted")
            fitted = value._fitted()
        else:
            fitted = read_fitted("align_to", value)
        if fitted.network.outputs != components:
            raise ValueError(f"align_to: its map has {fitted.network.outputs} dimensions, want {components}")
        if tuple(fitted.image_shape) != tuple(images.shape[1:]):
            raise ValueError(f"align_to: maps images of {fitted.image_shape}, want {images.shape[1:]}")
        return Alignment(_some(np.arange(n)), None, fitted)
    try:
        places = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"align_to: got {value!r}, want a fitted TSimCNE, a path or an array") from error
    if places.shape != (n, components):
        raise ValueError(f"align_to: got shape {places.shape}, want {(n, components)}: a row for each image")
    if np.isinf(places).any():
        raise ValueError("align_to: got infinity, want finite places, or NaN for images without")
    known = np.flatnonzero(~np.isnan(places).any(axis=1))
    if len(known) < 2:
        raise ValueError(f"align_to: got places of {len(known)} images, want at least 2")
    rows = _some(known)
    _check_resolution(places[rows])
    return Alignment(rows, places[rows], None)


def _check_resolution(places: npt.NDArray[np.float64]) -> None:
    """A map is float32: far from the origin it would have no room for differences."""
    spread = float(places.std(axis=0).max())
    step = float(np.spacing(np.float32(np.abs(places).max())))
    if 0 < spread < COARSEST * step:
        raise ValueError(
            f"align_to: got places about {places.mean(axis=0).tolist()} with a deviation of {spread:g}, "
            f"which float32 has in steps of {step:g}; subtract their mean"
        )


def _some(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """At most `MOST` of the rows, spread evenly."""
    if len(rows) <= MOST:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST).astype(np.intp)]

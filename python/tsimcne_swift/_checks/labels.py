"""What a column of labels means. All that takes labels asks here, so that all mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import Column, in_order, read_column


@dataclass(frozen=True)
class Labels:
    """A label, or none, for each image.

    Parameters
    ----------
    codes : ndarray of shape (n,), int64
        Places of the labels in ``names``; -1 where there is none.
    names : list of str
        Names of the classes, in their order; of those that ``label_names`` gave some may be nobody's.
    scale : ndarray of shape (n,), float64, or None
        Labels that are fractions: a measure and no classes. NaN where there is none.
    """

    codes: npt.NDArray[np.int64]
    names: list[str]
    scale: npt.NDArray[np.float64] | None = None

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which images have a label."""
        return self.codes >= 0

    @property
    def present(self) -> list[int]:
        """Codes that images have, ascending."""
        return [int(code) for code in np.unique(self.codes[self.known])]

    def check_classes(self) -> Labels:
        """The labels themselves, unless they are a measure."""
        if self.scale is not None:
            some = self.scale[self.known]
            raise ValueError(
                f"labels: got fractions, such as {some[some != np.rint(some)][0]:g}, want classes: "
                "whole numbers, truth values or names"
            )
        return self


def read_labels(
    labels: Any, n: int, label_names: Sequence[str] | None = None, *, name: str = "labels"
) -> Labels:
    """One label for each of n images.

    Classes are whole numbers (floats too, where all are whole), truth values, text, or times: numbers and
    times in their own order, text by the alphabet, numbers in it by size, pandas' categories in theirs. No
    label is what is None, NaN, NA, NaT, blank, or a negative whole number. ``label_names`` are the names of
    the classes 0, 1, …; where labels are text they say its order.

    Raises
    ------
    ValueError
        If there is not one for each image, or ``label_names`` does not fit them.
    """
    column = read_column(name, labels, n)
    names = None if label_names is None else [str(name) for name in label_names]
    if column.kind == "number" and column.values.dtype.kind == "f":
        return _measure(column, names)
    if column.kind in ("number", "bool"):
        return _numbered(column, names)
    return _named(column, column.order if names is None else names, names is not None)


def _measure(column: Column, names: list[str] | None) -> Labels:
    if names is not None:
        raise ValueError("label_names: got names, but labels are fractions, want whole numbers")
    scale = column.floats()
    scale[~np.isfinite(scale)] = np.nan
    there, codes = np.unique(scale, return_inverse=True)
    return Labels(np.where(np.isnan(scale), -1, codes), [f"{value:g}" for value in there], scale)


def _numbered(column: Column, names: list[str] | None) -> Labels:
    is_bool = column.kind == "bool"
    values = column.values if not is_bool else column.values.astype(np.int64)
    known = column.known & (values >= 0)
    codes = np.full(len(values), -1, np.int64)
    there, places = np.unique(values[known], return_inverse=True)
    if names is None:
        codes[known] = places
        return Labels(codes, [str(bool(value) if is_bool else value) for value in there.tolist()])
    if len(there) and int(there[-1]) >= len(names):
        raise ValueError(f"label_names: got {len(names)}, but labels go up to {there[-1]}")
    codes[known] = values[known]
    return Labels(codes, names)


def _named(column: Column, order: list[str] | None, is_given: bool) -> Labels:
    there = set(column.values[column.known].tolist())
    names = sorted(there, key=in_order) if order is None else order
    places = {name: place for place, name in enumerate(names)}
    unknown = sorted(there - places.keys())
    if unknown and is_given:
        raise ValueError(f"label_names: got names without {unknown[0]!r}, which is a label")
    codes = [
        places[value] if known else -1
        for value, known in zip(column.values.tolist(), column.known.tolist(), strict=True)
    ]
    return Labels(np.array(codes, np.int64), names)

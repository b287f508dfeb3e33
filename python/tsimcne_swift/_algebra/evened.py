"""Rows along their directions of largest variance, made more even."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.arrays import check_arrays
from .directions import directions
from .linear import Linear, to_unit_length

Rows = npt.NDArray[np.float32]

# Deviations below this share of the largest are not made more even.
NOISE = 1e-4
# Largest number of a compressed component.
LARGEST = 127

ARRAYS = {"components": np.int8, "scales": np.float32, "shift": np.float32}


class Evened:
    """A function of rows: principal components, each divided by a power of its deviation, of unit length.

    Parameters
    ----------
    components : ndarray of shape (columns, features), int8
    scales, shift : ndarray of shape (features,), float32
        What products with components are multiplied by, and what is then added.
    """

    def __init__(self, components: npt.NDArray[np.int8], scales: Rows, shift: Rows) -> None:
        self.components, self.scales, self.shift = components, scales, shift
        self._linear = Linear(components.astype(np.float32) * scales, shift)

    def __reduce__(self) -> Any:
        # The core's model is made anew.
        return Evened, tuple(getattr(self, name) for name in ARRAYS)

    @property
    def features(self) -> int:
        """Numbers of a row."""
        return len(self.shift)

    @classmethod
    def of(cls, rows: Rows, wanted: int, power: float, threads: int) -> Evened:
        """Of rows (n, columns), of which a sample is looked at.

        Parameters
        ----------
        wanted : int
            Number of components, if rows have as many.
        power : float
            Of the deviations: 1 would make all directions alike.
        """
        center, basis, deviations = directions(rows, min(wanted, *rows.shape), threads)
        largest = np.abs(basis).max(axis=1)
        steps = np.where(largest > 0, largest, 1) / LARGEST
        components = np.rint(basis / steps[:, None]).astype(np.int8)
        # What is left in a direction may be rounding alone.
        is_real = deviations > NOISE * deviations[0]
        evened = np.zeros(len(deviations))
        evened[is_real] = 1 / deviations[is_real].astype(np.float64) ** power
        scales = (steps * evened).astype(np.float32)
        shift = -np.einsum("c,fc->f", center.astype(np.float64), components.astype(np.float64)) * scales
        return cls(np.ascontiguousarray(components.T), scales, shift.astype(np.float32))

    def __call__(self, rows: Rows, threads: int) -> Rows:
        """The rows' numbers (n, features); those of a row do not depend on the others."""
        return to_unit_length(self._linear(rows, threads))

    def tensors(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps."""
        return {f"{prefix}.{name}": getattr(self, name) for name in ARRAYS}


def read_evened(prefix: str, tensors: dict[str, npt.NDArray[Any]], columns: int) -> Evened | None:
    """What the tensors of a file hold of this name, for rows of so many columns."""
    found = {name: tensors.get(f"{prefix}.{name}") for name in ARRAYS}
    if all(value is None for value in found.values()):
        return None
    shift = found["shift"]
    features = 0 if shift is None or shift.ndim == 0 else shift.shape[0]
    shapes = {"components": (columns, features), "scales": (features,), "shift": (features,)}
    return Evened(**check_arrays(prefix, found, ARRAYS, shapes))

"""A matrix that rows are multiplied by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _core
from .._system.locks import ProcessLock

Rows = npt.NDArray[np.float32]
# Rows that are changed at a time.
CHUNK = 8192


class Linear:
    """rows @ matrix + bias, by the core: a row's bits do not depend on the others, nor on threads.

    Parameters
    ----------
    matrix : ndarray of shape (inputs, outputs), float32
    bias : ndarray of shape (outputs,), float32
    """

    def __init__(self, matrix: Rows, bias: Rows) -> None:
        inputs, self.outputs = matrix.shape
        self._model = _core.Model(
            channels=inputs, depth=0, base_width=1, hidden_dims=(), output_dim=self.outputs, seed=0
        )
        # One thread at a time uses a model of the core.
        self._alone = ProcessLock()
        for name, value in (("weight", np.ascontiguousarray(matrix.T)), ("bias", bias)):
            self._model.set_array(_core.ARRAY_PARAMETER, f"projection_head.layers.0.{name}", value)

    @classmethod
    def about(cls, mean: Rows, matrix: Rows) -> Linear:
        """(rows - mean) @ matrix."""
        shift = -np.einsum("f,fc->c", mean.astype(np.float64), matrix.astype(np.float64))
        return cls(matrix, shift.astype(np.float32))

    def __call__(self, rows: Rows, threads: int) -> Rows:
        """The products of rows (n, inputs)."""
        result = np.empty((len(rows), self.outputs), np.float32)
        with self._alone():
            self._model.transform(
                rows.reshape(len(rows), 1, 1, -1), result, kind=_core.OUTPUT_MAP, threads=threads
            )
        return result


def to_unit_length(rows: Rows) -> Rows:
    """The rows, changed in place; those of length zero stay as they are."""
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        lengths = np.sqrt(np.square(part, dtype=np.float64).sum(axis=1))
        part /= np.maximum(lengths, np.finfo(np.float32).tiny).astype(np.float32)[:, None]
    return rows

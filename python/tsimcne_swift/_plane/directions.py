"""Directions of largest variance, with the same bits on any number of threads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Rows that are looked at; more change little.
ROWS = 4096
# Columns of which a covariance matrix is made; more are added up in groups first.
COLUMNS = 512
ITERATIONS = 15

Doubles = npt.NDArray[np.float64]


def directions(rows: npt.NDArray[np.float32], wanted: int) -> tuple[Doubles, Doubles, Doubles]:
    """Mean of rows, directions in which they vary most, and the deviations along them.

    Directions come from orthogonal iteration on the covariance of some of the rows. Columns beyond `COLUMNS`
    are added up in groups, with signs that look random (Charikar et al. 2002), which keeps distances about
    as they are. Sums are numpy's own: those of a BLAS may depend on its threads.

    Parameters
    ----------
    rows : ndarray of shape (n, columns)
    wanted : int
        Number of directions, at most that of rows and of columns.

    Returns
    -------
    mean : ndarray of shape (columns,)
    basis : ndarray of shape (columns, wanted)
    deviations : ndarray of shape (wanted,)
        The largest first.
    """
    n, columns = rows.shape
    some = rows[np.linspace(0, n - 1, min(n, ROWS)).astype(np.intp)].astype(np.float64)
    mean: Doubles = some.mean(axis=0)
    some -= mean
    random = np.random.Generator(np.random.Philox(columns))
    signs: Doubles | None = None
    if columns > COLUMNS:
        drawn: Doubles = random.choice([-1.0, 1.0], columns)
        some = _grouped(some * drawn)
        signs = drawn
    covariance = np.einsum("ij,ik->jk", some, some) / len(some)
    basis = _orthonormal(random.standard_normal((some.shape[1], wanted)))
    for _ in range(ITERATIONS):
        basis = _orthonormal(np.einsum("jk,kd->jd", covariance, basis))
    along: Doubles = np.einsum("jk,kd->jd", covariance, basis)
    deviations = np.sqrt(np.maximum(0, (basis * along).sum(axis=0)))
    order = np.argsort(-deviations, kind="stable")
    basis = basis[:, order]
    if signs is not None:
        repeats = -(-columns // COLUMNS)
        basis = np.tile(basis, (repeats, 1))[:columns] * signs[:, None]
    return mean, basis, deviations[order]


def components(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Places of rows in the plane of their two largest principal components, (n, 2)."""
    mean, basis, _ = directions(rows, min(2, rows.shape[1]))
    result = np.zeros((len(rows), 2), np.float32)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS].astype(np.float64) - mean
        result[start : start + ROWS, : basis.shape[1]] = np.einsum("ij,jk->ik", part, basis)
    return result


def _grouped(rows: Doubles) -> Doubles:
    """Sums of every `COLUMNS`-th column."""
    padded = np.zeros((len(rows), -(-rows.shape[1] // COLUMNS) * COLUMNS))
    padded[:, : rows.shape[1]] = rows
    result: Doubles = padded.reshape(len(rows), -1, COLUMNS).sum(axis=1)
    return result


def _orthonormal(basis: Doubles) -> Doubles:
    """The basis by Gram and Schmidt's method; a direction that lies in those before it becomes zero."""
    result = np.zeros_like(basis)
    for d in range(basis.shape[1]):
        vector = basis[:, d].copy()
        length = np.sqrt((vector**2).sum())
        # Twice is enough (Kahan).
        for _ in range(2):
            vector -= np.einsum("jk,k->j", result[:, :d], np.einsum("jk,j->k", result[:, :d], vector))
        left = np.sqrt((vector**2).sum())
        if left > 1e-10 * length:
            result[:, d] = vector / left
    return result

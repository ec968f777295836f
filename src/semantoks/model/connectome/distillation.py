"""Distil connectomes: what of one half of a scan predicts of its other half.

Ridge regression from the tangent vector of one half to the leading principal components of the
other, in both directions, solved in closed form. It keeps what both halves of a scan share, and
weighs it by how well it is predicted; applied to whole scans, it is a representation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from semantoks.model.files.connectome import DistilledMap

MIN_HALF_SECONDS = 60.0
# Columns that are converted to float64 at once.
_BLOCK = 4096
# Of the largest eigenvalue; below it, a principal component is rounding error.
_RANK_TOLERANCE = 1e-9


def halves(timeseries_CT: np.ndarray, tr: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Cut a scan into its halves in time; None if they are shorter than `MIN_HALF_SECONDS`.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
    tr : float
        Repetition time in seconds.
    """
    middle = timeseries_CT.shape[1] // 2
    if middle * tr < MIN_HALF_SECONDS:
        return None
    return timeseries_CT[:, :middle], timeseries_CT[:, -middle:]


def drawn_evenly(scans: int, limit: int) -> set[int]:
    """Return which of a number of scans are used, spread evenly in their order; all if few."""
    return set(np.linspace(0, scans - 1, min(scans, limit)).round().astype(int).tolist())


def fit_map(halves_RF: np.ndarray, components: int, penalty: float) -> DistilledMap:
    """Fit the map.

    Parameters
    ----------
    halves_RF : ndarray of float32, shape (2 · scans, features)
        Tangent vectors; rows 2n and 2n + 1 are the halves of scan n. Centred in place, since it is
        the largest array here.
    components : int
        Number of principal components that are predicted; fewer if the rows have fewer.
    penalty : float
        L2 penalty, relative to the mean squared norm of the centred rows.

    Returns
    -------
    DistilledMap
    """
    mean_F = halves_RF.mean(axis=0, dtype=float).astype(np.float32)
    halves_RF -= mean_F
    # With more features than rows the dual form is the small one: only products of rows are needed.
    gram_RR = sum(
        (block.T @ block for block in _column_blocks(halves_RF)),
        start=np.zeros((len(halves_RF), len(halves_RF))),
    )
    values_V, vectors_RV = np.linalg.eigh(gram_RR)
    # Largest first.
    values_V, vectors_RV = values_V[::-1], vectors_RV[:, ::-1]
    rank = int((values_V > _RANK_TOLERANCE * values_V[0]).sum())
    used = slice(min(components, rank))
    # Inputs and targets are the same rows, each the other half's target, so that one decomposition
    # gives the principal components of both.
    other_R = np.arange(len(halves_RF)) ^ 1
    targets_RK = _with_fixed_signs(vectors_RV[other_R, used]) * np.sqrt(values_V[used])
    ridge_V = values_V.clip(0) + penalty * np.trace(gram_RR) / len(gram_RR)
    dual_RK = (vectors_RV / ridge_V) @ (vectors_RV.T @ targets_RK)
    weights_FK = np.empty((halves_RF.shape[1], dual_RK.shape[1]), np.float32)
    for start, block in zip(
        range(0, len(weights_FK), _BLOCK), _column_blocks(halves_RF), strict=True
    ):
        weights_FK[start : start + _BLOCK] = block @ dual_RK
    return DistilledMap(mean_F, weights_FK)


def _column_blocks(rows_RF: np.ndarray) -> Iterator[np.ndarray]:
    """Yield blocks of columns as float64, transposed."""
    for start in range(0, rows_RF.shape[1], _BLOCK):
        yield rows_RF[:, start : start + _BLOCK].T.astype(float)


def _with_fixed_signs(vectors_RK: np.ndarray) -> np.ndarray:
    """Make the largest entry of each vector positive; LAPACK's signs depend on rounding."""
    largest_K = np.abs(vectors_RK).argmax(axis=0)
    return vectors_RK * np.sign(vectors_RK[largest_K, np.arange(vectors_RK.shape[1])])

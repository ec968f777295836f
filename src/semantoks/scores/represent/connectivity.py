"""How regions go together: correlation, partial correlation, tangent space, co-skewness.

What needs people to be fitted (a reference, a subspace) comes in two steps: one row per scan, and
a projection that the probe fits to the training people of each split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from sklearn.covariance import ledoit_wolf

from semantoks.artifacts.timeseries import Scan


def fisher_z(timeseries_CT: np.ndarray) -> np.ndarray:
    """Pearson correlations between regions, Fisher-transformed, as one row.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        A NaN region gives NaN.

    Returns
    -------
    ndarray of float32, shape (regions · (regions − 1) / 2,)
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.corrcoef(np.asarray(timeseries_CT, float))
    upper = correlations[np.triu_indices(len(correlations), 1)]
    return np.arctanh(np.clip(upper, -1 + 1e-7, 1 - 1e-7)).astype(np.float32)


def connectivity(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Fisher z of the Pearson correlation of every pair of regions, one row per scan."""
    return (fisher_z(scan.timeseries_CT) for scan in scans)


def connectivity_without_global_signal(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Correlate regions after regressing the mean of all regions out of each."""
    return (fisher_z(_without_mean(scan.timeseries_CT)) for scan in scans)


def _without_mean(timeseries_CT: np.ndarray) -> np.ndarray:
    centred = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    signal_T = np.nanmean(centred, axis=0)
    slopes_C = centred @ signal_T / max(float(signal_T @ signal_T), 1e-12)
    rest: np.ndarray = centred - slopes_C[:, None] * signal_T
    return rest


def covariance(timeseries_CT: np.ndarray) -> np.ndarray:
    """Shrunk covariance (Ledoit-Wolf); a region without data is alone, with variance one.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored.

    Returns
    -------
    ndarray, shape (regions, regions)
    """
    known = np.isfinite(timeseries_CT).all(axis=1) & (timeseries_CT.std(axis=1) > 0)
    found = np.eye(len(timeseries_CT))
    if known.any():
        found[np.ix_(known, known)] = ledoit_wolf(timeseries_CT[known].T.astype(float))[0]
    return found


def partial_correlation(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Fisher z of the correlation of each pair given all other regions, from shrunk covariance."""
    return (_partial(scan.timeseries_CT) for scan in scans)


def _partial(timeseries_CT: np.ndarray) -> np.ndarray:
    precision = np.linalg.inv(covariance(timeseries_CT))
    deviation = np.sqrt(np.diag(precision))
    between = -precision / deviation[:, None] / deviation
    between[~np.isfinite(timeseries_CT).all(axis=1)] = np.nan
    between.T[~np.isfinite(timeseries_CT).all(axis=1)] = np.nan
    upper = between[np.triu_indices(len(between), 1)]
    return np.arctanh(np.clip(upper, -1 + 1e-7, 1 - 1e-7))


def triangle(matrix_CC: np.ndarray) -> np.ndarray:
    """Upper triangle with the diagonal, row by row; the inverse is `square`."""
    return np.asarray(matrix_CC[..., *np.triu_indices(matrix_CC.shape[-1])])


def square(triangle_F: np.ndarray) -> np.ndarray:
    """Symmetric matrices from their upper triangles, (…, features) → (…, regions, regions)."""
    size = int((np.sqrt(8 * triangle_F.shape[-1] + 1) - 1) / 2)
    rows, columns = np.triu_indices(size)
    matrix = np.empty((*triangle_F.shape[:-1], size, size))
    matrix[..., rows, columns] = triangle_F
    matrix[..., columns, rows] = triangle_F
    return matrix


def covariances(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Triangles of shrunk covariance, what `project_tangent` starts from."""
    return (triangle(covariance(scan.timeseries_CT)) for scan in scans)


def project_tangent(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map covariances into the tangent space at the mean covariance of the training people.

    Source: Varoquaux et al. 2010, doi:10.1007/978-3-642-15705-9_25, with the arithmetic mean as
    the reference.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (people, regions · (regions + 1) / 2)
        Rows of `covariances`.

    Returns
    -------
    train, held : ndarray, the same shapes
        Matrix logarithms; off the diagonal times √2, so that distances are those of matrices.
    """
    values, vectors = np.linalg.eigh(square(train_PF.mean(axis=0)))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    return _logarithms(train_PF, whitening), _logarithms(held_HF, whitening)


def _logarithms(rows_PF: np.ndarray, whitening: np.ndarray) -> np.ndarray:
    scale = np.sqrt(2 - triangle(np.eye(len(whitening))))
    found = np.empty_like(rows_PF)
    for index, row in enumerate(rows_PF):  # one at a time: a thousand matrices fill the memory
        values, vectors = np.linalg.eigh(whitening @ square(row) @ whitening)
        logarithm = (vectors * np.log(np.maximum(values, 1e-12))) @ vectors.T
        found[index] = triangle(logarithm) * scale
    return found


def third_moments(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Triangles of each scan's correlation and of its co-skewness, side by side.

    The co-skewness tensor s of z-scored signals x, s_ijk = mean of x_i · x_j · x_k, is never
    formed: what is kept of it is the matrix Σ_jk s_ijk · s_i'jk, whose leading eigenvectors span
    the subspace that preserves most of s.
    """
    return (_third_moments(scan.timeseries_CT) for scan in scans)


def _third_moments(timeseries_CT: np.ndarray) -> np.ndarray:
    x_CT = np.nan_to_num(timeseries_CT.astype(float))
    volumes = x_CT.shape[1]
    unfolded = x_CT @ (x_CT.T @ x_CT) ** 2 @ x_CT.T / volumes**2
    return np.concatenate([triangle(x_CT @ x_CT.T / volumes), triangle(unfolded)])


def project_coskewness(
    train_PF: np.ndarray, held_HF: np.ndarray, kept: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Correlate inside the subspace that keeps `kept` of the training people's co-skewness.

    After the idea of arXiv 2606.04010; the number of dimensions is ours.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (people, regions · (regions + 1))
        Rows of `third_moments`.
    kept : float
        Part of the squared norm of the mean co-skewness.
    """
    half = train_PF.shape[1] // 2
    values, vectors = np.linalg.eigh(square(train_PF[:, half:].mean(axis=0)))
    share = np.cumsum(values[::-1]) / values.sum()
    subspace = vectors[:, ::-1][:, : int(np.searchsorted(share, kept)) + 1]
    return _within(train_PF[:, :half], subspace), _within(held_HF[:, :half], subspace)


def _within(correlation_PF: np.ndarray, subspace_CK: np.ndarray) -> np.ndarray:
    """Fisher z of correlations after a projection."""
    rows, columns = np.triu_indices(subspace_CK.shape[1], 1)
    found = np.empty((len(correlation_PF), len(rows)))
    for index, row in enumerate(correlation_PF):
        projected = subspace_CK.T @ square(row) @ subspace_CK
        deviation = np.sqrt(np.maximum(np.diag(projected), 1e-12))
        between = (projected / deviation[:, None] / deviation)[rows, columns]
        found[index] = np.arctanh(np.clip(between, -1 + 1e-7, 1 - 1e-7))
    return found


# By representation, what the probe does with its rows first, inside the training part.
PROJECTIONS = {"tangent": project_tangent, "coskewness": project_coskewness}

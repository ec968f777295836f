from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_spd_matrix

from semantoks.connectivity.triangles import from_triangle, to_triangle
from semantoks.scores.represent.tangent import covariances_without_global_signal, project_tangent
from tests.unit.scores.conftest import scan_of


def test_tangent_space_at_the_mean_covariance() -> None:
    """The reference maps to zero, and norms are affine-invariant distances from it."""
    matrices = np.stack([make_spd_matrix(5, random_state=i) for i in range(8)])
    rows = to_triangle(matrices)
    assert np.allclose(from_triangle(rows), matrices)
    mean_row = rows.mean(axis=0, keepdims=True)
    train, held = project_tangent(rows, mean_row)
    assert np.allclose(held, 0, atol=1e-10)
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    values = np.linalg.eigvalsh(whitening @ matrices[0] @ whitening)
    assert np.linalg.norm(train[0]) == pytest.approx(np.linalg.norm(np.log(values)))


def test_the_global_signal_has_no_part_in_the_covariance() -> None:
    """The covariance is that of the residuals of a regression on the mean of all regions."""
    rng = np.random.default_rng(0)
    shared = 2 * rng.standard_normal(4000)
    scan = scan_of(shared + rng.standard_normal((6, 4000)))
    (row,) = covariances_without_global_signal([scan])
    signal = scan.timeseries_CT.mean(axis=0)
    slopes = np.linalg.lstsq(signal[:, None], scan.timeseries_CT.T, rcond=None)[0]
    expected = np.cov(scan.timeseries_CT - slopes.T * signal, bias=True)
    np.testing.assert_allclose(from_triangle(row), expected, atol=0.01)  # shrunk a little

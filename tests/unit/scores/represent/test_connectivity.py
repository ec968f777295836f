from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_spd_matrix

from semantoks.scores.represent.connectivity import (
    partial_correlation,
    project_coskewness,
    project_tangent,
    square,
    third_moments,
    triangle,
)
from tests.unit.scores.conftest import scan_of


def test_tangent_space_at_the_mean_covariance() -> None:
    """The reference maps to zero, and norms are affine-invariant distances from it."""
    matrices = np.stack([make_spd_matrix(5, random_state=i) for i in range(8)])
    rows = triangle(matrices)
    assert np.allclose(square(rows), matrices)
    mean_row = rows.mean(axis=0, keepdims=True)
    train, held = project_tangent(rows, mean_row)
    assert np.allclose(held, 0, atol=1e-10)
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    values = np.linalg.eigvalsh(whitening @ matrices[0] @ whitening)
    assert np.linalg.norm(train[0]) == pytest.approx(np.linalg.norm(np.log(values)))


def test_partial_correlation_removes_a_common_source() -> None:
    rng = np.random.default_rng(9)
    source = rng.standard_normal(4000)
    x_CT = np.stack([source, source, source]) + rng.standard_normal((3, 4000))
    x_CT[0] = source + 0.1 * rng.standard_normal(4000)
    partial = np.tanh(next(partial_correlation([scan_of(x_CT)])))  # pairs 01, 02, 12
    assert partial[0] > 0.5
    assert abs(partial[2]) < 0.1
    x_CT[1] = np.nan
    assert np.isnan(next(partial_correlation([scan_of(x_CT)]))).tolist() == [True, False, True]


def test_the_coskewness_subspace_holds_the_skewed_signals() -> None:
    """Two of six signals are skewed together; the subspace is theirs and drops the other four."""
    rng = np.random.default_rng(10)
    scans = []
    for _ in range(12):
        x_CT = rng.standard_normal((6, 3000))
        x_CT[:2] += 2 * rng.exponential(size=3000)
        scans.append(scan_of(x_CT))
    rows = np.stack(list(third_moments(scans)))
    x_CT = scans[0].timeseries_CT
    tensor = np.einsum("it,jt,kt->ijk", x_CT, x_CT, x_CT) / 3000
    unfolded = square(rows[0][21:])
    np.testing.assert_allclose(unfolded, np.einsum("ijk,ljk->il", tensor, tensor), rtol=1e-8)
    train, held = project_coskewness(rows, rows[:2], 0.9)
    assert train.shape[1] <= 1  # pairs of one or two dimensions
    assert len(held) == 2

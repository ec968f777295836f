from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_spd_matrix

from semantoks.artifacts.representations import nan_mean
from semantoks.connectivity.covariance import covariance
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import from_triangle, to_triangle
from semantoks.scores.represent.tangent import (
    STRONG,
    covariances,
    covariances_without_global_signal,
    project_tangent,
    project_tangent_shrunk,
)
from tests.unit.scores.conftest import scan_of


def test_tangent_space_at_the_mean_covariance() -> None:
    """The reference maps to zero, and norms are affine-invariant distances from it."""
    matrices = np.stack([make_spd_matrix(5, random_state=i) for i in range(8)])
    rows = to_triangle(matrices)
    assert np.allclose(from_triangle(rows), matrices)
    rows = np.pad(rows, ((0, 0), (0, 1)))  # nothing is shrunk
    mean_row = rows.mean(axis=0, keepdims=True)
    train, held = project_tangent(rows, mean_row)
    assert np.allclose(held, 0, atol=1e-10)
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    values = np.linalg.eigvalsh(whitening @ matrices[0] @ whitening)
    assert np.linalg.norm(train[0]) == pytest.approx(np.linalg.norm(np.log(values)))


def test_covariances_are_shrunk_before_they_are_mapped() -> None:
    """By Ledoit and Wolf or by a fixed shrinkage; one region has no data in one scan."""
    rng = np.random.default_rng(1)
    scans = [scan_of(rng.standard_normal((5, 30))) for _ in range(6)]
    scans[2].timeseries_CT[4] = np.nan
    rows = np.stack(list(covariances(scans)))
    for project, shrinkage in ((project_tangent, None), (project_tangent_shrunk, STRONG)):
        shrunk = to_triangle(np.stack([covariance(s.timeseries_CT, shrinkage) for s in scans]))
        whitening = whitening_at(shrunk[:4].mean(axis=0))
        train, held = project(rows[:4], rows[4:])
        np.testing.assert_allclose(train, log_map(shrunk[:4], whitening), atol=1e-9)
        np.testing.assert_allclose(held, log_map(shrunk[4:], whitening), atol=1e-9)


def test_a_region_that_a_scan_lacks_is_averaged_over_the_scans_that_have_it() -> None:
    """Not halved, as with a covariance of zero in the scan that lacks it."""
    rng = np.random.default_rng(2)
    first, second = (rng.standard_normal((5, 30)) for _ in range(2))
    second[4] = np.nan
    of_first, of_second = covariances([scan_of(first), scan_of(second)])
    mean = nan_mean(np.stack([of_first, of_second]))
    np.testing.assert_array_equal(from_triangle(mean[:-1])[4], from_triangle(of_first[:-1])[4])
    (mapped, of_first), _ = project_tangent_shrunk(np.stack([mean, of_first]), mean[None])
    assert np.isfinite(mapped).all() and not np.allclose(mapped, of_first)


def test_the_global_signal_has_no_part_in_the_covariance() -> None:
    """The covariance is that of the residuals of a regression on the mean of all regions."""
    rng = np.random.default_rng(0)
    shared = 2 * rng.standard_normal(4000)
    scan = scan_of(shared + rng.standard_normal((6, 4000)))
    (row,) = covariances_without_global_signal([scan])
    signal = scan.timeseries_CT.mean(axis=0)
    slopes = np.linalg.lstsq(signal[:, None], scan.timeseries_CT.T, rcond=None)[0]
    expected = np.cov(scan.timeseries_CT - slopes.T * signal, bias=True)
    np.testing.assert_allclose(from_triangle(row[:-1]), expected, atol=1e-9)

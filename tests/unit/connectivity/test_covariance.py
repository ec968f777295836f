from __future__ import annotations

import numpy as np
from sklearn.covariance import empirical_covariance, ledoit_wolf, shrunk_covariance

from semantoks.connectivity.covariance import (
    covariance,
    raise_eigenvalues,
    regress_out_global_signal,
    sample_covariance,
    shrink,
)


def test_regions_without_data_are_independent_with_variance_one() -> None:
    x_CT = np.random.default_rng(0).standard_normal((4, 100))
    x_CT[1], x_CT[3] = np.nan, 0.0
    for shrinkage in (None, 0.3):
        estimate = covariance(x_CT, shrinkage)
        np.testing.assert_array_equal(estimate[[1, 3]], np.eye(4)[[1, 3]])
        assert (np.linalg.eigvalsh(estimate) > 0).all()


def test_shrinkage_moves_the_correlations_towards_zero() -> None:
    x_CT = np.random.default_rng(0).standard_normal((3, 50))
    x_CT = (x_CT - x_CT.mean(axis=1, keepdims=True)) / x_CT.std(axis=1, keepdims=True)
    expected = 0.7 * np.corrcoef(x_CT) + 0.3 * np.eye(3)
    np.testing.assert_allclose(covariance(x_CT, 0.3), expected, atol=1e-12)


def test_the_global_signal_is_gone_after_the_regression() -> None:
    rng = np.random.default_rng(1)
    x_CT = rng.standard_normal((5, 80)) + rng.standard_normal(80)
    x_CT[2] = np.nan
    residual_CT = regress_out_global_signal(x_CT)
    signal_T = np.nanmean(x_CT - x_CT.mean(axis=1, keepdims=True), axis=0)
    known = [0, 1, 3, 4]
    np.testing.assert_allclose(residual_CT[known] @ signal_T, 0, atol=1e-9)
    assert np.isnan(residual_CT[2]).all()


def test_without_data_nothing_is_shrunk() -> None:
    sample, ledoit_wolf = sample_covariance(np.full((3, 20), np.nan))
    assert np.isnan(ledoit_wolf)
    np.testing.assert_array_equal(shrink(sample, 0.3), np.eye(3))


def test_estimates_equal_those_of_scikit_learn() -> None:
    """Also where some regions have no data, and variances differ."""
    x_CT = np.random.default_rng(0).standard_normal((6, 100)) * np.arange(1, 7)[:, None]
    x_CT[1], x_CT[3] = np.nan, 0.0
    known = np.ix_([0, 2, 4, 5], [0, 2, 4, 5])
    estimate = covariance(x_CT)
    np.testing.assert_allclose(estimate[known], ledoit_wolf(x_CT[[0, 2, 4, 5]].T)[0])
    np.testing.assert_array_equal(estimate[[1, 3]], np.eye(6)[[1, 3]])
    expected = shrunk_covariance(empirical_covariance(x_CT[[0, 2, 4, 5]].T), 0.3)
    np.testing.assert_allclose(covariance(x_CT, 0.3)[known], expected)


def test_eigenvalues_are_raised_only_where_they_are_too_small() -> None:
    rng = np.random.default_rng(0)
    good = covariance(rng.standard_normal((5, 20)), 0.1)
    np.testing.assert_array_equal(raise_eigenvalues(good, 0.1), good)
    bad = good - 2 * np.eye(5) * np.linalg.eigvalsh(good)[0]
    raised = raise_eigenvalues(bad, 0.1)
    floor = 0.1 * np.trace(bad) / 5
    expected = np.linalg.eigvalsh(bad).clip(floor)
    np.testing.assert_allclose(np.linalg.eigvalsh(raised), np.sort(expected))

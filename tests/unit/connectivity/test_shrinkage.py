from __future__ import annotations

import numpy as np
import pytest

from semantoks.connectivity.covariance import covariance
from semantoks.connectivity.shrinkage import sample_covariance, shrink


@pytest.mark.parametrize("shrinkage", [None, 0.3])
def test_both_estimates_follow_from_the_sample_covariance(shrinkage: float | None) -> None:
    """Also where some regions have no data, and variances differ."""
    x_CT = np.random.default_rng(0).standard_normal((6, 100)) * np.arange(1, 7)[:, None]
    x_CT[1], x_CT[3] = np.nan, 0.0
    sample, ledoit_wolf = sample_covariance(x_CT)
    np.testing.assert_array_equal(sample[[1, 3]], np.eye(6)[[1, 3]])
    estimate = shrink(sample, ledoit_wolf if shrinkage is None else shrinkage)
    np.testing.assert_allclose(estimate, covariance(x_CT, shrinkage))


def test_without_data_nothing_is_shrunk() -> None:
    sample, ledoit_wolf = sample_covariance(np.full((3, 20), np.nan))
    assert np.isnan(ledoit_wolf)
    np.testing.assert_array_equal(shrink(sample, 0.3), np.eye(3))

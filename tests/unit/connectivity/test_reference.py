"""Reference covariances, and scans that lack regions."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.connectivity.covariance import covariance, regress_out_global_signal
from semantoks.connectivity.reference import Estimator, MeanCovariance, Reference, complete
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import from_triangle, to_triangle

REGIONS = 6
EXACT = Estimator(shrinkage=0.0)


def draw_covariance(seed: int, regions: int = REGIONS) -> np.ndarray:
    mixing = np.random.default_rng(seed).standard_normal((regions, 2 * regions))
    return mixing @ mixing.T / (2 * regions)


def series_of(covariance_CC: np.ndarray, volumes: int = 50, seed: int = 0) -> np.ndarray:
    """Time series of exactly this covariance."""
    drawn = np.random.default_rng(seed).standard_normal((len(covariance_CC), volumes))
    drawn -= drawn.mean(axis=1, keepdims=True)
    white = np.linalg.solve(np.linalg.cholesky(drawn @ drawn.T / volumes), drawn)
    return np.linalg.cholesky(covariance_CC) @ white


def missing(timeseries_CT: np.ndarray, *regions: int) -> np.ndarray:
    holed = timeseries_CT.copy()
    holed[list(regions)] = np.nan
    return holed


def test_a_complete_scan_is_as_in_the_tangent_space_of_the_baseline() -> None:
    reference_CC, scan_CC = draw_covariance(0), draw_covariance(1)
    ours = Reference(reference_CC, EXACT).tangent_vector(series_of(scan_CC))
    whitening = whitening_at(to_triangle(reference_CC))
    np.testing.assert_allclose(ours, log_map(to_triangle(scan_CC)[None], whitening)[0], atol=1e-9)


@pytest.mark.parametrize("regions", [(2,), (0, 5), (1, 2, 3, 4)])
def test_a_scan_whose_known_regions_are_as_the_reference_is_the_origin(
    regions: tuple[int, ...],
) -> None:
    """What is completed then is the reference, so nothing differs from it."""
    reference = Reference(draw_covariance(0), EXACT)
    scan_CT = missing(series_of(reference.covariance_CC), *regions)
    np.testing.assert_allclose(reference.tangent_vector(scan_CT), 0, atol=1e-8)


def test_missing_regions_are_completed_by_what_is_expected_given_the_others() -> None:
    """By simulation: signals of the missing regions are drawn given those of the others."""
    reference_CC = draw_covariance(0)
    known_C = np.array([True, False, True, True, False, True])
    scan_KK = draw_covariance(3, known_C.sum())
    completed_CC = complete(scan_KK, known_C, reference_CC)
    np.testing.assert_array_equal(completed_CC[np.ix_(known_C, known_C)], scan_KK)
    assert np.linalg.eigvalsh(completed_CC)[0] > 0
    known, unknown = np.ix_(known_C, known_C), np.ix_(~known_C, known_C)
    slopes_MK = reference_CC[unknown] @ np.linalg.inv(reference_CC[known])
    rest_MM = reference_CC[np.ix_(~known_C, ~known_C)] - slopes_MK @ reference_CC[unknown].T
    rng, draws = np.random.default_rng(9), 200_000
    signals_CT = np.empty((REGIONS, draws))
    signals_CT[known_C] = series_of(scan_KK, draws)
    noise_MT = np.linalg.cholesky(rest_MM) @ rng.standard_normal((len(rest_MM), draws))
    signals_CT[~known_C] = slopes_MK @ signals_CT[known_C] + noise_MT
    np.testing.assert_allclose(np.cov(signals_CT), completed_CC, atol=0.02)


def test_a_scan_without_two_regions_is_unknown() -> None:
    reference = Reference(draw_covariance(0), Estimator(0.1))
    vector = reference.tangent_vector(missing(series_of(draw_covariance(1)), 0, 1, 2, 3, 4))
    assert vector.shape == (21,) and np.isnan(vector).all()
    everything = missing(series_of(draw_covariance(1)), *range(REGIONS))
    assert np.isnan(
        Reference(draw_covariance(0), Estimator(0.3, True)).tangent_vector(everything)
    ).all()


def test_the_mean_is_over_the_scans_that_have_both_regions() -> None:
    first, second, third = (draw_covariance(seed) for seed in range(3))
    mean = MeanCovariance(EXACT, REGIONS)
    mean.add(series_of(first))
    mean.add(missing(series_of(second), 5))
    mean.add(missing(series_of(third), 0, 5))
    mean.add(missing(series_of(third), 0, 1, 2, 3, 4))  # a single region says nothing
    reference_CC = mean.reference().covariance_CC
    assert mean.scans == 3
    assert reference_CC[0, 1] == pytest.approx((first[0, 1] + second[0, 1]) / 2)
    assert reference_CC[1, 2] == pytest.approx((first + second + third)[1, 2] / 3)
    assert reference_CC[5, 1] == pytest.approx(first[5, 1])


def test_a_region_that_no_scan_has_is_uncorrelated() -> None:
    mean = MeanCovariance(EXACT, REGIONS)
    mean.add(missing(series_of(draw_covariance(0)), 4))
    np.testing.assert_array_equal(mean.reference().covariance_CC[4], np.eye(REGIONS)[4])


def test_a_mean_of_pairs_becomes_positive_definite() -> None:
    """Three regions that correlate by 0.95, 0.95 and −0.95, each pair in another scan."""
    mean = MeanCovariance(EXACT, 3)
    for pair, r in (((0, 1), 0.95), ((1, 2), 0.95), ((0, 2), -0.95)):
        scan_CT = np.full((3, 50), np.nan)
        scan_CT[list(pair)] = series_of(np.array([[1, r], [r, 1]]))
        mean.add(scan_CT)
    values = np.linalg.eigvalsh(mean.reference().covariance_CC)
    assert values[0] == pytest.approx(0.01)


def test_without_the_global_signal_regions_are_z_scored_again() -> None:
    scan_CT = series_of(draw_covariance(0))
    estimate_CC, known_C = Estimator(0.3, True).estimate(missing(scan_CT, 2))
    residual = regress_out_global_signal(scan_CT[known_C])
    expected = 0.7 * np.corrcoef(residual) + 0.3 * np.eye(REGIONS - 1)
    np.testing.assert_allclose(estimate_CC, expected, atol=1e-12)


def test_shrinkage_is_that_of_the_baseline() -> None:
    scan_CT = series_of(draw_covariance(0))
    estimate_CC, _ = Estimator(0.1).estimate(scan_CT)
    np.testing.assert_allclose(estimate_CC, covariance(scan_CT, 0.1), atol=1e-12)
    assert from_triangle(to_triangle(estimate_CC)).shape == (REGIONS, REGIONS)

import numpy as np

from semantoks.scores.represent.connectivity import fisher_z, partial_correlation
from tests.unit.scores.conftest import scan_of


def test_fisher_z_of_known_correlations() -> None:
    rng = np.random.default_rng(0)
    x_CT = rng.standard_normal((4, 500))
    x_CT[1], x_CT[3] = x_CT[0], np.nan
    z = fisher_z(x_CT)  # pairs 01, 02, 03, 12, 13, 23
    assert np.isfinite(z[0]) and z[0] > 8
    assert np.tanh(z[1]) == np.float32(np.tanh(z[3]))
    assert np.isnan(z[[2, 4, 5]]).all()


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


def test_fisher_z_is_nan_only_for_missing_regions() -> None:
    rng = np.random.default_rng(1)
    series = rng.standard_normal((4, 50))
    series[2] = np.nan
    z = fisher_z(series)
    assert z.shape == (6,)
    assert np.isclose(z[0], np.arctanh(np.corrcoef(series[0], series[1])[0, 1]), atol=1e-6)
    assert np.isnan(z).tolist() == [False, True, False, True, False, True]

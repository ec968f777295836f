"""z-scores and the deviation that they take away."""

from __future__ import annotations

import numpy as np

from semantoks.artifacts.zscores import log_deviation, zscore


def test_zscore_of_a_constant_region_is_nan() -> None:
    signals_CT = np.array([[1.0, 2, 3, 4], [5, 5, 5, 5]])
    scores = zscore(signals_CT)
    assert np.isclose(scores[0].mean(), 0)
    assert np.isclose(scores[0].std(), 1)
    assert np.isnan(scores[1]).all()
    np.testing.assert_allclose(log_deviation(signals_CT), [np.log(1.25) / 2, np.nan])

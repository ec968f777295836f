import numpy as np
import pytest
from scipy import stats

from semantoks.scores.intervals import corrected_error, holm, paired_difference, summary


def test_the_correction_widens_the_interval() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.05, 10)
    plain = values.std(ddof=1) / np.sqrt(10)
    assert corrected_error(values, 0.25) == pytest.approx(plain * np.sqrt(1 + 10 * 0.25))
    interval = summary(values.tolist(), 0.25)
    assert interval["low"] < interval["mean"] < interval["high"]


def test_paired_difference_without_correction_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.7, 0.1, 12), rng.normal(0.6, 0.1, 12)
    ours = paired_difference(first.tolist(), second.tolist(), 0.0)
    assert ours["p"] == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert paired_difference([0.5, 0.5], [0.5, 0.5], 0.25)["p"] == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, float("nan"), 0.03]) == pytest.approx(
        [0.03, 0.06, float("nan"), 0.06], nan_ok=True
    )


def test_the_same_difference_on_every_split_is_no_inference() -> None:
    result = paired_difference([0.60, 0.70], [0.65, 0.75], 0.25)
    assert result["mean"] == pytest.approx(-0.05)
    assert np.isnan([result["low"], result["high"], result["p"]]).all()
    assert paired_difference([0.5, 0.5], [0.5, 0.5], 0.25)["p"] == 1

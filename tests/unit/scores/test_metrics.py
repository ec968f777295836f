import numpy as np
import pandas as pd
import pytest

from semantoks.scores.metrics import (
    classification_scores,
    regression_scores,
    with_enough_tested,
    within_sites_r,
)


def test_classification_scores_by_hand() -> None:
    truth = np.array(["a", "a", "a", "b"])
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    scores = classification_scores(truth, probability, ["a", "b"])
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["auroc"] == pytest.approx(2 / 3)


def test_calibration_error_and_macro_f1_by_hand() -> None:
    truth = np.array(["a", "a", "a", "b"])
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    scores = classification_scores(truth, probability, ["a", "b"])
    assert scores["macro_f1"] == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)
    gaps = [0.1, 0.2, 0.7, 0.4]  # four bins with one person each
    assert scores["ece"] == pytest.approx(np.mean(gaps))


def test_probabilities_of_balanced_fits_are_corrected_by_the_frequencies_of_classes() -> None:
    """Features say nothing, and 90 % of participants are controls: their share is the truth."""
    truth = np.array(["case"] * 10 + ["control"] * 90)
    probability, frequency = np.full((100, 2), 0.5), np.array([20, 180])
    assert classification_scores(truth, probability, ["case", "control"])["ece"] > 0.3
    scores = classification_scores(truth, probability, ["case", "control"], frequency)
    assert scores["ece"] == pytest.approx(0)


def test_calibration_of_few_test_participants_is_not_known() -> None:
    rows = pd.DataFrame({"ece": [0.2, 0.1], "auroc": [0.7, 0.8], "test_people": [99, 100]})
    assert with_enough_tested(rows)["ece"].isna().tolist() == [True, False]
    assert with_enough_tested(rows)["auroc"].notna().all()


def test_regression_scores_by_hand() -> None:
    truth = np.array([1.0, 2, 3, 4])
    scores = regression_scores(truth, truth + 1)
    assert scores == {"pearson_r": pytest.approx(1), "r2": pytest.approx(0.2), "mae": 1.0}


def test_metrics_of_constants_are_unknown_and_not_zero() -> None:
    truth = np.array([1.0, 2, 3, 4])
    of_chance = regression_scores(truth, np.full(4, 2.5))
    assert np.isnan(of_chance["pearson_r"]) and of_chance["r2"] == 0
    of_site = regression_scores(np.full(4, 0.1), truth)
    assert np.isnan(of_site["pearson_r"]) and np.isnan(of_site["r2"])
    site = np.repeat(["a", "b"], 10)
    assert np.isnan(within_sites_r(np.arange(20.0), np.repeat([0.1, 0.7], 10), site))


def test_correlation_within_many_small_sites_is_unknown() -> None:
    rng = np.random.default_rng(2)
    truth, predicted = rng.standard_normal((2, 18))
    assert np.isnan(within_sites_r(truth, predicted, np.minimum(np.arange(18), 9)))
    assert np.isfinite(within_sites_r(truth, predicted, np.repeat(np.arange(9), 2)))


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_of_a_phenotype_does_not_change_correlations(unit: float) -> None:
    rng = np.random.default_rng(1)
    truth, predicted = rng.standard_normal((2, 30))
    site = np.repeat(["a", "b", "c"], 10)
    r = regression_scores(truth, predicted)["pearson_r"]
    assert regression_scores(unit * truth, unit * predicted)["pearson_r"] == pytest.approx(r)
    within = within_sites_r(truth, predicted, site)
    assert within_sites_r(unit * truth, unit * predicted, site) == pytest.approx(within)


def test_correlation_within_sites_ignores_differences_between_sites() -> None:
    rng = np.random.default_rng(0)
    site = np.repeat(["a", "b", "c", "d"], 50)
    level = np.repeat([0.0, 5, 10, 15], 50)
    truth, predicted = level + rng.standard_normal(200), level + rng.standard_normal(200)
    assert regression_scores(truth, predicted)["pearson_r"] > 0.9
    assert abs(within_sites_r(truth, predicted, site)) < 0.2
    assert within_sites_r(truth, truth + level, site) == pytest.approx(1)
    assert np.isnan(within_sites_r(truth, predicted, np.full(200, "a")))

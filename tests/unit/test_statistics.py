import numpy as np
import pytest
from scipy import stats

from semantoks.benchmark import compare
from semantoks.statistics import (
    classification_scores,
    corrected_error,
    paired_difference,
    regression_scores,
    summary,
)


def test_classification_scores_by_hand() -> None:
    truth = np.array(["a", "a", "a", "b"])
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    scores = classification_scores(truth, probability, ["a", "b"])
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["auroc"] == pytest.approx(2 / 3)


def test_regression_scores_by_hand() -> None:
    truth = np.array([1.0, 2, 3, 4])
    scores = regression_scores(truth, truth + 1)
    assert scores == {"pearson_r": pytest.approx(1), "r2": pytest.approx(0.2), "mae": 1.0}
    assert regression_scores(truth, np.full(4, 2.5))["pearson_r"] == 0


def test_the_correction_widens_the_interval() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.05, 10)
    plain = values.std(ddof=1) / np.sqrt(10)
    assert corrected_error(values, 0.25) == pytest.approx(plain * np.sqrt(1 + 10 * 0.25))
    about = summary(values.tolist(), 0.25)
    assert about["low"] < about["mean"] < about["high"]


def test_paired_difference_without_correction_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.7, 0.1, 12), rng.normal(0.6, 0.1, 12)
    ours = paired_difference(first.tolist(), second.tolist(), 0.0)
    assert ours["p"] == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert paired_difference([0.5, 0.5], [0.5, 0.5], 0.25)["p"] == 1.0


def test_compare_measures_everybody_against_connectivity() -> None:
    task = {
        "phenotype": "group",
        "kind": "classification",
        "people": 25,
        "test_people": 5,
        "classes": {"a": 12, "b": 13},
        "people_without_value": 0,
        "people_without_scan": 0,
        "features": 3,
    }
    values = {"fc": [0.6, 0.7, 0.65], "model": [0.8, 0.9, 0.8]}
    scores = [
        task
        | {"representation": name}
        | {"scores": dict.fromkeys(("balanced_accuracy", "auroc", "accuracy"), v)}
        for name, v in values.items()
    ]
    result = compare(scores)
    fc, model = result["representations"]
    assert "difference_from_fc" not in fc
    assert model["difference_from_fc"]["mean"] == pytest.approx(0.55 / 3)
    assert result["repeats"] == 3

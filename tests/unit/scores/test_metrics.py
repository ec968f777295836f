import numpy as np
import pandas as pd
import pytest
from scipy import stats

from semantoks.errors import UserError
from semantoks.scores.benchmark.stage import compare, worth
from semantoks.scores.card.reliability import icc, identification
from semantoks.scores.intervals import corrected_error, holm, paired_difference, summary
from semantoks.scores.metrics import (
    CLASSIFICATION,
    classification_scores,
    regression_scores,
    within_sites_r,
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


def test_classification_scores_of_calibration_and_f1() -> None:
    truth = np.array(["a", "a", "a", "b"])
    probability = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    scores = classification_scores(truth, probability, ["a", "b"])
    assert scores["macro_f1"] == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)
    gaps = [0.1, 0.2, 0.7, 0.4]  # four bins with one person each
    assert scores["ece"] == pytest.approx(np.mean(gaps))


def test_within_sites_nothing_is_left_of_what_the_site_says() -> None:
    rng = np.random.default_rng(0)
    site = np.repeat(["a", "b", "c", "d"], 50)
    level = np.repeat([0.0, 5, 10, 15], 50)
    truth, predicted = level + rng.standard_normal(200), level + rng.standard_normal(200)
    assert regression_scores(truth, predicted)["pearson_r"] > 0.9
    assert abs(within_sites_r(truth, predicted, site)) < 0.2
    assert within_sites_r(truth, truth + level, site) == pytest.approx(1)
    assert np.isnan(within_sites_r(truth, predicted, np.full(200, "a")))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, float("nan"), 0.03]) == pytest.approx(
        [0.03, 0.06, float("nan"), 0.06], nan_ok=True
    )


def test_people_are_found_again_by_their_features() -> None:
    rng = np.random.default_rng(0)
    person = rng.standard_normal((20, 300))
    first, second = (person + 0.5 * rng.standard_normal(person.shape) for _ in range(2))
    assert identification(first, second) == 1
    assert identification(first, rng.standard_normal(person.shape)) < 0.2
    assert np.median(icc(first, second)) == pytest.approx(1 / 1.25, abs=0.05)


def rows_of(values: list[float], scheme: str = "random") -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(CLASSIFICATION, values))
    table = table.assign(split=[f"{scheme} {i}" for i in range(len(values))], scheme=scheme)
    return table.assign(held_out="", fraction=1.0, train_people=20, test_people=5)


def test_compare_measures_everybody_against_connectivity() -> None:
    about = {
        "phenotype": "group",
        "kind": "classification",
        "bins": None,
        "people": 25,
        "classes": {"a": 12, "b": 13},
        "left_out": {},
        "protocol": "exact",
        "confounds": "none",
        "features": 3,
        "p_permutation": None,
        "shuffled_deviation": None,
    }
    values = {"fc": [0.6, 0.7, 0.65], "model": [0.8, 0.9, 0.8]}
    scores = [(about | {"representation": name}, rows_of(v)) for name, v in values.items()]
    result = compare(scores)
    (scheme,) = result["schemes"]
    fc, model = scheme["representations"]
    assert "difference_from_fc" not in fc
    assert model["difference_from_fc"]["mean"] == pytest.approx(0.55 / 3)
    assert (scheme["splits"], scheme["test_people"]) == (3, 5)
    other = (about | {"representation": "x"}, rows_of([0.5], "fixed"))
    with pytest.raises(UserError, match="scored on different splits"):
        compare([*scores, other])


def test_what_labels_are_worth() -> None:
    bar = [{"train_people": n, "mean": s} for n, s in ((10, 0.5), (100, 0.6), (1000, 0.7))]
    better = [{"train_people": n, "mean": s} for n, s in ((10, 0.6), (100, 0.7), (1000, 0.75))]
    assert worth(better, bar) == pytest.approx(10)
    assert worth(bar, better) == pytest.approx(0.1)
    assert worth(bar, bar) == pytest.approx(1)

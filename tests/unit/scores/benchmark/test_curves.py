import pandas as pd
import pytest

from semantoks.scores.benchmark.comparison import CurvePoint
from semantoks.scores.benchmark.curves import (
    label_efficiency,
    learning_curve,
    with_label_efficiency,
)


def curve(*means: float) -> list[CurvePoint]:
    sizes = (10, 100, 1000)
    return [CurvePoint(train_people=n, mean=m, sd=0) for n, m in zip(sizes, means, strict=True)]


def test_label_efficiency_is_the_ratio_of_training_sizes_at_equal_scores() -> None:
    baseline, better = curve(0.5, 0.6, 0.7), curve(0.6, 0.7, 0.75)
    assert label_efficiency(better, baseline) == pytest.approx(10)
    assert label_efficiency(baseline, better) == pytest.approx(0.1)
    assert label_efficiency(baseline, baseline) == pytest.approx(1)


def test_label_efficiency_is_withheld_where_the_better_curve_starts_above() -> None:
    """Below the smallest size nothing is known: 0.01 would be a bound, not a number."""
    baseline, worse = curve(0.6, 0.65, 0.7), curve(0.4, 0.45, 0.5)
    assert label_efficiency(worse, baseline) is None
    assert label_efficiency(baseline, worse) is None


def test_label_efficiency_is_in_the_last_point_of_all_but_the_baseline() -> None:
    curves = {"fc": curve(0.5, 0.6, 0.7), "model": curve(0.6, 0.7, 0.75)}
    result = with_label_efficiency(curves, "fc", {"fc", "model"})
    assert [point.worth for point in result["fc"]] == [None, None, None]
    assert [point.worth for point in result["model"]] == [None, None, pytest.approx(10)]
    alone = with_label_efficiency({"model": curves["model"]}, "fc", {"model"})
    assert alone["model"][-1].worth is None


@pytest.mark.parametrize("predictive", [{"fc"}, {"model"}, set()])
def test_label_efficiency_of_noise_is_not_known(predictive: set[str]) -> None:
    curves = {"fc": curve(0.5, 0.6, 0.7), "model": curve(0.6, 0.7, 0.75)}
    result = with_label_efficiency(curves, "fc", predictive)
    assert result["model"][-1].worth is None


def test_a_learning_curve_averages_random_splits() -> None:
    rows = pd.DataFrame({"fraction": [0.5, 1, 0.5, 1, 1], "train_people": [10, 20, 10, 20, 30]})
    rows = rows.assign(r=[0.1, 0.3, 0.2, 0.4, 9.0], scheme=["random"] * 4 + ["site"])
    points = learning_curve(rows, "r")
    assert [(point.train_people, round(point.mean, 6)) for point in points] == [
        (10, 0.15),
        (20, 0.35),
    ]
    assert learning_curve(rows[rows["fraction"] == 1], "r") == []

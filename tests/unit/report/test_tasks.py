import pytest

from semantoks.report.tasks import ScoreRow, holm_adjusted
from semantoks.scores.benchmark.comparison import Comparison, Difference, Row, Summary
from semantoks.scores.benchmark.comparison import SchemeResult as Result

SCORE = Summary(mean=0.6, sd=0.1, low=0.5, high=0.7)


def difference(p: float, mean: float = 0.1) -> Difference:
    return Difference(baseline="fc", mean=mean, low=0, high=0.2, p=p)


def comparison(p: float) -> Comparison:
    row = {"features": 3, "metrics": {"auroc": SCORE}}
    rows = [
        Row(representation="fc", **row),
        Row(representation="model", difference_from_baseline=difference(p), **row),
    ]
    scheme = Result(
        scheme="random",
        splits=10,
        held_out=[],
        train_people=16,
        test_people=4,
        representations=rows,
    )
    return Comparison(
        dataset="toy",
        phenotype="x",
        kind="classification",
        bins=None,
        people=20,
        classes=None,
        left_out={},
        protocol="exact",
        confounds="none",
        metric="auroc",
        schemes=[scheme],
        curves={},
        permutation={},
    )


def test_p_values_are_adjusted_over_the_tasks_of_the_page() -> None:
    key = "random", "model"
    adjusted = holm_adjusted([comparison(0.01), comparison(0.04)])
    assert adjusted == [{key: pytest.approx(0.02)}, {key: pytest.approx(0.04)}]


def test_a_verdict_that_is_withheld_says_why() -> None:
    reason = "fewer than 10 test participants"
    row = ScoreRow("model", SCORE, {}, difference(float("nan")), float("nan"), None, reason)
    assert row.verdict == "not compared (fewer than 10 test participants)"


def test_above_a_bad_baseline_is_not_above_chance() -> None:
    paired = difference(0.01, 0.8)
    verdicts = [
        ScoreRow("model", SCORE, {}, paired, 0.01, p_permutation).verdict
        for p_permutation in (0.01, 0.11, None)
    ]
    assert verdicts == ["above baseline", "above baseline, not above chance", "above baseline"]
    paired = paired.model_copy(update={"low": 0.3})
    verdicts = [
        ScoreRow("model", SCORE, {}, paired, 0.01, 0.01, below_chance=gap).verdict
        for gap in (0.2, 0.3)
    ]
    assert verdicts == ["above baseline", "above baseline, not above chance"]


@pytest.mark.parametrize(
    ("representation", "mean", "p_holm", "verdict"),
    [
        ("fc", 0.0, None, "baseline"),
        ("model", 0.1, 0.01, "above baseline"),
        ("model", -0.1, 0.01, "below baseline"),
        ("model", 0.1, 0.05, "no clear difference"),
        ("model", 0.1, float("nan"), "not compared"),
    ],
)
def test_verdicts(representation: str, mean: float, p_holm: float | None, verdict: str) -> None:
    paired = None if p_holm is None else difference(p_holm, mean)
    is_baseline = representation == "fc"
    row = ScoreRow(representation, SCORE, {}, paired, p_holm, None, is_baseline=is_baseline)
    assert row.verdict == verdict

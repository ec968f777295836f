from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Difference
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.benchmark.withheld import NO_BASELINE, NOT_FINETUNED
from tests.unit.scores.benchmark.conftest import REGRESSION_TASK, TASK, scores_of


def test_representations_are_compared_with_connectivity() -> None:
    scores = [scores_of("fc", [0.6, 0.7, 0.65]), scores_of("model", [0.8, 0.9, 0.8])]
    (scheme,) = compare(scores, "toy").schemes
    fc, model = scheme.representations
    assert fc.difference_from_baseline is None
    assert model.difference_from_baseline is not None
    assert model.difference_from_baseline.mean == pytest.approx(0.55 / 3)
    assert (scheme.splits, scheme.test_people) == (3, 10)


def test_scores_of_other_splits_or_phenotypes_are_refused() -> None:
    scores = scores_of("fc", [0.6, 0.7])
    with pytest.raises(UserError, match="scored on different splits"):
        compare([scores, scores_of("model", [0.5], "fixed")], "toy")
    other = replace(scores, task=replace(TASK, phenotype="sex"))
    with pytest.raises(UserError, match="exactly one phenotype; these scores are of group, sex"):
        compare([scores, other], "toy")


def difference_of(model: ProbeScores, fc: ProbeScores) -> tuple[Difference, str | None]:
    (scheme,) = compare([fc, model], "toy").schemes
    difference = scheme.representations[1].difference_from_baseline
    assert difference is not None
    return difference, scheme.representations[1].no_verdict


@pytest.mark.parametrize("task", [TASK, REGRESSION_TASK])
def test_differences_use_the_permutations_of_both_rows_jointly(task: Task) -> None:
    """What two rows share in every permutation cancels out of their difference."""
    rng = np.random.default_rng(0)
    common = 0.5 * (task.kind == "classification") + 0.1 * rng.standard_normal(200)
    shuffled = [(common + 0.01 * rng.standard_normal(200)).tolist() for _ in range(2)]
    values = [0.52, 0.56], [0.5, 0.5]
    if task is REGRESSION_TASK:
        values = [0.02, 0.06], [0.0, 0.0]
    model, fc = (
        scores_of(name, row, task=task, shuffled=means)
        for name, row, means in zip(("model", "fc"), values, shuffled, strict=True)
    )
    difference, reason = difference_of(model, fc)
    assert difference.mean == pytest.approx(0.04)
    assert (difference.method, reason) == ("shuffles", None)
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * 0.01414, rel=0.1)
    assert difference.p == pytest.approx(2 * stats.norm.sf(0.04 / 0.01414), abs=0.005)


@pytest.mark.parametrize(
    ("task", "tested", "values", "reason"),
    [
        (TASK, 3, [0.9, 0.95, 0.9], "fewer than 10 test participants"),
        (REGRESSION_TASK, 3, [0.9, 0.95, 0.9], "fewer than 10 test participants"),
        (TASK, 10, [0.9], "a single split"),
        (REGRESSION_TASK, 10, [0.9, 0.95, 0.9], "fewer than 99 permutations of both rows"),
        (TASK, 10, [0.9, 0.95, 0.9], None),
    ],
)
def test_verdicts_are_withheld_with_a_reason(
    task: Task, tested: int, values: list[float], reason: str | None
) -> None:
    fc = scores_of("fc", [0.5] * len(values), task=task, tested=tested)
    model = scores_of("model", values, task=task, tested=tested)
    difference, given = difference_of(model, fc)
    assert given == reason
    assert np.isnan(difference.p) == (reason is not None)


def test_chance_is_not_compared_and_has_no_metric_that_depends_on_the_alphabet() -> None:
    scores = [scores_of("fc", [0.6, 0.7]), scores_of("chance", [0.5, 0.5], features=0)]
    (scheme,) = compare(scores, "toy").schemes
    chance = scheme.representations[1]
    assert chance.difference_from_baseline is None and chance.no_verdict == "has no features"
    assert chance.metrics["balanced_accuracy"].mean == 0.5
    assert all(np.isnan(chance.metrics[name].mean) for name in ("accuracy", "ece", "macro_f1"))
    assert any("Chance has no features" in note for note in scheme.notes)


def test_correlations_of_few_or_constant_participants_are_not_averaged() -> None:
    rows = scores_of("fc", [0.9, np.nan, 0.2, 0.4], "site", task=REGRESSION_TASK)
    rows.rows["test_people"] = [4, 12, 12, 12]
    (scheme,) = compare([rows], "toy").schemes
    assert scheme.representations[0].metrics["pearson_r"].mean == pytest.approx(0.3)
    assert [note.split(",")[0] for note in scheme.notes] == [
        "r and R² are not computed in 1 of 4 sites",
        "r is undefined in 1 of 4 sites",
    ]


def test_means_of_one_table_are_over_the_same_sites() -> None:
    """The model has no r at the hardest site, where its prediction is constant."""
    fc = scores_of("fc", [0.9, 0.7, 0.1], "site", task=REGRESSION_TASK)
    model = scores_of("model", [0.8, 0.6, np.nan], "site", task=REGRESSION_TASK)
    chance = scores_of("chance", [np.nan] * 3, "site", task=REGRESSION_TASK, features=0)
    (scheme,) = compare([fc, model, chance], "toy").schemes
    means = [row.metrics["pearson_r"].mean for row in scheme.representations[:2]]
    assert means == pytest.approx([0.8, 0.7])
    assert "r is undefined in 1 of 3 sites" in scheme.notes[0]


def test_a_column_has_one_kind_of_interval() -> None:
    """The corrected t would be narrower than the permutations beside it."""
    rng = np.random.default_rng(1)
    fc = scores_of(
        "fc", [0.1, 0.2], task=REGRESSION_TASK, shuffled=list(0.1 * rng.standard_normal(99))
    )
    model = scores_of("model", [0.1, 0.3], task=REGRESSION_TASK)
    (scheme,) = compare([fc, model], "toy").schemes
    intervals = [row.metrics["pearson_r"] for row in scheme.representations]
    assert np.isfinite(intervals[0].low) and np.isnan(intervals[1].low)
    assert any("come from permutations" in note for note in scheme.notes)


@pytest.mark.parametrize(("scheme", "has_interval"), [("random", False), ("site", True)])
def test_r_within_sites_has_an_interval_over_sites_only(scheme: str, has_interval: bool) -> None:
    """Its permutations are not kept, and the corrected t of random splits is too narrow."""
    shuffled = np.random.default_rng(1).normal(0, 0.1, 99).tolist()
    fc = scores_of("fc", [0.1, 0.2], scheme, task=REGRESSION_TASK, shuffled=shuffled)
    fc = replace(fc, rows=fc.rows.assign(pearson_r_within_sites=[0.1, 0.15]))
    metrics = compare([fc], "toy").schemes[0].representations[0].metrics
    assert np.isfinite([metrics["pearson_r"].low, metrics["mae"].low]).all()
    within = metrics["pearson_r_within_sites"]
    assert np.isfinite(within.mean) and np.isfinite([within.low, within.high]).all() == has_interval


PAPER_TASK = replace(TASK, protocol="paper")


def test_rows_of_the_papers_head_are_compared_with_connectivity_by_that_head() -> None:
    scores = [
        scores_of("fc", [0.6, 0.7, 0.65]),
        scores_of("model", [0.8, 0.9, 0.8]),
        scores_of("fc@paper", [0.5, 0.6, 0.55], task=PAPER_TASK),
        scores_of("model@paper", [0.6, 0.8, 0.65], task=PAPER_TASK),
    ]
    comparison = compare(scores, "toy")
    (scheme,) = comparison.schemes
    rows = {row.representation: row for row in scheme.representations}
    assert comparison.protocol == "both"
    assert [row.protocol for row in rows.values()] == ["exact", "exact", "paper", "paper"]
    assert (
        rows["fc"].difference_from_baseline is None
        and rows["fc@paper"].difference_from_baseline is None
    )
    for name, expected in (("model", 0.55 / 3), ("model@paper", 0.4 / 3)):
        difference = rows[name].difference_from_baseline
        assert difference is not None and difference.mean == pytest.approx(expected)
    assert (scheme.train_people, scheme.validation_people, scheme.test_people) == (40, 10, 10)


def test_verdicts_refer_to_the_best_connectivity_where_there_is_one() -> None:
    """Rows of the paper's head have none and refer to Pearson connectivity by that head."""
    best = scores_of("best_connectivity", [0.7, 0.8, 0.75])
    best = replace(best, rows=best.rows.assign(chosen=["fc_gsr", "fc", "fc_gsr"]))
    scores = [
        scores_of("model", [0.8, 0.9, 0.8]),
        best,
        scores_of("fc", [0.6, 0.8, 0.65]),
        scores_of("fc_gsr", [0.7, 0.7, 0.75]),
        scores_of("fc@paper", [0.5, 0.6, 0.55], task=PAPER_TASK),
        scores_of("fc_gsr@paper", [0.6, 0.8, 0.65], task=PAPER_TASK),
    ]
    comparison = compare(scores, "toy")
    assert comparison.baseline == "best_connectivity"
    (scheme,) = comparison.schemes
    rows = {row.representation: row for row in scheme.representations}
    differences = {name: row.difference_from_baseline for name, row in rows.items()}
    assert {name: d and d.baseline for name, d in differences.items()} == {
        "model": "best_connectivity",
        "best_connectivity": None,
        "fc": "best_connectivity",
        "fc_gsr": "best_connectivity",
        "fc@paper": None,
        "fc_gsr@paper": "fc@paper",
    }
    assert differences["model"] is not None
    assert differences["model"].mean == pytest.approx(0.25 / 3)
    assert rows["best_connectivity"].chosen == {"fc_gsr": 2, "fc": 1}
    assert rows["fc"].chosen is None


@pytest.mark.parametrize(
    ("names", "baseline"),
    [(["fc_gsr", "model"], "fc_gsr"), (["confounds", "model"], None)],
)
def test_the_only_connectivity_is_the_baseline_and_without_any_nothing_is_compared(
    names: list[str], baseline: str | None
) -> None:
    comparison = compare([scores_of(name, [0.6, 0.7, 0.65]) for name in names], "toy")
    (scheme,) = comparison.schemes
    assert comparison.baseline == baseline
    assert (NO_BASELINE in scheme.notes) is (baseline is None)
    assert (scheme.representations[1].difference_from_baseline is None) is (baseline is None)


def test_who_validates_does_not_train_in_the_corrected_t() -> None:
    """Source: Nadeau and Bengio 2003; the factor is 1 / splits + test / training."""
    values, splits = [0.6, 0.8, 0.65], 3
    for task, trained in ((TASK, 40), (PAPER_TASK, 30)):
        (scheme,) = compare([scores_of("fc", values, task=task)], "toy").schemes
        summary = scheme.representations[0].metrics["auroc"]
        factor = 1 / splits + 10 / trained
        half = stats.t.ppf(0.975, splits - 1) * np.sqrt(factor) * np.std(values, ddof=1)
        assert summary.low == pytest.approx(max(0, np.mean(values) - half))


def test_sites_that_are_left_out_have_no_row_by_the_papers_head() -> None:
    exact = scores_of("fc", [0.6, 0.7])
    sites = scores_of("fc", [0.5, 0.6], "site").rows
    exact = replace(exact, rows=pd.concat([exact.rows, sites]))
    paper = scores_of("fc@paper", [0.5, 0.6], task=PAPER_TASK)
    random, site = compare([exact, paper], "toy").schemes
    assert [row.representation for row in random.representations] == ["fc", "fc@paper"]
    assert [row.representation for row in site.representations] == ["fc"]
    assert any("head has no rows here" in note for note in site.notes)
    assert not any("head has no rows here" in note for note in random.notes)
    # All random splits must be the same.
    with pytest.raises(UserError, match="scored on different splits"):
        compare([exact, replace(paper, rows=paper.rows[:1])], "toy")


def test_rows_that_share_values_have_intervals_from_permutations_only() -> None:
    """The corrected t is too narrow for a phenotype that is the same in all blocks of a person."""
    task = replace(TASK, persons=8, permuted="people")
    shuffled = np.random.default_rng(0).normal(0.5, 0.05, 200).tolist()
    values = [0.62, 0.64, 0.6]
    for means, half in ((shuffled, 1.96 * 0.05), (None, np.nan)):
        scores = [scores_of(name, values, task=task, shuffled=means) for name in ("fc", "model")]
        comparison = compare(scores, "toy")
        (scheme,) = comparison.schemes
        score = scheme.representations[0].metrics["balanced_accuracy"]
        assert (score.high - score.low) / 2 == pytest.approx(half, rel=0.1, nan_ok=True)
        assert "permutations of whole people" in scheme.notes[0]
        metrics = scheme.representations[0].metrics
        others = [other for name, other in metrics.items() if name != task.metrics[0]]
        assert np.isnan([other.low for other in others]).all()
        assert np.isfinite(metrics["auroc"].mean)
        reason = scheme.representations[1].no_verdict
        assert (reason is None) is (means is not None)
        assert (comparison.persons, comparison.permuted) == (8, "people")
    within = replace(TASK, persons=8, permuted="within people")
    (scheme,) = compare([scores_of("fc", values, task=within)], "toy").schemes
    metrics = scheme.representations[0].metrics
    assert np.isfinite([metrics["balanced_accuracy"].high, metrics["auroc"].high]).all()


FINETUNED = replace(TASK, protocol="finetune")


def test_a_row_of_fewer_splits_is_compared_over_these() -> None:
    """And no other row loses a split."""
    fc = scores_of("fc", [0.6, 0.7, 0.8, 0.5])
    other = scores_of("m", [0.7, 0.7, 0.7, 0.8])
    tuned = scores_of("m-finetuned", [0.7, 0.9], task=FINETUNED)
    for order in ([fc, other, tuned], [tuned, fc, other]):
        result = compare(order, "toy")
        scheme = result.schemes[0]
        rows = {row.representation: row for row in scheme.representations}
        assert (result.protocol, scheme.splits, scheme.validation_people) == ("exact", 4, 0)
        assert (rows["m-finetuned"].splits, rows["m"].splits) == (2, None)
        difference = rows["m-finetuned"].difference_from_baseline
        assert difference is not None and difference.mean == pytest.approx(0.15)
        assert rows["fc"].metrics["balanced_accuracy"].mean == pytest.approx(0.65)
        of_other = rows["m"].difference_from_baseline
        assert of_other is not None and of_other.mean == pytest.approx(0.075)
        assert any("(m-finetuned 2)" in note for note in scheme.notes)


def test_other_splits_of_a_fine_tuned_row_are_refused() -> None:
    tuned = scores_of("m-finetuned", [0.7, 0.9], task=FINETUNED)
    rows = tuned.rows.assign(split=["random 0", "random 9"])
    with pytest.raises(UserError, match="different splits"):
        compare([scores_of("fc", [0.6, 0.7, 0.8]), replace(tuned, rows=rows)], "toy")


def test_sites_that_are_left_out_need_no_fine_tuned_row() -> None:
    fc = scores_of("fc", [0.6, 0.7])
    sites = scores_of("fc", [0.5, 0.6], "site").rows
    fc = replace(fc, rows=pd.concat([fc.rows, sites], ignore_index=True))
    result = compare([fc, scores_of("m-finetuned", [0.7, 0.9], task=FINETUNED)], "toy")
    assert [len(scheme.representations) for scheme in result.schemes] == [2, 1]
    assert NOT_FINETUNED in result.schemes[1].notes
    assert NOT_FINETUNED not in result.schemes[0].notes

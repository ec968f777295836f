from __future__ import annotations

import math

from semantoks.config import Config, Report
from semantoks.report.summary import page_summary
from semantoks.report.tasks import task_sections
from semantoks.scores.benchmark.comparison import Comparison, Difference, Row, SchemeResult, Summary

OPEN = Report(participants=True)
CONFIG = Config.model_validate(
    {"datasets": {"toy": {"simulate": {}, "phenotypes": {"group": "classification"}}}}
)


def row(name: str, mean: float, p: float | None) -> Row:
    difference = None
    if p is not None:
        gain = mean - 0.6
        difference = Difference(baseline="fc", mean=gain, low=gain - 0.1, high=gain + 0.1, p=p)
    return Row(
        representation=name,
        features=3,
        metrics={"auroc": Summary(mean=mean, sd=0.1, low=mean - 0.1, high=mean + 0.1)},
        difference_from_baseline=difference,
    )


def comparison(*rows: Row) -> Comparison:
    scheme = SchemeResult(
        scheme="random",
        splits=10,
        held_out=[],
        train_people=100,
        test_people=25,
        representations=list(rows),
    )
    return Comparison(
        dataset="toy",
        phenotype="group",
        kind="classification",
        bins=None,
        people=125,
        classes={"a": 60, "b": 65},
        left_out={},
        protocol="exact",
        confounds="none",
        metric="auroc",
        baseline="fc",
        schemes=[scheme],
        curves={},
        permutation={},
    )


def test_connectivity_that_is_combined_is_no_model() -> None:
    combined = {"combined": {"both": ["fc", "tangent"]}, "models": {}}
    config = Config.model_validate(CONFIG.model_dump(exclude_defaults=True) | combined)
    task = comparison(row("fc", 0.6, None), row("both", 0.8, 0.001))
    summary = page_summary(task_sections([task], [], {}, config, OPEN), config, OPEN)
    assert "comparisons of a model" not in summary.lead and not summary.figure


def test_the_top_says_what_beats_what_and_on_how_many_people() -> None:
    task = comparison(
        row("fc", 0.6, None),
        row("good", 0.8, 0.001),
        row("same", 0.62, 0.7),
        row("bad", 0.5, 0.01),
        row("confounds", 0.9, 0.001),  # not a model
    )
    summary = page_summary(task_sections([task], [], {}, CONFIG, OPEN), CONFIG, OPEN)
    assert summary.lead.startswith(
        "Of 3 comparisons of a model with connectivity (Pearson) (3 rows of models, 1 phenotype), "
        "1 is clearly above it, 1 clearly below, and 1 shows no clear difference"
    )
    (line,) = summary.tasks
    assert line.title == "group in toy"
    assert line.text == (
        "125 participants; AUROC of connectivity (Pearson) 0.60 (0.50 to 0.70). "
        "Above it: good 0.80. Below it: bad 0.50. No clear difference: same 0.62."
    )
    assert summary.figure is not None
    assert all(f">{name}<" in summary.figure for name in ("good", "same", "bad"))
    assert ">confounds only<" not in summary.figure
    assert list(summary.cautions.values()) == [["toy"]]  # that the data are simulated


def test_what_is_not_compared_or_not_above_chance_is_said() -> None:
    lucky = comparison(row("fc", 0.6, None), row("model", 0.7, 0.001))
    lucky = lucky.model_copy(update={"permutation": {"model": 0.4}})
    few = row("model", 0.5, None).model_copy(update={"no_verdict": "4 tested"})
    skipped = comparison(row("fc", 0.3, None), few).model_copy(update={"phenotype": "sex"})
    summary = page_summary(task_sections([lucky, skipped], [], {}, CONFIG, OPEN), CONFIG, OPEN)
    assert "0 are clearly above it" in summary.lead
    assert "1 more is above it, but not clearly above chance" in summary.lead
    assert "Not compared: sex;" in summary.lead
    assert summary.tasks[0].text.endswith("Above it, but not clearly above chance: model 0.70.")
    assert summary.tasks[1].text.endswith("No model is compared: 4 tested.")


def test_connectivity_above_the_chosen_one_is_named() -> None:
    chosen = row("best_connectivity", 0.7, None).model_copy(update={"chosen": {"fc": 10}})
    others = row("tangent", 0.75, 0.5), row("fc", 0.7, None), row("confounds", 0.9, None)
    task = comparison(chosen, *others).model_copy(update={"baseline": "best_connectivity"})
    (line,) = page_summary(task_sections([task], [], {}, CONFIG, OPEN), CONFIG, OPEN).tasks
    assert line.text.endswith(
        "The best connectivity is chosen within the training data; on the test participants "
        "these score higher: tangent connectivity 0.75."
    )
    less = comparison(chosen, row("tangent", 0.69, 0.5)).model_copy(update={"baseline": "x"})
    (line,) = page_summary(task_sections([less], [], {}, CONFIG, OPEN), CONFIG, OPEN).tasks
    assert "score higher" not in line.text


def test_a_page_without_comparisons_says_so() -> None:
    assert page_summary([], CONFIG, OPEN).lead == "No phenotype is scored."
    task = comparison(row("fc", 0.6, None), row("model", math.nan, None))
    summary = page_summary(task_sections([task], [], {}, CONFIG, OPEN), CONFIG, OPEN)
    assert summary.lead == "No model is compared with connectivity." and summary.figure is None


def test_too_few_test_participants_are_said_at_the_top() -> None:
    """With the key that has more of them tested; a score that is not known is no number."""
    few = comparison(row("fc", math.nan, None), row("good", math.nan, 0.001))
    rows = [
        r.model_copy(update={"no_verdict": "fewer than 10 test participants"})
        for r in few.schemes[0].representations
    ]
    scheme = few.schemes[0].model_copy(update={"representations": rows})
    few = few.model_copy(update={"schemes": [scheme]})
    summary = page_summary(task_sections([few], [], {}, CONFIG, OPEN), CONFIG, OPEN)
    assert summary.lead == (
        "No model is compared with connectivity: fewer than 10 test participants. It takes 20 "
        "usable participants to test 10 of them, and of classes at least 5 of each to train on. A "
        "participant is usable with a value of the phenotype and a scan that is not excluded."
    )
    assert "AUROC of connectivity (Pearson) is not computed." in summary.tasks[0].text

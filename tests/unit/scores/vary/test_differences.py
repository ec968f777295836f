"""Differences of a variant from the main analysis, against numbers that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.intervals import paired_difference
from semantoks.scores.vary.differences import (
    OTHER_PEOPLE,
    ScoredRow,
    difference_from_main,
    who_is_tested,
)

SPLITS, TESTED = 4, 20


def scored(
    right: float, seed: int, people: range = range(TESTED), shuffled: list[float] | None = None
) -> ScoredRow:
    """Score predictions of two classes, of which about a share is right, in every split."""
    rng = np.random.default_rng(seed)
    tables, rows = [], []
    for split in range(SPLITS):
        target = np.array(["ab"[i % 2] for i in range(TESTED)])
        other = np.where(target == "a", "b", "a")
        predicted = np.where(rng.random(TESTED) < right, target, other)
        ids = [f"sub-{split}{i}" for i in range(TESTED)]
        table = pd.DataFrame({"participant_id": ids, "target": target, "predicted": predicted})
        table = table.iloc[list(people)].assign(split=f"random {split}")
        tables.append(table)
        accuracy = balanced_accuracy_score(table["target"], table["predicted"])
        rows.append({"split": f"random {split}", "balanced_accuracy": accuracy})
    complete = {"scheme": "random", "held_out": "", "fraction": 1.0, "auroc": 0.5, "ece": 0.1}
    counts = {"train_people": 60, "validation_people": 0, "test_people": len(people)}
    task = Task("x", "classification", None, 80, {"a": 40, "b": 40}, {}, "exact", "none")
    table = pd.DataFrame(rows).assign(**complete, **counts)
    return ScoredRow(ProbeScores(task, "fc", 5, None, shuffled, table), pd.concat(tables))


def accuracies(row: ScoredRow) -> list[float]:
    return row.scores.rows["balanced_accuracy"].to_list()


def test_the_same_people_are_compared_split_by_split() -> None:
    main, variant = scored(0.6, 0), scored(0.9, 1)
    assert who_is_tested(main, variant) == "same"
    made = difference_from_main(main, variant, "random", "same")
    expected = paired_difference(accuracies(variant), accuracies(main), TESTED / 60)
    assert made.difference is not None and made.splits == SPLITS
    for key, value in expected.items():
        assert getattr(made.difference, key) == pytest.approx(value)
    assert (made.difference.baseline, made.no_verdict) == ("main analysis", None)


def test_permutations_are_used_where_both_have_them() -> None:
    shuffled = np.random.default_rng(0).normal(0.5, 0.05, (2, 200)).tolist()
    rows = [scored(0.6, 0, shuffled=shuffled[0]), scored(0.9, 1, shuffled=shuffled[1])]
    made = difference_from_main(*rows, "random", "same").difference
    assert made is not None and made.method == "shuffles"
    assert made.mean == pytest.approx(np.mean(accuracies(rows[1])) - np.mean(accuracies(rows[0])))
    made = difference_from_main(*rows, "random", "common").difference
    assert made is not None and made.method == "corrected t"


def test_fewer_people_are_compared_with_the_same_people() -> None:
    """The main analysis is right for those who stay, and wrong for those who go."""
    main = scored(1.0, 0)
    gone = main.predictions["participant_id"].str[5:].astype(int) >= 14
    wrong = main.predictions["target"].map({"a": "b", "b": "a"})
    main.predictions["predicted"] = main.predictions["predicted"].where(~gone, wrong)
    variant = scored(0.8, 1, range(14))
    assert who_is_tested(main, variant) == "common"
    made = difference_from_main(main, variant, "random", "common").difference
    assert made is not None
    assert made.mean == pytest.approx(np.mean(accuracies(variant)) - 1)


def test_who_has_only_trained_is_missing_all_the_same() -> None:
    """Permutations of fewer participants are others, so the corrected t is used."""
    main, variant = scored(0.6, 0), scored(0.9, 1)
    task = replace(variant.scores.task, people=79)
    fewer = replace(variant, scores=replace(variant.scores, task=task))
    assert who_is_tested(main, fewer) == "common"


def test_splits_that_only_one_has_do_not_count() -> None:
    main, variant = scored(0.6, 0), scored(0.9, 1)
    rows, predictions = variant.scores.rows, variant.predictions
    fewer = ScoredRow(
        ProbeScores(variant.scores.task, "fc", 5, None, None, rows.iloc[1:].reset_index(drop=True)),
        predictions[predictions["split"] != "random 0"],
    )
    assert who_is_tested(main, fewer) == "same"
    made = difference_from_main(main, fewer, "random", "same")
    assert made.splits == SPLITS - 1 and made.difference is not None
    expected = np.mean(accuracies(variant)[1:]) - np.mean(accuracies(main)[1:])
    assert made.difference.mean == pytest.approx(expected)


def test_other_people_are_not_compared() -> None:
    main, variant = scored(0.6, 0), scored(0.9, 1)
    variant.predictions["participant_id"] += "x"
    assert who_is_tested(main, variant) == "other"
    made = difference_from_main(main, variant, "random", "other")
    assert made.difference is None and made.no_verdict == OTHER_PEOPLE


def test_few_test_participants_get_no_p() -> None:
    main, variant = scored(0.6, 0, range(8)), scored(0.9, 1, range(8))
    made = difference_from_main(main, variant, "random", "same")
    assert made.no_verdict == "fewer than 10 test participants"
    assert made.difference is not None and np.isnan(made.difference.p)
    assert np.isfinite(made.difference.mean)

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Splits
from semantoks.errors import UserError
from semantoks.split import check_target, make_splits, split, targets
from semantoks.store import read_metadata, read_table


def test_splits_are_stratified_and_the_first_ones_never_move() -> None:
    target = pd.Series(["a"] * 30 + ["b"] * 10, index=[f"sub-{i:02d}" for i in range(40)], name="x")
    splits = make_splits(target, "classification", Splits())
    assert splits["repeat"].nunique() == 100
    for _, part in splits.groupby("repeat"):
        assert part.loc[part["test"], "target"].value_counts().to_dict() == {"a": 6, "b": 2}
    shuffled = make_splits(target.sample(frac=1, random_state=1), "classification", Splits())
    pd.testing.assert_frame_equal(splits, shuffled)


def test_a_continuous_target_is_stratified_by_quantiles() -> None:
    target = pd.Series(np.arange(40.0), index=[f"sub-{i:02d}" for i in range(40)])
    splits = make_splits(target, "regression", Splits())
    tested = splits[splits["test"]]
    quarters = (tested["target"] // 10).groupby(tested["repeat"]).value_counts()
    assert (quarters == 2).all()


def test_every_class_is_tested_in_every_split() -> None:
    target = pd.Series(["a"] * 95 + ["b"] * 5, index=[f"sub-{i:03d}" for i in range(100)])
    splits = make_splits(target, "classification", Splits())
    assert (splits[splits["test"]].groupby("repeat")["target"].nunique() == 2).all()
    with pytest.raises(UserError, match="not all 2 classes"):
        make_splits(target, "classification", Splits(test_fraction=0.1))


def test_ties_do_not_stop_a_regression() -> None:
    values = [28.0] + [29.0] * 16 + [30.0] * 23
    target = pd.Series(values, index=[f"sub-{i:02d}" for i in range(40)])
    assert make_splits(target, "regression", Splits())["test"].mean() == 0.2


def test_few_people_are_stratified_as_far_as_it_goes() -> None:
    target = pd.Series(np.arange(10.0), index=[f"sub-{i:02d}" for i in range(10)])
    tested = make_splits(target, "regression", Splits()).query("test")
    assert (tested.groupby("repeat")["target"].agg(lambda t: (t < 5).sum()) == 1).all()


def test_only_people_with_scan_and_value_are_split(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_table(participants)
    table.loc[[3, 4], "group"] = None
    from semantoks.store import write_table

    write_table(participants, table)
    out = paths[0].parent / "split.parquet"
    split(participants, paths, "group", "classification", Splits(), out)
    assert read_table(out)["participant_id"].nunique() == 21
    about = read_metadata(out)
    assert (about["people_without_value"], about["people_without_scan"]) == (2, 1)


def test_what_cannot_be_predicted_is_refused(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "split.parquet"
    with pytest.raises(UserError, match="'same' has the same value in all 23 people"):
        split(participants, paths, "same", "classification", Splits(), out)
    with pytest.raises(UserError, match="no column 'iq'"):
        split(participants, paths, "iq", "classification", Splits(), out)
    with pytest.raises(UserError, match="to be regressed but holds 'control'"):
        split(participants, paths, "group", "regression", Splits(), out)
    with pytest.raises(UserError, match="class 'c' has 4 people .* at least 5 are needed"):
        check_target(pd.Series(["a"] * 90 + ["c"] * 4), "dx", "classification", Splits())


def test_numbers_as_classes_lose_no_zero() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": [1.0, 0.0, np.nan]})
    assert targets(table, "dx", "classification").to_dict() == {"a": "1", "b": "0"}

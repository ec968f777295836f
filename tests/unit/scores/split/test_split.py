from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.config import Condition, Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.draw import (
    REPEATS,
    TEST,
    TRAIN,
    UNUSED,
    VALIDATION,
    check_classes,
    check_leakage,
    draw,
)
from semantoks.scores.split.people import check_target, choose, included, match, targets
from tests.conftest import run_split

CLASSES, NUMBER = Phenotype(kind="classification"), Phenotype(kind="regression")


def people(target: list[Any], **columns: list[Any]) -> pd.DataFrame:
    index = [f"sub-{i:03d}" for i in range(len(target))]
    table = pd.DataFrame({"target": target, "site": None, "group": None}, index, dtype=object)
    return table.assign(**columns)


def test_splits_are_stratified_and_do_not_depend_on_the_order_of_people() -> None:
    splits, about = draw(people(["a"] * 30 + ["b"] * 10), CLASSES, Splitting())
    assert [row["scheme"] for row in about] == ["random"] * REPEATS
    for part in splits.values():
        assert ((part[:30] == TEST).sum(), (part[30:] == TEST).sum()) == (6, 2)
        assert (part == VALIDATION).sum() == 8
        assert (part == TRAIN).sum() == 24


def test_a_continuous_target_is_stratified_by_quantiles() -> None:
    splits, _ = draw(people(list(np.arange(40.0))), NUMBER, Splitting())
    for part in splits.values():
        assert np.bincount(np.flatnonzero(part == TEST) // 10).tolist() == [2, 2, 2, 2]


def test_every_class_is_tested_in_every_split() -> None:
    table = people(["a"] * 95 + ["b"] * 5)
    check_classes(draw(table, CLASSES, Splitting())[0], table["target"])
    splits, _ = draw(table, CLASSES, Splitting(test_fraction=0.05))
    with pytest.raises(UserError, match="not all 2 classes"):
        check_classes(splits, table["target"])


def test_ties_do_not_stop_a_regression() -> None:
    table = people([28.0] + [29.0] * 16 + [30.0] * 23)
    splits, _ = draw(table, NUMBER, Splitting())
    assert {(part == TEST).sum() for part in splits.values()} == {8}


def test_few_people_are_stratified_as_far_as_it_goes() -> None:
    splits, _ = draw(people(list(np.arange(10.0))), NUMBER, Splitting())
    for part in splits.values():
        assert (np.flatnonzero(part == TEST) < 5).sum() == 1


def test_families_stay_together() -> None:
    table = people(["a", "b"] * 40, group=[f"f{i // 4}" if i < 60 else None for i in range(80)])
    splits, _ = draw(table, CLASSES, Splitting())
    check_leakage(splits, table)
    for part in splits.values():
        assert 10 <= (part == TEST).sum() <= 22
        sides = pd.Series(part[:60] == TEST).groupby(table["group"].to_numpy()[:60]).nunique()
        assert (sides == 1).all()
    torn = np.where(np.arange(80) % 2, TEST, TRAIN).astype(np.int8)
    with pytest.raises(UserError, match="trains on relatives of people that it tests"):
        check_leakage({"fixed x": torn}, table)


def test_one_site_after_the_other_is_held_out() -> None:
    site = ["A"] * 20 + ["B"] * 20 + ["C"] * 4 + [None] * 4 + ["D"] * 12
    table = people(["a", "b"] * 24 + ["a"] * 12, site=site)
    splits, about = draw(table, CLASSES, Splitting())
    held = [row["held_out"] for row in about if row["scheme"] == "site"]
    assert held == ["A", "B"]  # C is too small, D has one class
    part = splits["site A"]
    assert (part[:20] == TEST).all()
    assert (part[44:48] == UNUSED).all()
    assert (part == TRAIN).sum() == 36
    relatives = table.assign(group=["x", *[None] * 28, "x", *[None] * 30])
    assert draw(relatives, CLASSES, Splitting())[0]["site A"][29] == UNUSED


def test_numbers_of_people_as_published() -> None:
    task = Phenotype(kind="classification", train_people=50, validation_people=12, test_people=30)
    splits, _ = draw(people(["a", "b"] * 100), task, Splitting())
    for part in splits.values():
        assert [(part == code).sum() for code in (TRAIN, VALIDATION, TEST)] == [50, 12, 30]
    with pytest.raises(UserError, match="50 people are to be trained on, 12 .* of 40 in 2 classes"):
        draw(people(["a", "b"] * 20), task, Splitting())


def test_fixed_splits_come_from_a_file(tmp_path: Path) -> None:
    table, file = people(["a", "b"] * 10), tmp_path / "fixed.tsv"
    words = ["train"] * 12 + ["validation"] * 3 + ["test"] * 4
    rows = pd.DataFrame({"participant_id": table.index[:19], "official": words})
    rows.to_csv(file, sep="\t", index=False)
    splits, about = draw(table, CLASSES.model_copy(update={"splits_file": str(file)}), Splitting())
    assert [row["scheme"] for row in about] == ["fixed"]
    assert np.bincount(splits["fixed official"] + 1).tolist() == [1, 12, 3, 4]
    rows.assign(official="tset").to_csv(file, sep="\t", index=False)
    with pytest.raises(UserError, match="says 'tset'; say train"):
        draw(table, CLASSES.model_copy(update={"splits_file": str(file)}), Splitting())


def test_only_people_with_scan_and_value_are_split(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_table(participants)
    table.loc[[3, 4], "group"] = None
    write_table(participants, table)
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    run_split(participants, scans, out, name="group", phenotype=CLASSES)
    assert read_table(out)["participant_id"].nunique() == 21
    left_out = read_metadata(out)["left_out"]
    assert left_out["people_without_value"] == 2
    assert left_out["people_without_scan"] == 1


def test_what_cannot_be_predicted_is_refused(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))

    def refused(phenotype: str, task: Phenotype, reason: str, **columns: str) -> None:
        with pytest.raises(UserError, match=reason):
            run_split(participants, scans, out, name=phenotype, phenotype=task, **columns)

    refused("same", CLASSES, "'same' has the same value in all 23 people")
    refused("iq", CLASSES, "no column 'iq'")
    refused("group", NUMBER, "to be a number but holds 'control'")
    refused("group", CLASSES, "no column 'village'", site_column="village")
    wrong = Phenotype(kind="classification", values={"1": "ill"})
    refused("group", wrong, r"none of the values that the task names \(1\), but control, patient")
    nobody = Phenotype(kind="classification", include={"age": Condition(min=200)})
    refused("group", nobody, "nobody has both a value and a usable scan")
    with pytest.raises(UserError, match="class 'c' has 4 people .* at least 5 are needed"):
        check_target(pd.Series(["a"] * 90 + ["c"] * 4), "dx", "classification", Splitting())


def test_numbers_as_classes_lose_no_zero() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": [1.0, 0.0, np.nan]})
    assert targets(table, "dx", CLASSES).to_dict() == {"a": "1", "b": "0"}
    named = Phenotype(kind="classification", column="dx", values={"1": "ill"})
    assert targets(table, "diagnosis", named).to_dict() == {"a": "ill"}


def test_who_is_included() -> None:
    table = pd.DataFrame({"participant_id": list("abcd"), "age": [5, 10, 20, np.nan]})
    table["quality"] = [1.0, 1.0, 0.0, 1.0]
    rules = {"age": Condition(min=6, max=20), "quality": Condition(values=["1"])}
    assert included(table, rules).to_dict() == {"a": False, "b": True, "c": False, "d": False}
    with pytest.raises(UserError, match="no column 'iq', by which `include` chooses"):
        included(table, {"iq": Condition(min=1)})


def test_the_same_scan_counts_once() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "dx": ["x", "y", "x"]})
    scans = pd.DataFrame({"participant_id": ["b", "a", "c"], "fingerprint": ["1", "1", "2"]})
    target, left_out = choose(table, scans.assign(status="ok"), "dx", CLASSES)
    assert list(target.index) == ["a", "c"]
    assert left_out["people_with_the_scan_of_another"] == 1


def test_matched_classes_cannot_be_told_apart_by_what_they_are_matched_on() -> None:
    rng = np.random.default_rng(0)
    ill = np.arange(200) < 60
    index = [f"sub-{i:03d}" for i in range(200)]
    table = pd.DataFrame({"participant_id": index, "age": rng.normal(30 + 8 * ill, 6)})
    table["sex"] = rng.choice(["F", "M"], 200)
    target = pd.Series(np.where(ill, "ill", "well"), index)
    found = match(target, table, ["age", "sex"], "dx")
    chosen = table.set_index("participant_id").loc[found.index]
    assert found.value_counts()["ill"] == found.value_counts()["well"] > 30
    ages = chosen["age"].groupby(found).mean()
    assert abs(ages["ill"] - ages["well"]) < 1
    assert chosen.groupby(found)["sex"].value_counts().unstack().nunique().tolist() == [1, 1]
    with pytest.raises(UserError, match="has 3 classes; `splits.match` needs two"):
        match(pd.Series(["a", "b", "c"]), table, ["age"], "dx")


def test_every_family_is_tested_about_as_often() -> None:
    """Families of one to four people: none is always or never tested."""
    sizes = [1] * 40 + [2] * 25 + [3] * 4 + [4] * 2
    group = [f"f{i}" for i, size in enumerate(sizes) for _ in range(size)]
    rng = np.random.default_rng(0)
    table = people(list(rng.standard_normal(len(group))), group=group)
    splits, _ = draw(table, NUMBER, Splitting())
    tested = np.mean([part == TEST for part in splits.values()], axis=0)
    assert tested.min() > 0.05 and tested.max() < 0.45
    assert tested.mean() == pytest.approx(0.2, abs=0.03)
    task = Phenotype(kind="regression", train_people=30, validation_people=10, test_people=20)
    for part in draw(table, task, Splitting())[0].values():
        for code, wanted in ((TRAIN, 30), (VALIDATION, 10), (TEST, 20)):
            assert wanted <= (part == code).sum() <= wanted + 3
    with pytest.raises(UserError, match="1 families are too few"):
        draw(people(list(np.arange(30.0)), group=["x"] * 30), NUMBER, Splitting())


def test_impossible_sizes_are_said() -> None:
    for task in (
        Phenotype(kind="classification", test_people=1000),
        Phenotype(kind="classification", test_people=1),
        Phenotype(kind="classification", train_people=1 + 1, validation_people=59),
    ):
        with pytest.raises(UserError, match="people are to be trained on"):
            draw(people(["a", "b", "c"] * 20), task, Splitting())

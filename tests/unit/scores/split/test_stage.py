from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.config import Condition, Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST
from tests.conftest import run_split
from tests.unit.scores.split.conftest import CLASSIFICATION, REGRESSION


def test_only_participants_with_scan_and_value_are_split(
    cohort: tuple[list[Path], Path],
) -> None:
    paths, participants = cohort
    table = read_table(participants)
    table.loc[[3, 4], "group"] = None
    write_table(participants, table)
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    run_split(participants, scans, out, name="group", phenotype=CLASSIFICATION)
    assert read_table(out)["participant_id"].nunique() == 21
    left_out = read_metadata(out)["left_out"]
    assert left_out["people_without_value"] == 2
    assert left_out["people_without_scan"] == 1


@pytest.mark.parametrize(
    ("name", "phenotype", "settings", "message"),
    [
        ("same", CLASSIFICATION, {}, "'same' has the same value in all 23 participants"),
        ("iq", CLASSIFICATION, {}, "no column 'iq'"),
        (
            "group",
            REGRESSION,
            {},
            "but .* such as 'control'. If these are classes, set `kind: classification`",
        ),
        ("group", CLASSIFICATION, {"site_column": "village"}, "no column 'village'"),
        (
            "group",
            Phenotype(kind="classification", values={"1": "patient"}),
            {},
            r"no value of column group \(control, patient\) is among those in `values` \(1\)",
        ),
        (
            "group",
            Phenotype(kind="classification", include={"age": Condition(min=200)}),
            {},
            r"no participant has both a value and a usable scan\. Participants left out: 1 no "
            r"usable scan, 23 not included .* 1 of 24 scans are excluded, 1 of them for the "
            "reason: head motion: too much",
        ),
    ],
)
def test_a_phenotype_that_cannot_be_predicted_is_refused(
    cohort: tuple[list[Path], Path],
    name: str,
    phenotype: Phenotype,
    settings: dict[str, Any],
    message: str,
) -> None:
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{stem}.parquet") for stem in ("split", "scans"))
    with pytest.raises(UserError, match=message):
        run_split(participants, scans, out, name=name, phenotype=phenotype, **settings)


def test_people_in_no_split_of_the_file_are_not_counted(
    cohort: tuple[list[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths, participants = cohort
    ids = read_table(participants)["participant_id"]
    file = tmp_path / "fixed.tsv"
    rows = [f"{name}\t{'train' if i % 3 else 'test'}" for i, name in enumerate(ids[:15])]
    file.write_text("\n".join(["participant_id\tx", *rows, "sub-unknown\ttrain"]))
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    phenotype = CLASSIFICATION.model_copy(update={"splits_file": str(file)})
    with caplog.at_level("INFO"):
        run_split(participants, scans, out, name="group", phenotype=phenotype)
    table, left_out = read_table(out), read_metadata(out)["left_out"]
    assert set(table["participant_id"]) <= set(ids[:15])
    assert left_out["ids_of_the_splits_file"] >= 1 and left_out["people_in_no_split"] >= 8
    assert "in no split of the splits_file" in caplog.text


def test_a_phenotype_may_cut_and_match_by_its_own_rules(cohort: tuple[list[Path], Path]) -> None:
    """`match` of a phenotype overrules `splits.match`, and its classes are fixed."""
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    ages = read_table(participants).set_index("participant_id")["age"]
    phenotype = Phenotype(kind="classification", column="age", edges=[40], match=["sex"])
    general = Splitting(match=["trait"])
    run_split(participants, scans, out, name="young", phenotype=phenotype, splits=general)
    rows, metadata = read_table(out).set_index("participant_id"), read_metadata(out)
    expected = ["below 40" if age < 40 else "40 and above" for age in ages[rows.index]]
    assert rows["target"].tolist() == expected
    assert rows["target"].value_counts().nunique() == 1  # pairs
    assert metadata["left_out"]["people_without_a_match"] == 23 - len(rows)
    assert (metadata["bins"], metadata["cut"], metadata["edges"]) == (None, "training", [40.0])
    sexes = read_table(participants).set_index("participant_id")["sex"][rows.index]
    assert sexes.groupby(rows["target"]).value_counts().unstack().nunique().tolist() == [1, 1]
    # Nobody is matched if the phenotype says so.
    unmatched = phenotype.model_copy(update={"match": []})
    run_split(participants, scans, out, name="young", phenotype=unmatched, splits=general)
    assert len(read_table(out)) == 23


def test_the_key_that_matches_is_named(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    edges = read_table(participants)["age"].quantile([1 / 3, 2 / 3]).tolist()
    phenotype = Phenotype(kind="classification", column="age", edges=edges, match=["sex"])
    with pytest.raises(UserError, match="has 3 classes, but `match` needs two"):
        run_split(participants, scans, out, name="young", phenotype=phenotype)


def test_only_people_who_are_held_out_are_scored(
    cohort: tuple[list[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The other 7 of 23 with a usable scan are named, also if the `splits_file` has them."""
    paths, participants = cohort
    ids = list(read_table(participants)["participant_id"])
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    table = read_table(scans)
    write_table(scans, table.assign(held_out=table["participant_id"].isin(ids[:16])))
    run_split(participants, scans, out, name="group", phenotype=CLASSIFICATION)
    assert list(read_table(out)["participant_id"]) == ids[:16]
    left_out = read_metadata(out)["left_out"]
    assert left_out["people_not_held_out"] == 7 and left_out["people_without_scan"] == 1

    file = tmp_path / "fixed.tsv"
    rows = [f"{name}\t{'train' if i % 3 else 'test'}" for i, name in enumerate(ids[4:18])]
    file.write_text("\n".join(["participant_id\tx", *rows, "sub-unknown\ttrain"]))
    phenotype = CLASSIFICATION.model_copy(update={"splits_file": str(file)})
    with caplog.at_level("WARNING"):
        run_split(participants, scans, out, name="group", phenotype=phenotype)
    assert list(read_table(out)["participant_id"]) == ids[4:16]
    assert read_metadata(out)["left_out"]["ids_of_the_splits_file"] == 1
    assert "2 people in fixed.tsv are not scored, since they are not held out" in caplog.text


def blocks_of(people: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table of blocks, four per person but ten of the first, and their scans."""
    counts = [10, *[4] * (people - 1)]
    person = np.repeat([f"sub-{n:02d}" for n in range(people)], counts)
    ids = [f"{name}_block-{n}" for n, name in enumerate(person)]
    number = np.repeat(np.arange(people), counts)
    table = pd.DataFrame({"participant_id": ids, "person": person, "age": 20.0 + number % 7})
    table["diag"] = np.where(number % 3 == 0, "patient", "control")
    table["trial_type"] = np.where(np.arange(len(ids)) % 2, "faces", "shapes")
    scans = pd.DataFrame({"scan": ids, "participant_id": ids, "person": person, "source": person})
    return table, scans.assign(status="ok", reason="", recording=ids, seconds=20.0)


def test_of_blocks_people_are_matched(tmp_path: Path) -> None:
    table, scans = blocks_of(21)
    participants, rows, out = (tmp_path / f"{name}.parquet" for name in ("p", "s", "split"))
    write_table(participants, table)
    write_table(rows, scans)
    phenotype = Phenotype(kind="classification", match=["age"])
    run_split(participants, rows, out, name="diag", phenotype=phenotype, of_blocks=True)
    chosen = read_table(out)
    people = chosen.drop_duplicates("person")
    assert people["target"].value_counts().nunique() == 1  # pairs of people
    assert set(chosen["participant_id"]) == set(
        table.loc[table["person"].isin(people["person"]), "participant_id"]
    )
    with pytest.raises(UserError, match="differs between the blocks of a person"):
        run_split(participants, rows, out, name="trial_type", phenotype=phenotype, of_blocks=True)


def test_phenotypes_share_their_splits(cohort: tuple[list[Path], Path]) -> None:
    """Whoever lacks a value of one is in the same part for the others; sizes are one's own."""
    paths, participants = cohort
    table = read_table(participants)
    table.loc[[3, 4], "group"] = None
    write_table(participants, table)
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    settings = Splitting(shared=True)
    tables = []
    sized = REGRESSION.model_copy(update={"test_people": 7})
    for name, phenotype in (("group", CLASSIFICATION), ("age", REGRESSION), ("age", sized)):
        run_split(participants, scans, out, name=name, phenotype=phenotype, splits=settings)
        tables.append(read_table(out).set_index("participant_id"))
    group, age, own = (rows[[name for name in rows if "random" in name]] for rows in tables)
    assert (len(group), len(age)) == (21, 23)
    assert group.equals(age.loc[group.index])
    assert not own.equals(age) and ((own == TEST).sum() == 7).all()


def test_a_phenotype_of_few_people_cannot_share_splits(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_table(participants)
    table.loc[5:, "age"] = None
    write_table(participants, table)
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    settings = {"name": "age", "phenotype": REGRESSION, "splits": Splitting(shared=True)}
    message = r"'age': split random \d\d, which all phenotypes share, has no training or no test"
    with pytest.raises(UserError, match=message):
        run_split(participants, scans, out, **settings)


def test_few_tested_participants_are_said_early(
    cohort: tuple[list[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Training takes hours, and the report then compares nothing."""
    paths, participants = cohort
    out, scans = (paths[0].with_name(f"{name}.parquet") for name in ("split", "scans"))
    sentence = "group: at most 4 are tested, fewer than 10: no model will be compared"
    with caplog.at_level("WARNING"):
        run_split(participants, scans, out, name="group", phenotype=CLASSIFICATION)
        assert sentence not in caplog.text
        table = read_table(scans)
        some = list(read_table(participants)["participant_id"])[:16]
        write_table(scans, table.assign(held_out=table["participant_id"].isin(some)))
        run_split(participants, scans, out, name="group", phenotype=CLASSIFICATION)
    assert sentence in caplog.text

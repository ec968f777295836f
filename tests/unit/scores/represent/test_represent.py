from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import read_people, read_windows, write_representation
from semantoks.artifacts.timeseries import (
    SCAN_ENTITIES,
    iter_scans,
    read_manifest,
    read_scan_table,
    write_timeseries,
)
from semantoks.errors import UserError
from semantoks.scores.represent.connectivity import fisher_z
from semantoks.scores.represent.covariates import confounds
from tests.conftest import run_represent


def test_connectivity_of_included_scans_only(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "fc.parquet"
    run_represent("fc", paths, participants, out)
    people = read_people(out)
    assert people.features_PF.shape == (23, 66)
    first = next(iter_scans(paths))
    assert people.participant_id[0] == first.participant_id
    assert np.allclose(people.features_PF[0], fisher_z(first.timeseries_CT))


def test_confounds_are_named_by_column_and_value(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "confounds.parquet"
    run_represent("confounds", paths, participants, out)
    assert read_people(out).names == ["age", "mean_fd", "seconds", "sex=F", "sex=M"]


def test_confounds_of_awkward_tables() -> None:
    scans = pd.DataFrame({"participant_id": ["a", "b", "a"], "mean_fd": 0.1, "seconds": 300.0})
    people = pd.DataFrame(
        {"participant_id": ["b", "a"], "Age": ["89+", "30"], "SITE_ID": [4, 0], "mean_fd": 9.0}
    )
    features, names = confounds(scans, people)
    assert names == ["age", "mean_fd", "seconds", "site=0", "site=4"]
    assert confounds(scans.drop(columns="mean_fd"), people)[0][:, 1].tolist() == [9, 9, 9]
    assert "site=30" in confounds(scans, people, site_column="Age")[1]
    assert features.tolist() == [[30, 0.1, 300, 1, 0], [89, 0.1, 300, 0, 1], [30, 0.1, 300, 1, 0]]


def test_chance_knows_nothing(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "chance.parquet"
    run_represent("chance", paths, participants, out)
    assert read_people(out).features_PF.shape == (23, 0)


def test_a_person_is_the_mean_of_their_scans(tmp_path: Path) -> None:
    scans = pd.DataFrame(
        {"scan": ["b_2", "a_1", "b_1"], "participant_id": ["b", "a", "b"], "session": ""}
    ).assign(task="", run="")
    features = np.array([[3.0, np.nan], [1, 2], [5, np.nan]])
    write_representation(tmp_path / "r.parquet", scans, features)
    people = read_people(tmp_path / "r.parquet")
    assert people.participant_id == ["a", "b"]
    assert np.array_equal(people.features_PF, [[1, 2], [4, np.nan]], equal_nan=True)


def test_only_those_wanted_are_read(tmp_path: Path) -> None:
    """From several row groups, and not in the order of the people."""
    names = [f"sub-{number}" for number in range(100)]
    scans = pd.DataFrame(dict.fromkeys(SCAN_ENTITIES, names))
    scans["scan"] = [f"{name}_rest" for name in names]  # sub-10_rest, sub-1_rest; sub-1, sub-10
    write_representation(tmp_path / "r.parquet", scans, np.arange(100.0)[:, None])
    everybody = read_people(tmp_path / "r.parquet")
    assert everybody.participant_id == sorted(names)
    told = [f"sub-{value:.0f}" for value in everybody.features_PF[:, 0]]
    assert told == everybody.participant_id
    some = read_people(tmp_path / "r.parquet", ["sub-99", "sub-0", "nobody"])
    assert (some.participant_id, some.features_PF.tolist()) == (["sub-0", "sub-99"], [[0], [99]])
    assert read_people(tmp_path / "r.parquet", ["nobody"]).participant_id == []


def test_windows_are_kept_beside_their_mean(tmp_path: Path) -> None:
    scans = pd.DataFrame({"scan": ["a_1", "a_2", "b_1"], "participant_id": ["a", "a", "b"]})
    scans = scans.assign(session="", task="", run="")
    windows = [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0]]]
    write_representation(tmp_path / "r.parquet", scans, map(np.array, windows), windows=True)
    people, found = read_people(tmp_path / "r.parquet"), read_windows(tmp_path / "r.parquet")
    assert people.features_PF.tolist() == [[2.5, 3.5], [7, 8]]  # of (1, 2) and (4, 5); of (7, 8)
    assert {person: rows.tolist() for person, rows in found.items()} == {
        "a": windows[0] + windows[1],
        "b": windows[2],
    }
    write_representation(tmp_path / "r.parquet", scans, np.ones((3, 2)))
    assert read_windows(tmp_path / "r.parquet") == {}


def test_no_scan_left_is_said(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_scan_table(paths[:1]).assign(status="excluded")
    write_timeseries(paths[0], table, [None] * len(table), read_manifest(paths[0]))
    with pytest.raises(UserError, match="No scan is left"):
        run_represent("fc", paths[:1], participants, paths[0].parent / "x.parquet")


def test_rows_that_come_one_by_one_must_be_in_order(tmp_path: Path) -> None:
    table = pd.DataFrame({key: ["b", "a"] for key in SCAN_ENTITIES})
    with pytest.raises(ValueError, match="sorted"):
        write_representation(tmp_path / "r.parquet", table, iter(np.ones((2, 3))))
    rows = np.arange(6.0).reshape(2, 3)
    write_representation(tmp_path / "1.parquet", table, rows)
    write_representation(tmp_path / "2.parquet", table.iloc[::-1], iter(rows[::-1]))
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()

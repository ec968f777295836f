"""Participants tables are read as labs write them, and matched with the scans."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Dataset
from semantoks.data.index.participants import (
    match_participants,
    read_participants,
    repetition_times,
)
from semantoks.errors import UserError


def test_missing_empty_and_repeated_rows_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    with pytest.raises(UserError, match=r"There is no .*participants.tsv"):
        read_participants(path)
    path.write_text("participant_id\tage\n")
    with pytest.raises(UserError, match="no rows"):
        read_participants(path)
    path.write_text("participant_id\tage\nsub-1\t3\nsub-1\t4\n")
    with pytest.raises(UserError, match="lists sub-1 more than once"):
        read_participants(path)


def test_only_bids_missing_values_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text('participant_id\tage\tdrug\nsub-2\tn/a\tNone\nsub-1\t4\t"x\n')
    table = read_participants(path)
    assert table["age"].isna().tolist() == [False, True]
    assert table["drug"].tolist() == ['"x', "None"]  # a stray quotation mark, and a class


def test_undeclared_missing_values_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "p.csv").write_text("participant_id,dx\nsub-1 ,NA\nsub-2,ASD\n")  # as R writes it
    with caplog.at_level("WARNING"):
        participants = read_participants(tmp_path / "p.csv")
    assert "list it in `missing_values`" in caplog.text
    assert participants["participant_id"].tolist() == ["sub-1", "sub-2"]


def test_the_table_may_be_a_csv_with_another_id_column(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(',FILE_ID,SITE,TR,note\n0,A_1,x,2.0,"a, b"\n1,none,y,-9999,\n2,B_2,y,3,c\n')
    participants = read_participants(path, "FILE_ID", ("-9999", "none"))
    assert participants["participant_id"].tolist() == ["A_1", "B_2"]
    assert list(participants.columns) == ["participant_id", "SITE", "TR", "note"]
    assert repetition_times(participants, 1.5, path).tolist() == [1.5, 1.5]
    assert repetition_times(participants, "TR", path).tolist() == [2.0, 3.0]
    by_site = repetition_times(participants, {"SITE": {"x": 2.2}}, path)
    assert by_site["A_1"] == 2.2 and np.isnan(by_site["B_2"])


def test_hdf5_of_the_reference_lists_participants(tmp_path: Path) -> None:
    path = tmp_path / "hbn.h5"
    with h5py.File(path, "w") as file:
        file["long_subject_id"] = ["NDAR1", "NDAR2", "NDAR3"]
        file["sex"] = [0, 1, 1]
        file["age"] = [8.5, 9.0, np.nan]
    participants = read_participants(path)
    assert participants["participant_id"].tolist() == ["NDAR1", "NDAR2", "NDAR3"]
    assert participants["sex"].tolist() == [0, 1, 1]


def test_site_codes_may_be_numbers_or_text(tmp_path: Path) -> None:
    participants = pd.DataFrame({"participant_id": ["a", "b"], "site": [1, 2]})
    for given in ({"site": {1: 2.0, 2: 3.0}}, {"site": {"1": 2.0, "2": 3.0}}):
        dataset = Dataset(source="timeseries", path="x", repetition_time=given)
        assert dataset.repetition_time is not None
        times = repetition_times(participants, dataset.repetition_time, tmp_path)
        assert times.tolist() == [2.0, 3.0]


def test_a_participant_with_and_without_prefix_is_refused(tmp_path: Path) -> None:
    scans = pd.DataFrame({"participant_id": ["sub-a"]})
    participants = pd.DataFrame({"participant_id": ["a", "sub-a"]})
    with pytest.raises(UserError, match="lists sub-a with and without sub-"):
        match_participants(scans, participants, tmp_path)

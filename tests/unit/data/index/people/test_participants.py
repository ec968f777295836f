"""Participants tables are read as labs write them, and matched with the scans."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Dataset
from semantoks.data.index.people.participants import (
    match_participants,
    read_participants,
    texts,
)
from semantoks.data.index.repetition_times.configured import repetition_times
from semantoks.errors import UserError
from semantoks.people.layout import Layout


def test_missing_empty_and_repeated_rows_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    with pytest.raises(UserError, match=r"There is no .*participants.tsv"):
        read_participants([path])
    path.write_text("participant_id\tage\n")
    with pytest.raises(UserError, match="no rows"):
        read_participants([path])
    path.write_text("participant_id\tage\nsub-1\t3\nsub-1\t4\n")
    with pytest.raises(UserError, match="lists sub-1 more than once"):
        read_participants([path])


def test_a_class_called_none_and_a_stray_quotation_mark_stay(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text('participant_id\tage\tdrug\nsub-2\tn/a\tNone\nsub-1\t4\t"x\n')
    table = read_participants([path])
    assert table["age"].isna().tolist() == [False, True]
    assert table["drug"].tolist() == ['"x', "None"]


def test_blanks_and_spellings_of_missing_are_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    sexes = ("M", "M ", "\u00a0F", "N/A", "na", ".", "-", "#N/A", "  ", '"F"')
    rows = "".join(f"sub-{i} \t{sex}\t{i}\n" for i, sex in enumerate(sexes))
    path.write_text(f"participant_id\tsex\tage \n{rows}")
    table = read_participants([path])
    assert list(table.columns) == ["participant_id", "sex", "age"]
    assert table["participant_id"].iloc[0] == "sub-0" and table["age"].dtype == int
    assert table["sex"].dropna().tolist() == ["M", "M", "F", "F"]


def test_booleans_and_codes_are_read_as_the_table_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("participant_id,ill,age\n0999,TRUE,-9.0\n1,FALSE,31\n")
    table = read_participants([path], Layout(missing=("-9", "999")))
    assert table["ill"].tolist() == ["TRUE", "FALSE"]
    assert table["participant_id"].tolist() == ["0999", "1"]
    assert table["age"].isna().tolist() == [True, False]


def test_undeclared_codes_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "p.csv").write_text("participant_id,iq\nsub-1,-9999\nsub-2,100\nn/a,90\n")
    with caplog.at_level("WARNING"):
        participants = read_participants([tmp_path / "p.csv"])
    assert "has -9999 under iq" in caplog.text and "list it in `missing_values`" in caplog.text
    assert "1 rows of p.csv have no id" in caplog.text
    assert participants["participant_id"].tolist() == ["sub-1", "sub-2"]


def test_the_table_may_be_a_csv_with_another_id_column(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(',FILE_ID,SITE,TR,note\n0,A_1,x,2.0,"a, b"\n1,none,y,-9999,\n2,B_2,y,3,c\n')
    participants = read_participants([path], Layout(("FILE_ID",), missing=("-9999", "none")))
    assert participants["participant_id"].tolist() == ["A_1", "B_2"]
    assert list(participants.columns) == ["participant_id", "SITE", "TR", "note"]
    assert repetition_times(participants, 1.5, "t").tolist() == [1.5, 1.5]
    assert repetition_times(participants, "TR", "t").tolist() == [2.0, 3.0]
    by_site = repetition_times(participants, {"SITE": {"x": 2.2}}, "t")
    assert by_site["A_1"] == 2.2 and np.isnan(by_site["B_2"])


def test_hdf5_of_the_reference_lists_participants(tmp_path: Path) -> None:
    path = tmp_path / "hbn.h5"
    with h5py.File(path, "w") as file:
        file["long_subject_id"] = ["NDAR1", "NDAR2", "NDAR3"]
        file["sex"] = [0, 1, 1]
        file["age"] = [8.5, 9.0, np.nan]
        file["hand"] = ["right ", "N/A", "left"]
    participants = read_participants([path], Layout(missing=("9",)))
    assert participants["participant_id"].tolist() == ["NDAR1", "NDAR2", "NDAR3"]
    assert participants["sex"].tolist() == [0, 1, 1]
    assert participants["age"].isna().tolist() == [False, True, True]
    assert participants["hand"].dropna().tolist() == ["right", "left"]


def test_tables_are_joined_and_what_they_say_differently_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ages, sites, file = (tmp_path / name for name in ("a.csv", "b.tsv", "c.h5"))
    ages.write_text('"Basic_Demos,EID","Basic_Demos,Age",note\n07,8,x\n"08",9,y\n')
    sites.write_text("EID\tsite\tnote\n08\t2\tz\n09\t3\tz\n")
    layout = Layout(("Basic_Demos,EID", "EID"))
    with caplog.at_level("WARNING"):
        table = read_participants([ages, sites], layout)
    assert table["participant_id"].tolist() == ["07", "08", "09"]
    assert table["Basic_Demos,Age"].isna().tolist() == [False, False, True]
    assert table["note"].fillna("").tolist() == ["x", "", "z"]
    assert "a.csv and" in caplog.text and "differ in the column 'note', for 08" in caplog.text
    with pytest.raises(UserError, match="HDF5 file cannot be joined"):
        with h5py.File(file, "w") as content:
            content["long_subject_id"] = ["NDAR1"]
        read_participants([ages, file], layout)


def test_keys_of_rows_do_not_apply_to_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as content:
        content["long_subject_id"] = ["S_1", "S_2"]
    ids = read_participants([tmp_path / "a.h5"], Layout(id_pattern=r"S_(\d)", id_digits=3))
    assert ids["participant_id"].tolist() == ["001", "002"]
    with pytest.raises(UserError, match="to which `skip_rows` and `visits` do not apply"):
        read_participants([tmp_path / "a.h5"], Layout(skip_rows=1))


def test_site_codes_may_be_numbers_or_text(tmp_path: Path) -> None:
    participants = pd.DataFrame({"participant_id": ["a", "b"], "site": [1, 2]})
    for given in ({"site": {1: 2.0, 2: 3.0}}, {"site": {"1": 2.0, "2": 3.0}}):
        dataset = Dataset(source="timeseries", path="x", repetition_time=given)
        assert dataset.repetition_time is not None
        times = repetition_times(participants, dataset.repetition_time, "t")
        assert times.tolist() == [2.0, 3.0]


def test_long_codes_are_told_apart() -> None:
    codes = [1666781, 1666782, 16667.125, 16667.126]
    participants = pd.DataFrame({"participant_id": list("abcde"), "scanner": [*codes, np.nan]})
    seconds = {code: 1.0 + n for n, code in enumerate(codes)}
    for given in (seconds, {str(code): value for code, value in seconds.items()}):
        times = repetition_times(participants, {"scanner": given}, "t")
        assert times[:4].tolist() == [1.0, 2.0, 3.0, 4.0] and np.isnan(times["e"])
    whole = repetition_times(participants[:2].astype({"scanner": int}), {"scanner": seconds}, "t")
    assert whole.tolist() == [1.0, 2.0]
    written = texts(pd.Series([1666781.0, 0.5, np.nan, 1e-7, " x "], dtype=object))
    assert written.dropna().tolist() == ["1666781", "0.5", "1e-07", "x"]


def test_a_participant_with_and_without_prefix_is_refused(tmp_path: Path) -> None:
    scans = pd.DataFrame({"participant_id": ["sub-a"]})
    participants = pd.DataFrame({"participant_id": ["a", "sub-a"]})
    with pytest.raises(UserError, match="lists sub-a with and without sub-"):
        match_participants(scans, participants, "t")


@pytest.mark.parametrize("written", ["51", "sub-51", "0051.0", "SUB-0051", "NDAR_0051"])
def test_an_id_that_differs_only_in_zeros_or_case_is_named(tmp_path: Path, written: str) -> None:
    label = "NDAR0051" if written.startswith("NDAR") else "0051"
    scans = pd.DataFrame({"participant_id": ["sub-0050", f"sub-{label}"]})
    participants = pd.DataFrame({"participant_id": ["sub-0050", written]})
    with pytest.raises(UserError, match=rf"has {written} where the scans have sub-{label}"):
        match_participants(scans, participants, "t")


def test_a_tr_that_is_no_number_is_refused(tmp_path: Path) -> None:
    participants = pd.DataFrame({"participant_id": ["a", "b"], "TR": ["2,0", "3"]})
    with pytest.raises(UserError, match="'2,0'"):
        repetition_times(participants, "TR", "t")

"""Events of BIDS and timing files of FSL."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.data.blocks.events import read_bids_events, read_fsl_events
from semantoks.errors import ScanError


def test_a_table_of_bids_keeps_every_column(tmp_path: Path) -> None:
    path = tmp_path / "sub-01_events.tsv"
    path.write_text(
        "onset\tduration\ttrial_type\tperson\n21\tn/a\tshapes\tx\n-2.5\t0\tfaces\tn/a\n"
    )
    table = read_bids_events(path)
    assert table["onset"].tolist() == [-2.5, 21.0]
    assert table["duration"].isna().tolist() == [False, True]
    assert table["trial_type"].tolist() == ["faces", "shapes"]
    assert table["event_person"].tolist() == [None, "x"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("onset\ttrial_type\n1\tfaces\n", "no column duration, which BIDS requires"),
        ("onset\tduration\n1\t2\nn/a\t2\n", "row 3 of e.tsv has no onset"),
        ("onset\tduration\n1\t2\nsoon\t2\n", "row 3 of e.tsv has the onset 'soon'; seconds are"),
        ("onset\tduration\n1\t-2\n", "row 2 of e.tsv has the duration '-2'; seconds are needed"),
        ("onset,duration\n1,2\n", "is separated by commas"),
    ],
)
def test_a_damaged_table_is_the_reason_of_its_run(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "e.tsv"
    path.write_text(text)
    with pytest.raises(ScanError, match=f"^events: .*{reason}"):
        read_bids_events(path)


def test_ev_files_and_a_table_of_bids_are_the_same_events(tmp_path: Path) -> None:
    """Files as in UK Biobank's custom_timing_files: ev1.txt are shapes, ev2.txt faces."""
    (tmp_path / "ev1.txt").write_text("0\t21\t1\n54 21 1\n\n# note\n0 0 0\n")
    (tmp_path / "ev2.txt").write_text("2.700000e+01 2.100000e+01 1.000000e+00\n")
    (tmp_path / "ev3.txt").write_text("0 0 0\n")
    names = {"shapes": "ev1.txt", "faces": "ev2.txt", "errors": "ev3.txt"}
    ours = read_fsl_events({name: tmp_path / file for name, file in names.items()})
    path = tmp_path / "sub-01_events.tsv"
    path.write_text("onset\tduration\ttrial_type\n0\t21\tshapes\n27.0\t21\tfaces\n54\t21\tshapes\n")
    theirs = read_bids_events(path)
    pd.testing.assert_frame_equal(ours[theirs.columns], theirs, check_dtype=False)
    assert ours["weight"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("line", ["0 21", "0 21 1 1", "0 21 one", "nan 21 1"])
def test_a_line_that_is_not_three_numbers_is_the_reason_of_its_run(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "ev1.txt").write_text(f"0 21 1\n{line}\n")
    with pytest.raises(ScanError, match=f"line 2 of ev1.txt is '{line}'; three numbers are needed"):
        read_fsl_events({"shapes": tmp_path / "ev1.txt"})


def test_a_file_that_is_not_there_is_the_reason_of_its_run(tmp_path: Path) -> None:
    for read in (lambda x: read_fsl_events({"faces": x}), read_bids_events):
        with pytest.raises(ScanError, match="^events: none.txt is missing"):
            read(tmp_path / "none.txt")

"""File names that no table of text can hold, and participants that look alike."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Dataset
from semantoks.data.index.shards import read_shard
from semantoks.errors import UserError
from semantoks.people.ids import NO_ROW
from tests.conftest import run_index
from tests.unit.data.index.conftest import index_bids, write_bids

ODD = [b"caf\xe9", b"a\rb", b"a\nb", b"a\tb", b"\x1b[31mred", "a\u2028b".encode()]
# Honest names, though some of them print as blanks.
USUAL = ["a b", 'quo"te', "it's", "名前", "a\u00a0b", "نمی\u200cخواهم", "-rf"]


def write_table(folder: Path, name: str | bytes) -> None:
    folder.mkdir(exist_ok=True)
    path = os.path.join(os.fsencode(folder), os.fsencode(name) + b"_timeseries.tsv")  # noqa: PTH118
    with open(path, "w") as file:  # noqa: PTH123
        file.write("a\tb\n1\t2\n")


def index_tables(folder: Path, *ids: str, **settings: Any) -> Path:
    """Index tables of time series, with these ids in the table of participants."""
    rows = ["participant_id\tage", *(f"{name}\t30" for name in ids)]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    out = folder.with_name("index")
    dataset = Dataset(path=str(folder), source="timeseries", repetition_time=2.0, **settings)
    run_index(folder, folder / "participants.tsv", dataset, out)
    return out


@pytest.mark.parametrize("settings", [{}, {"template": "sub-{participant}_timeseries.tsv"}])
def test_a_name_that_is_no_text_is_a_problem_of_one_scan(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    for name in ODD:
        write_table(tmp_path / "data", b"sub-" + name)
    for text in ("ok", *USUAL):
        write_table(tmp_path / "data", f"sub-{text}")
    prefix = "" if settings else "sub-"
    folder = index_tables(
        tmp_path / "data", *(f"{prefix}{text}" for text in ("ok", *USUAL)), **settings
    )
    scans = read_shard(folder / "shard-0000.tsv").set_index("participant_id")
    assert len(scans) == len(ODD) + 1 + len(USUAL)
    odd = scans[scans["problem"] != ""]
    assert len(odd) == len(ODD)
    assert set(odd["problem"].str.split(" has ").str[1]) == {
        "characters that are no UTF-8 text or control a terminal; rename it"
    }
    assert f"{prefix}caf\\udce9" in odd.index and f"{prefix}\\x1b[31mred" in odd.index
    assert {f"{prefix}{text}" for text in USUAL} <= set(scans.index)
    for path in folder.iterdir():
        if path.suffix == ".tsv":
            text = path.read_bytes().decode()
            assert "\x1b" not in text and "\r" not in text


def test_a_raw_image_whose_name_is_no_text_is_a_problem(tmp_path: Path) -> None:
    bids = write_bids(tmp_path / "bids", "sub-01/func/sub-01_task-rest_bold.nii.gz")
    for name in (b"caf\xe9", b"\x1b[31m"):
        path = os.fsencode(bids / "sub-01/func") + b"/sub-01_task-" + name + b"_bold.nii.gz"
        with open(path, "w"):  # noqa: PTH123
            pass
    index_bids(bids, tmp_path / "index")
    scans = read_shard(tmp_path / "index/shard-0000.tsv").set_index("task")
    for name in ("caf\\udce9", "\\x1b[31m"):
        assert "rename it" in scans.loc[name, "problem"]
    assert "rename it" not in scans.loc["rest", "problem"]


def test_accents_of_macos_are_the_same_participant(tmp_path: Path) -> None:
    write_table(tmp_path / "data", unicodedata.normalize("NFD", "sub-é"))
    folder = index_tables(tmp_path / "data", unicodedata.normalize("NFC", "sub-é"))
    assert (folder / "left_out.tsv").read_text() == "participant_id\treason\n"


def test_participants_that_differ_only_in_the_form_of_accents_are_refused(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        write_table(tmp_path / "data", unicodedata.normalize(form, "sub-é"))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="two participants called sub-.*Unicode NFC and NFD"):
        index_tables(tmp_path / "data", "sub-é")


def test_participants_that_differ_in_case_are_two(tmp_path: Path) -> None:
    for name in ("sub-AA", "sub-aa"):
        write_table(tmp_path / "data", name)
    folder = index_tables(tmp_path / "data", "sub-AA")
    scans = read_shard(folder / "shard-0000.tsv").set_index("participant_id")
    assert scans["problem"].to_dict() == {"sub-AA": "", "sub-aa": NO_ROW}
    assert (folder / "left_out.tsv").read_text() == "participant_id\treason\n"
    (tmp_path / "data/sub-aa_timeseries.tsv").unlink()
    with pytest.raises(UserError, match="has sub-aa where the scans have sub-AA"):
        index_tables(tmp_path / "data", "sub-aa")

"""Tables are read as labs write them; what is not a table is a sentence."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from semantoks.errors import UserError
from semantoks.people.read import clean_column, read_text_table


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("p.tsv", "participant_id,age\na,1\n", "separated by commas, but its name says tabs"),
        ("p.csv", "participant_id;age\na;1\n", "separated by semicolons"),
        ("p.csv", "participant_id\tage\na\t1\n", "or rename it to p.tsv"),
        ("p.csv", "participant_id,age\na,3,5\n", "Row 2 of .* has 3 cells"),
        ("p.tsv", "participant_id\tsex\tage\na\tM\t3\nb\t7\n", "Row 3 of .* has 2 cells"),
        ("p.csv", "participant_id,age,age \na,3,5\n", "2 columns called age"),
    ],
)
def test_what_is_not_the_table_it_seems_is_a_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_text_table(tmp_path / name)


def test_many_columns_are_read_fast_and_too_many_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_text("\t".join(f"c{i}" for i in range(40_000)) + "\n")
    start = time.process_time()
    assert len(read_text_table(tmp_path / "p.tsv").columns) == 40_000
    assert time.process_time() - start < 5
    (tmp_path / "p.tsv").write_text("\t" * 100_000 + "\n")
    with pytest.raises(UserError, match="has 100,001 columns, at most 100,000 are plausible"):
        read_text_table(tmp_path / "p.tsv")


def test_a_table_of_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "p.tsv").write_bytes("participant_id\tage\n".encode("utf-16"))
    with pytest.raises(UserError, match="UTF-8"):
        read_text_table(tmp_path / "p.tsv")


def test_only_wanted_columns_and_no_blank_rows_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"\xef\xbb\xbfid,age ,note\r\na,3,\r\n,,\r\nb,n/a,,\r\n")
    table = read_text_table(tmp_path / "p.csv", wanted=["id", "age"])
    assert table.columns == {"id": ["a", "b"], "age": ["3", None]}


def test_a_minus_beside_a_plus_is_a_finding() -> None:
    assert clean_column(["+", "-", "n/a"]) == ["+", "-", None]
    assert clean_column(["3", "-", "n/a"]) == ["3", None, None]
    assert clean_column(["Zu\u0308rich", "Zürich"]) == ["Zürich", "Zürich"]


def test_a_table_that_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "participants.tsv")
    with pytest.raises(UserError, match="is not a readable table: participants.tsv is a named pip"):
        read_text_table(tmp_path / "participants.tsv")

"""Who is held out: from a file of ids, or drawn so that new people change little."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.config import Dataset
from semantoks.data.index.people.held_out import held_out_people
from semantoks.errors import UserError
from semantoks.people.layout import Layout
from tests.unit.data.index.conftest import FILES, index_bids, write_bids


def people(count: int, prefix: str = "sub-", first: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"participant_id": [f"{prefix}{i:04d}" for i in range(first, count)]})


def test_a_draw_depends_on_the_ids_alone() -> None:
    table = people(200)
    drawn = held_out_people(40, table, table)
    assert len(set(drawn)) == 40 and drawn == sorted(drawn)
    shuffled = table.sample(frac=1, random_state=0)
    assert held_out_people(40, shuffled, shuffled) == drawn
    bare = people(200, prefix="")
    assert [f"sub-{name}" for name in held_out_people(40, bare, bare)] == drawn


def test_new_people_only_take_places_and_a_larger_draw_only_adds() -> None:
    table, more = people(200), people(220)
    drawn, later = set(held_out_people(40, table, table)), set(held_out_people(40, more, more))
    assert later - drawn <= set(people(220, first=200)["participant_id"])
    assert drawn < set(held_out_people(50, table, table))


def test_only_people_with_a_scan_and_a_row_are_drawn() -> None:
    scans, table = people(20), people(30, first=10)
    assert held_out_people(10, table, scans) == [f"sub-{i:04d}" for i in range(10, 20)]
    with pytest.raises(UserError, match="asks for 11 people, but only 10 have a scan and a row"):
        held_out_people(11, table, scans)


def test_long_numbers_of_families_are_told_apart() -> None:
    table = people(6).assign(family=[1666781.0, 1666781, 1666782, 1666782, None, None])
    assert len(held_out_people(4, table, table, "family")) == 4
    pairs = table[:4]
    assert len(held_out_people(2, pairs, pairs, "family")) == 2


def test_families_stay_together(caplog: pytest.LogCaptureFixture) -> None:
    table = people(60)
    families = [f"f{i // 2}" if i < 40 else None for i in range(60)]
    table["family"] = families
    drawn = held_out_people(21, table, table, "family")
    names = table.set_index("participant_id")["family"]
    assert len(drawn) == 21  # the odd number needs somebody without a family
    assert names[drawn].value_counts().dropna().isin([2]).all()
    pairs = table[:40]
    with caplog.at_level("WARNING"):
        assert len(held_out_people(21, pairs, pairs, "family")) == 20
    assert "20 people are held out instead of 21" in caplog.text
    with pytest.raises(UserError, match="every family has more"):
        held_out_people(1, pairs, pairs, "family")
    with pytest.raises(UserError, match="no column 'twins'"):
        held_out_people(1, table, table, "twins")


@pytest.mark.parametrize(
    "content",
    [
        "participant_id\tage\nsub-0003\t5\n0001\t4\nsub-9999\t3\n",
        "eid\tage\n0001\t5\n0003\t4\n9999\tn/a\n",
        "sub-0003\n sub-0001 \n\nsub-9999\n",
        "\ufeff0001\r\n0003\r\n9999\r\n",
    ],
)
def test_a_file_is_a_table_or_a_list(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "people.tsv"
    file.write_text(content)
    with caplog.at_level("WARNING"):
        held = held_out_people(file, people(9), people(9), layout=Layout(("eid",)))
    assert held == ["sub-0001", "sub-0003"]
    assert "1 of 3 ids in people.tsv are not in the data set" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name\tage\nsub-0001\t5\n", "needs a column participant_id .* or one id per line"),
        ("sub-0011\nsub-0012\n", r"Nobody in .*people.tsv has a scan and a row.* as sub-0011"),
        ("3\n4\n", "has 3 where the scans have sub-0003"),
        ("", "needs a column participant_id"),
    ],
)
def test_a_file_that_holds_nobody_out_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "people.tsv"
    file.write_text(content)
    with pytest.raises(UserError, match=message):
        held_out_people(file, people(9), people(9))
    with pytest.raises(UserError, match="does not exist"):
        held_out_people(tmp_path / "no.tsv", people(9), people(9))


def test_relatives_who_are_not_in_the_file_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "people.txt").write_text("sub-0001\n")
    table = people(4).assign(family=[1, 1, 1, 2])
    with caplog.at_level("WARNING"):
        held_out_people(tmp_path / "people.txt", table, table, "family")
    assert "2 people who are not held out are relatives" in caplog.text


@pytest.mark.parametrize("value", [0, -3, True, 2.5, ""])
def test_a_number_is_at_least_one(value: object) -> None:
    with pytest.raises(ValidationError, match="hold_out"):
        Dataset.model_validate({"path": "x", "hold_out": value})


def test_index_lists_them_and_does_not_touch_the_shards(tmp_path: Path) -> None:
    bids, out = write_bids(tmp_path / "bids", *FILES), tmp_path / "index"
    index_bids(bids, out, shards=2)
    assert (out / "held_out.tsv").read_text() == "participant_id\n"
    before = {path: path.stat().st_mtime_ns for path in out.glob("shard-*.tsv")}
    index_bids(bids, out, shards=2, hold_out=2)
    assert len((out / "held_out.tsv").read_text().splitlines()) == 3
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_ids_of_the_file_may_be_written_as_in_the_tables(tmp_path: Path) -> None:
    """A lost id would be pretrained on."""
    file = tmp_path / "people.csv"
    file.write_text('Identifiers\n"sub-0001,assessment"\n"sub-0003,assessment"\n')
    layout = Layout(("Identifiers",), id_pattern="(sub-[0-9]+),assessment")
    assert held_out_people(file, people(9), people(9), layout=layout) == ["sub-0001", "sub-0003"]
    file.write_text("participant_id\n1\n3\n")
    scans = people(9).assign(participant_id=people(9)["participant_id"].str.removeprefix("sub-"))
    digits = Layout(id_digits=4)
    assert held_out_people(file, scans, scans, layout=digits) == ["0001", "0003"]


def test_a_file_of_everybody_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "".join(f"{name}\t{n % 2}\n" for n, name in enumerate(people(9)["participant_id"]))
    (tmp_path / "people.tsv").write_text(f"participant_id\theld_out\n{rows}")
    with caplog.at_level("WARNING"):
        assert len(held_out_people(tmp_path / "people.tsv", people(9), people(9))) == 9
    assert "names all 9 people of the data set" in caplog.text
    assert "whatever its other columns say" in caplog.text

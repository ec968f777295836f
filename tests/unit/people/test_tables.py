"""Tables of participants as data holders ship them are joined by id, and nothing is guessed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semantoks.errors import UserError
from semantoks.people.layout import Layout
from semantoks.people.parts import columns_of
from semantoks.people.tables import names_of, read_people, require_no_conflict

EID = Layout(("EID", "Basic_Demos,EID", "Identifiers"))


def write(folder: Path, **tables: str) -> list[Path]:
    """Write tables of commas by their names."""
    paths = [folder / f"{name}.csv" for name in tables]
    for path, text in zip(paths, tables.values(), strict=True):
        path.write_text(text)
    return paths


def test_tables_are_joined_by_their_own_columns_of_ids(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        demos='"Basic_Demos,EID","Basic_Demos,Age"\nN1,8\nN2,9\n',
        celf='Identifiers,"CELF,CELF_Total"\n"N3,assessment",100\n"N2,assessment",.\n',
    )
    layout = Layout(EID.id_columns, id_pattern=r"(\w+)(?:,assessment)?")
    assert columns_of(paths, layout) == ["Basic_Demos,Age", "CELF,CELF_Total"]
    people = read_people(paths, layout)
    assert people.columns == {
        "participant_id": ["N1", "N2", "N3"],
        "Basic_Demos,Age": ["8", "9", None],
        "CELF,CELF_Total": [None, None, "100"],
    }
    assert people.name == "demos.csv and celf.csv" and not people.notes
    assert names_of([*paths, paths[0]]) == "demos.csv and 2 other tables"


def test_releases_are_one_table_and_differences_are_named(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        R1="EID,Sex,Release\nN1,0,1\nN2,1,1\n",
        R2="EID,Sex,Release\nN3,1,2\nN2,1.0,2\n",
        R3="EID,Sex,Release\nN3,0,3\n",
    )
    people = read_people(paths, EID)
    assert people.columns["Sex"] == ["0", "1", None] and people.columns["Release"][0] == "1"
    require_no_conflict(people, ["participant_id"])
    with pytest.raises(UserError, match=r"R2.csv and .*R3.csv both have the column 'Sex'.*for N3"):
        require_no_conflict(people, ["Sex"])
    assert people.conflicts["Release"].tables == (paths[0], paths[1])


@pytest.mark.parametrize(
    ("ids", "others", "hint"),
    [
        ("0050001 0050002", "50003 50002", r", or set `participant_digits: 7`\.$"),
        ("sub-01", "01", r"as text\)\.$"),
        ("1", "1.0", r"as text\)\.$"),
        ("NDAR_1", "ndar1", r"as text\)\.$"),
        ("01 1", "001", r"there are 2 such pairs"),
    ],
)
def test_ids_that_two_tables_write_differently_are_refused(
    tmp_path: Path, ids: str, others: str, hint: str
) -> None:
    first, second = ("".join(f"{name},1\n" for name in names.split()) for names in (ids, others))
    paths = write(tmp_path, a=f"EID,dx\n{first}", b=f"EID,age\n{second}")
    with pytest.raises(
        UserError, match=r"a\.csv has .* where .*b\.csv has .*such pairs in all"
    ) as e:
        read_people(paths, EID)
    assert re.search(hint, str(e.value))
    if "digits" in hint:
        people = read_people(paths, Layout(("EID",), id_digits=7))
        assert people.columns["participant_id"] == ["0050001", "0050002", "0050003"]


def test_a_table_may_have_ids_that_differ_only_in_zeros(tmp_path: Path) -> None:
    tables = {"a": "EID,dx\n01,x\n1,y\n", "b": "EID,age\n1,8\n", "c": "EID,iq\n01,90\n2,99\n"}
    people = read_people(write(tmp_path, **tables), EID)
    assert people.columns == {
        "participant_id": ["01", "1", "2"],
        "dx": ["x", "y", None],
        "age": [None, "8", None],
        "iq": ["90", None, "99"],
    }


def test_visits_are_chosen_over_all_files_of_one_table(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        R1="EID,Visit,Age\nN1,V2,9\nN1,V1,8\n",
        R2="EID,Visit,Age\nN1,V10,12\nN2,V1,7\n",
        site="EID,Site\nN1,RU\nN2,CBIC\n",
    )

    def ages(keep: str) -> list[str | None]:
        people = read_people(paths, Layout(("EID",), visit_columns=("Visit",), keep=keep))
        return people.columns["Age"]

    assert ages("first") == ["8", "7"] and ages("last") == ["12", "7"]
    assert ages("V2") == ["9", None]
    with pytest.raises(UserError, match="'Visit' of R1.csv and R2.csv has 'V3'"):
        ages("V3")
    with pytest.raises(UserError, match=r"R1.csv lists N1 more than once.*`visits: \{column"):
        read_people(paths, Layout(("EID",)))
    with pytest.raises(UserError, match="no table has a column 'wave'"):
        read_people(paths, Layout(("EID",), visit_columns=("wave",), keep="first"))


def test_values_of_different_visits_are_said(tmp_path: Path) -> None:
    paths = write(
        tmp_path,
        a="EID,Visit,Age\nN1,V1,8\nN1,V2,9\nN2,V1,7\n",
        b="EID,Visit,IQ\nN1,V2,100\nN2,V1,90\n",
    )
    people = read_people(paths, Layout(("EID",), visit_columns=("Visit",), keep="first"))
    assert people.columns["IQ"] == ["100", "90"] and people.columns["Visit"] == [None, "V1"]
    assert people.notes == [
        "1 rows of a.csv are other visits",
        "a.csv and b.csv have other visits of the same participants (1), since `visits` chooses in "
        "each by itself",
    ]


def test_two_rows_of_one_visit_are_refused(tmp_path: Path) -> None:
    paths = write(tmp_path, a="EID,Visit,Age\nN1,V1,8\nN1,V1,9\n")
    with pytest.raises(UserError, match="lists N1 more than once.*visit that `visits` names"):
        read_people(paths, Layout(("EID",), visit_columns=("Visit",), keep="first"))


def test_ids_get_zeros_and_lose_what_is_around_them(tmp_path: Path) -> None:
    # ADHD-200 writes 0010001 in file names and 10001 in its tables.
    paths = write(tmp_path, adhd="ScanDir ID,Age\n10001,8\n1000804.0,9\nNYU_1,7\n")
    people = read_people(paths, Layout(("ScanDir ID",), id_digits=7))
    assert people.columns["participant_id"] == ["0010001", "1000804", "NYU_1"]
    paths = write(tmp_path, ids="ID,Age\nMGH_0050002,8\nphantom,3\n,4\n")
    people = read_people(paths, Layout(("ID",), id_pattern=r"\w+_(\d+)"))
    assert people.columns == {"participant_id": ["0050002"], "Age": ["8"]}
    assert people.notes == [
        "1 rows of ids.csv have no id and are left out",
        "1 rows of ids.csv are left out, since `participant_pattern` does not fit their ids, such "
        "as 'phantom'",
    ]
    with pytest.raises(UserError, match="`participant_pattern` fits none of the 2 ids of"):
        read_people(paths, Layout(("ID",), id_pattern=r"NYU_(\d+)"))


def test_item_rows_are_skipped_and_seen(tmp_path: Path) -> None:
    rows = "".join(f"NDARAA{i:03}XX,{i}\n" for i in range(5))
    paths = write(tmp_path, demos=f"EID,Age\nParticipant identifier,Age in years\n{rows}")
    with pytest.raises(UserError, match=r"'Participant identifier' under 'EID'.*`skip_rows: 1`"):
        read_people(paths, EID)
    skipped = read_people(paths, Layout(("EID",), skip_rows=1))
    assert skipped.columns["Age"] == ["0", "1", "2", "3", "4"]
    (more,) = write(tmp_path, more=f"EID,Age\n{rows}")
    with pytest.raises(UserError, match="`skip_rows` would leave out NDARAA000XX of .*more.csv"):
        read_people([*paths, more], Layout(("EID",), skip_rows=1))
    people = read_people([*paths, more], Layout(("EID",), skip_rows={"demo*": 1}))
    assert people.n_rows == 5 and not people.conflicts
    (named,) = write(tmp_path, named=f"EID,Age\neid,age\n{rows}")
    with pytest.raises(UserError, match="'eid' under 'EID'"):
        read_people([named], EID)
    # A participant who is called otherwise is one.
    (pilot,) = write(tmp_path, pilot=f"EID,Age\npilot,9\n{rows}")
    assert read_people([pilot], EID).n_rows == 6


def test_a_table_of_uk_biobank_for_r_is_read(tmp_path: Path) -> None:
    (tmp_path / "ukb1.tab").write_text('"f.eid"\t"f.31.0.0"\n1000012\t"Female"\n1000024\tNA\n')
    (tmp_path / "ukb2.txt").write_text("eid,p54_i2\n1000012,11025\n")
    (tmp_path / "ukb3.txt").write_text("eid\t20016-2.0\n1000024\t7\n")
    paths = sorted(tmp_path.iterdir())
    people = read_people(paths, Layout(("eid", "f.eid")))
    assert people.columns == {
        "participant_id": ["1000012", "1000024"],
        "f.31.0.0": ["Female", None],
        "p54_i2": ["11025", None],
        "20016-2.0": [None, "7"],
    }


def test_only_the_columns_that_are_needed_are_kept(tmp_path: Path) -> None:
    """A table of UK Biobank has thousands."""
    header = "\t".join(["eid", *(f"{i}-0.0" for i in range(2000))])
    row = "\t".join(map(str, range(2000)))
    with (tmp_path / "ukb.tsv").open("w") as stream:
        stream.write(header + "\n")
        stream.writelines(f"{eid}\t{row}\n" for eid in range(40))
    people = read_people([tmp_path / "ukb.tsv"], Layout(("eid",)), {"31-0.0"})
    assert people.n_rows == 40 and list(people.columns) == ["participant_id", "31-0.0"]


def test_a_table_in_another_encoding_is_read_if_it_is_named(tmp_path: Path) -> None:
    """The table of ABIDE II is in ISO 8859."""
    path = tmp_path / "people.csv"
    path.write_text("participant_id,drug\na,Méthylphénidate\n", encoding="latin-1")
    with pytest.raises(UserError, match="can be read with `encoding: latin-1`"):
        read_people([path], Layout())
    people = read_people([path], Layout(encoding="latin-1"))
    assert people.columns["drug"] == ["Méthylphénidate"]

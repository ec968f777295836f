"""Splits of a variant are those of the main analysis, without the participants it lacks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.artifacts.timeseries import INCLUDED, SCAN_ENTITIES
from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION
from semantoks.scores.split.settings import SplitSettings
from semantoks.scores.split.stage import split
from tests.unit.scores.split.conftest import CLASSIFICATION

SETTINGS = SplitSettings(name="group", phenotype=CLASSIFICATION, site_column="town")


def drawn(cohort: tuple[list[Path], Path], name: str, like: Path | None = None) -> Path:
    paths, participants = cohort
    out = paths[0].with_name(f"{name}.parquet")
    scans = paths[0].with_name("scans.parquet")
    split(SETTINGS, participants=participants, scans=scans, out=out, like=like)
    return out


def test_the_same_people_have_the_same_splits(cohort: tuple[list[Path], Path]) -> None:
    main = drawn(cohort, "main")
    varied = drawn(cohort, "varied", main)
    assert read_table(varied).equals(read_table(main))
    assert read_metadata(varied)["splits"] == read_metadata(main)["splits"]


def test_who_is_excluded_is_taken_out_of_every_split(cohort: tuple[list[Path], Path]) -> None:
    main = drawn(cohort, "main")
    scans = cohort[0][0].with_name("scans.parquet")
    table = read_table(scans)
    gone = table["participant_id"].isin(["sub-03", "sub-04", *(f"sub-{i}" for i in range(12, 24))])
    table.loc[gone, "status"] = "excluded"
    write_table(scans, table, read_metadata(scans))
    varied = drawn(cohort, "varied", main)
    everybody = read_table(main).set_index("participant_id")
    rows = read_table(varied).set_index("participant_id")
    assert rows.equals(everybody.loc[[f"sub-{i:02d}" for i in range(12) if i not in (3, 4)]])
    names = [record["split"] for record in read_metadata(varied)["splits"]]
    # All of the south are gone, so nobody is left to train on them, or to be tested there.
    assert [name for name in names if name.startswith("site")] == []
    assert len([name for name in names if name.startswith("random")]) > 0


def test_other_values_get_splits_of_their_own(
    cohort: tuple[list[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    main = drawn(cohort, "main")
    table = read_table(cohort[1])
    table["group"] = table["group"].to_numpy()[::-1]
    write_table(cohort[1], table)
    varied = drawn(cohort, "varied", main)
    assert "23 of them have other values, so this variant has splits of its own" in caplog.text
    assert read_table(varied)["target"].tolist() != read_table(main)["target"].tolist()


def followed(folder: Path, people: pd.DataFrame, excluded: set[str]) -> Path:
    """Draw splits of everybody, and have a variant without some follow them."""
    ids = people["participant_id"]
    scans = pd.DataFrame(dict.fromkeys(SCAN_ENTITIES, ids)).assign(reason="", recording=ids)
    write_table(folder / "people", people)
    for name, gone in (("main", set()), ("varied", excluded)):
        status = ["excluded" if person in gone else INCLUDED for person in ids]
        write_table(folder / f"scans-{name}", scans.assign(status=status))
        split(
            SETTINGS,
            participants=folder / "people",
            scans=folder / f"scans-{name}",
            out=folder / name,
            like=folder / "main" if name == "varied" else None,
        )
    return folder / "varied"


def names_of(path: Path, scheme: str) -> list[str]:
    return [r["split"] for r in read_metadata(path)["splits"] if r["scheme"] == scheme]


def people_of_sites(patients: list[int], controls: list[int]) -> pd.DataFrame:
    """So many patients and controls of each site."""
    rows = [
        (group, site)
        for site, counts in zip("ABC", zip(patients, controls, strict=True), strict=True)
        for group, count in zip(("patient", "control"), counts, strict=True)
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["group", "town"])
    return table.assign(participant_id=[f"sub-{n:03d}" for n in range(len(table))])


def test_splits_that_lack_a_class_here_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    people = people_of_sites([20, 0, 0], [40, 0, 0])
    varied = followed(tmp_path, people, set(people["participant_id"][:12]))
    names, rows = names_of(varied, "random"), read_table(varied)
    assert 0 < len(names) < 100
    assert f"{100 - len(names)} of 100 splits of the main analysis are left out" in caplog.text
    for name in names_of(tmp_path / "main", "random"):
        parts = [rows[rows[name].isin(codes)] for codes in ((TRAIN, VALIDATION), (TEST,))]
        assert (name in names) == all(part["target"].nunique() == 2 for part in parts)


@pytest.mark.parametrize(("kept", "message"), [(0, "the same value in all 40"), (1, "no split")])
def test_too_few_of_a_class_are_refused(tmp_path: Path, kept: int, message: str) -> None:
    """A single patient trains or is tested."""
    people = people_of_sites([20, 0, 0], [40, 0, 0])
    with pytest.raises(UserError, match=f"Phenotype 'group'.* {message}"):
        followed(tmp_path, people, set(people["participant_id"][: 20 - kept]))


def test_without_one_of_three_classes_a_variant_has_splits_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two classes are easier to tell apart than three, so scores do not compare."""
    people = people_of_sites([20, 0, 0], [40, 0, 0])
    people.loc[:19, "group"] = "third"
    people.loc[20:39, "group"] = "patient"
    varied = followed(tmp_path, people, set(people["participant_id"][:20]))
    assert "none of the class 'third' is there, so this variant has splits" in caplog.text
    assert set(read_table(varied)["target"]) == {"control", "patient"}
    assert len(names_of(varied, "random")) == 100


def test_sites_are_held_out_as_if_they_were_drawn_here(tmp_path: Path) -> None:
    """Four patients of A are left, which is too few to test, and enough to train on."""
    people = people_of_sites([20, 20, 20], [20, 20, 20])
    varied = followed(tmp_path, people, set(people["participant_id"][:16]))
    assert names_of(tmp_path / "main", "site") == ["site A", "site B", "site C"]
    assert names_of(varied, "site") == ["site B", "site C"]
    assert len(names_of(varied, "random")) == 100


def test_a_single_site_is_not_held_out(tmp_path: Path) -> None:
    people = people_of_sites([20, 20, 20], [20, 20, 20])
    gone = people.loc[(people["group"] == "patient") & (people["town"] != "C"), "participant_id"]
    varied = followed(tmp_path, people, set(gone[:16]) | set(gone[20:36]))
    assert names_of(varied, "site") == []

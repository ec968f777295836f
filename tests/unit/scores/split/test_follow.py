"""Splits of a variant are those of the main analysis, without the participants it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
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

"""Parts of the people are nested, and of people rather than scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import HELD_OUT, Manifest, write_timeseries
from semantoks.model.corpus.seen import SeenScans, nested_part
from tests.conftest import write_cohort

PEOPLE = [("a", f"sub-{i:03d}") for i in range(150)] + [("b", f"sub-{i:03d}") for i in range(50)]


def test_parts_are_nested_and_stay_when_people_are_added() -> None:
    parts = [nested_part(PEOPLE, fraction) for fraction in (0.1, 0.3, 1.0)]
    assert [len(part) for part in parts] == [20, 60, 200]
    assert parts[0] < parts[1] < parts[2] == set(PEOPLE)
    assert nested_part(PEOPLE[::-1], 0.1) == parts[0]
    # A share of each data set, not one after the other.
    assert 30 < sum(name == "a" for name, _ in parts[1]) < 57
    without = nested_part(PEOPLE[:-1], 0.3)
    assert len(without ^ parts[1]) <= 2


@pytest.fixture
def files(tmp_path: Path, manifest: Manifest) -> tuple[Path, list[Path]]:
    """Two scans of each of eight people."""
    rng, path = np.random.default_rng(0), tmp_path / "toy/shard.parquet"
    people = [f"sub-{number}" for number in range(8) for _ in range(2)]
    rows = pd.DataFrame(
        {
            "scan": [f"{person}_run-{n % 2}" for n, person in enumerate(people)],
            "participant_id": people,
            "session": "",
            "task": "rest",
            "run": "",
            "status": "ok",
            "reason": "",
        }
    )
    path.parent.mkdir()
    arrays = [rng.standard_normal((12, 30)).astype(np.float32) for _ in people]
    write_timeseries(path, rows, arrays, manifest)
    return path, arrays and [path]


def test_all_scans_of_half_of_the_people(files: tuple[Path, list[Path]]) -> None:
    seen, quarter = SeenScans(files[1], [], 0.5), SeenScans(files[1], [], 0.25)
    names = [scan.scan for scan in seen.scans()]
    people = {scan.participant_id for scan in seen.scans()}
    assert len(names) == 8 and len(people) == 4 == seen.people()
    assert {scan.participant_id for scan in quarter.scans()} < people
    assert seen.counts() == (4, 8, 8, 16)
    assert seen.summary == {"people": 4, "people_of_all": 8}
    assert SeenScans(files[1], []).people() == 8


def test_who_is_held_out_stays_out_of_every_part(tmp_path: Path, manifest: Manifest) -> None:
    paths, _ = write_cohort(tmp_path, manifest)
    (tmp_path / "toy").mkdir()
    moved = [path.rename(tmp_path / "toy" / path.name) for path in paths]
    table = pd.read_parquet(tmp_path / "scans.parquet")
    held = table["participant_id"].isin([f"sub-{i:02d}" for i in range(10)])
    write_table(tmp_path / "toy.parquet", table.assign(**{HELD_OUT: held}))
    for fraction, people in ((0.5, 7), (1.0, 13)):
        seen = SeenScans(moved, [tmp_path / "toy.parquet"], fraction)
        drawn = {scan.participant_id for scan in seen.scans()}
        assert len(drawn) == people
        assert drawn.isdisjoint(table.loc[held, "participant_id"])

"""The table of blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semantoks.artifacts.tables import read_table, write_table
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.samples.stage import samples
from semantoks.errors import UserError

EVENTS = {
    "participant_id": ["a_block-01", "a_block-02", "b_block-01", "c_block-01"],
    "person": ["sub-01", "sub-01", "sub-02", "sub-03"],
    "onset": ["0", "27", "0", "0"],
    "trial_type": ["faces", "shapes", "faces", "faces"],
    "rating": ["1", None, "3.5", "2"],
    "sex": ["F", "M", "F", "F"],
    "age": ["1", "2", "3", "4"],
}
PEOPLE = {
    "participant_id": ["sub-01", "sub-02", "sub-04"],
    "age": [30, 40, 50],
    "family": ["f1", None, "f1"],
}


def run(folder: Path, people: dict[str, Any] | None = None, **settings: Any) -> pd.DataFrame:
    events = pd.DataFrame(EVENTS).astype("string")
    paths = [folder / "1_blocks.parquet", folder / "2_blocks.parquet"]
    write_table(paths[0], events[:2])
    # A column that no run of a shard has is not there.
    write_table(paths[1], events[2:].drop(columns="sex"))
    write_table(folder / "people.parquet", pd.DataFrame(people or PEOPLE))
    out = folder / "participants.parquet"
    samples(
        SamplesSettings(**settings), blocks=paths, participants=folder / "people.parquet", out=out
    )
    return read_table(out)


def test_a_block_has_the_columns_of_its_event_and_of_its_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = run(tmp_path)
    assert table["participant_id"].tolist() == ["a_block-01", "a_block-02", "b_block-01"]
    assert table["person"].tolist() == ["sub-01", "sub-01", "sub-02"]
    assert table["onset"].tolist() == [0.0, 27.0, 0.0]
    assert table["trial_type"].tolist() == ["faces", "shapes", "faces"]
    assert table["rating"].fillna(-1).tolist() == [1.0, -1.0, 3.5]
    assert table["age"].tolist() == [30, 30, 40]
    assert "1 block(s) of 1 people who are not in the table of participants" in caplog.text
    # The sex of a face, and another age, are not those of the person.
    assert "sex" not in table and table["event_sex"].fillna("").tolist() == ["F", "M", ""]
    assert table["event_age"].tolist() == [1.0, 2.0, 3.0]


def test_people_without_a_family_are_their_own(tmp_path: Path) -> None:
    table = run(tmp_path, group_column="family")
    assert table["family"].tolist() == ["f1", "f1", "person sub-02"]
    with pytest.raises(UserError, match="no column 'tribe'"):
        run(tmp_path, group_column="tribe")


def test_without_any_block_of_a_known_person_it_stops(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No block is of a person in the table"):
        run(tmp_path, {"participant_id": ["sub-9"]})

"""Files that are written completely or not at all, and who may read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import atomic, write_json
from semantoks.artifacts.tables import write_rows, write_table


@pytest.fixture(params=[0o022, 0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_tables_of_people_are_for_the_user_and_the_group(tmp_path: Path, umask: int) -> None:
    table = pd.DataFrame({"participant_id": ["sub-1"]})
    write_table(tmp_path / "table.parquet", table)
    write_rows(tmp_path / "rows.parquet", table, {"features": [np.zeros(3)]}, {})
    with atomic(tmp_path / "table.tsv", of_people=True) as temporary:
        assert mode(temporary) == 0o640 & ~umask  # before it has content
        table.to_csv(temporary, sep="\t")
    assert {mode(path) for path in tmp_path.iterdir()} == {0o640 & ~umask}


def test_other_files_follow_the_umask(tmp_path: Path, umask: int) -> None:
    write_json(tmp_path / "benchmark.json", {})
    write_table(tmp_path / "metrics.parquet", pd.DataFrame({"loss": [1.0]}), of_people=False)
    assert {mode(path) for path in tmp_path.iterdir()} == {0o666 & ~umask}


def test_a_table_that_was_open_to_all_is_closed(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").touch()
    (tmp_path / "table.parquet").chmod(0o666)
    write_table(tmp_path / "table.parquet", pd.DataFrame({"participant_id": ["sub-1"]}))
    assert not mode(tmp_path / "table.parquet") & 0o007


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), atomic(tmp_path / "x", of_people=True):
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []

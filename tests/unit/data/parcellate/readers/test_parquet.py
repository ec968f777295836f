"""Text in Parquet files is read only as far as is plausible."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.data import declared
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.declared import require_plausible_parquet
from semantoks.data.parcellate.readers.timeseries import read_timeseries
from semantoks.errors import ScanError

ROWS = 1000


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    content = {name: pa.array(["x"] * ROWS) for name in SCAN_ENTITIES}
    content["timeseries"] = pa.array([[1.0, 2.0]] * ROWS)
    options = {"compression": "zstd", "store_schema": False} | options
    pq.write_table(pa.table(content | columns), path, **options)
    return path


@pytest.mark.parametrize("store_schema", [True, False])
@pytest.mark.parametrize("column", SCAN_ENTITIES)
def test_a_long_text_that_is_stored_once(
    tmp_path: Path, column: str, named_atlas: Atlas, store_schema: bool
) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), ["s" * 1_000_000])
    path = write(
        tmp_path / "a.parquet",
        {column: long},
        dictionary_pagesize_limit=10**8,
        store_schema=store_schema,
    )
    assert path.stat().st_size < 10_000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(ScanError, match=f"a.parquet has more than 200 MB of text under {column}"):
        read_timeseries(path, "y", named_atlas, 2.0, None)
    assert pa.default_memory_pool().max_memory() - before < 700_000_000


def test_a_long_text_that_repeats_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = pa.array(["s" * 10_000 + str(number) for number in range(ROWS)])
    encoding: dict[str, Any] = {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}
    pq.write_table(pa.table({"scan": long}), tmp_path / "a.parquet", **encoding)
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    require_plausible_parquet(tmp_path / "a.parquet", ["scan"])
    monkeypatch.setattr(declared, "MAX_TEXT", 2_000_000)
    with pytest.raises(ScanError, match="more than 2 MB of text under scan"):
        require_plausible_parquet(tmp_path / "a.parquet", ["scan"])


def test_lists_of_text_are_no_time_series(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"timeseries": pa.array([["a", "b"]] * ROWS)})
    with pytest.raises(ScanError, match="a.parquet has text in the lists of timeseries"):
        require_plausible_parquet(path, ["scan", "timeseries"])


@pytest.mark.parametrize("use_dictionary", [True, False])
@pytest.mark.parametrize("row_group_size", [40_000, 20])
def test_a_large_cohort_passes(tmp_path: Path, use_dictionary: bool, row_group_size: int) -> None:
    names = pa.array([f"sub-{number:05d}_{'x' * 30}" for number in range(40_000)])
    columns = {"scan": names, "task": pa.array(["rest"] * 40_000)}
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(columns), path, use_dictionary=use_dictionary, row_group_size=row_group_size
    )
    start = time.process_time()
    require_plausible_parquet(path, ["scan", "task"])
    assert time.process_time() - start < 5

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import atomic, atomic_folder, read_json
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import (
    Manifest,
    find_scan,
    iter_scans,
    read_manifest,
    read_scan_table,
    why_excluded,
    write_timeseries,
)
from semantoks.errors import UserError


def test_time_series_come_back_with_manifest_and_exclusions(
    cohort: tuple[list[Path], Path], manifest: Manifest
) -> None:
    paths, _ = cohort
    scans = list(iter_scans(paths))
    assert [scan.scan for scan in scans] == sorted(scan.scan for scan in scans)
    assert len(scans) == 23
    assert scans[0].timeseries_CT.shape == (12, 120)
    assert read_manifest(paths[0]) == manifest
    table = read_scan_table(paths)
    assert len(table) == 24
    assert table.loc[table["status"] == "excluded", "reason"].tolist() == ["head motion: too much"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path, manifest: Manifest) -> None:
    rows = pd.DataFrame(
        {"scan": ["b", "a"], "participant_id": "p", "session": "", "task": "", "run": ""}
    )
    arrays = [np.ones((12, 7), np.float32), np.zeros((12, 5), np.float32)]
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    write_timeseries(first, rows, arrays, manifest)
    write_timeseries(second, rows.iloc[::-1], arrays[::-1], manifest)
    assert first.read_bytes() == second.read_bytes()
    assert [scan.timeseries_CT.shape for scan in list(iter_scans([first]))] == [(12, 5), (12, 7)]


def test_the_amplitude_comes_back_where_a_file_has_it(tmp_path: Path, manifest: Manifest) -> None:
    rows = pd.DataFrame(
        {"scan": ["b", "a"], "participant_id": "p", "session": "", "task": "", "run": ""}
    )
    arrays = [np.ones((12, 7), np.float32), None]
    amplitudes = [np.where(np.arange(12) == 3, np.nan, np.arange(12.0)), None]
    write_timeseries(tmp_path / "1.parquet", rows, arrays, manifest, amplitudes=amplitudes)
    (scan,) = iter_scans([tmp_path / "1.parquet"])
    same, _ = find_scan(tmp_path / "1.parquet", "b")
    assert same is not None
    np.testing.assert_array_equal(scan.amplitude_C, amplitudes[0])
    np.testing.assert_array_equal(same.amplitude_C, amplitudes[0])
    assert list(read_scan_table([tmp_path / "1.parquet"])) == list(rows)
    write_timeseries(tmp_path / "2.parquet", rows, arrays, manifest)
    assert next(iter_scans([tmp_path / "2.parquet"])).amplitude_C is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out, dead = tmp_path / "shard-0000", tmp_path / ".shard-0000.1f.part"
    for folder in (out, dead):  # of an earlier run; of one that was killed
        folder.mkdir()
        (folder / "old").touch()
    with pytest.raises(ValueError, match="stop"), atomic_folder(out) as folder:
        (folder / "new").touch()
        raise ValueError("stop")
    assert [path.name for path in tmp_path.rglob("*")] == ["shard-0000", "old"]
    with atomic_folder(out) as folder:
        (folder / "new").touch()
        shutil.rmtree(out)  # the attempt before is dying, and Snakemake tidies up after it
    assert [path.name for path in tmp_path.rglob("*")] == ["shard-0000", "new"]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    path.write_bytes(b"PAR1 cut short")
    with pytest.raises(UserError, match="cut.parquet is not a readable Parquet"):
        read_table(path)
    path = tmp_path / "cut.json"
    path.write_text("{")
    with pytest.raises(UserError, match="cut.json is not readable JSON"):
        read_json(path)


def test_scans_come_sorted_however_many_files_there_are(
    cohort: tuple[list[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, _ = cohort
    monkeypatch.setattr("semantoks.artifacts.timeseries._OPEN_FILES", 1)
    names = [scan.scan for scan in iter_scans(reversed(paths))]
    assert len(names) > len(paths) > 1
    assert names == sorted(names)


def test_the_commonest_reason_is_said_whatever_numbers_and_files_it_quotes() -> None:
    reasons = ["", "no T1w image", "head motion: 0.7 mm > 0.5 mm", "head motion: 1 mm > 0.5 mm"]
    scans = pd.DataFrame({"status": ["ok"] + ["excluded"] * 3, "reason": reasons})
    assert why_excluded(scans) == (
        " 3 of 4 scans are excluded, 2 of them for the reason: head motion: 0.7 mm > 0.5 mm."
    )
    assert why_excluded(scans[:1]) == ""

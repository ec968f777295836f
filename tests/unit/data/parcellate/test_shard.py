"""A scan that fails is a row with its reason, and the other scans of the shard get time series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.fingerprints import FINGERPRINTS
from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import RawScan
from semantoks.data.parcellate.readers.fmriprep import FmriprepReader, PreprocessedReader
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.parcellate.shard import ShardTimeseries, parcellate_scans
from semantoks.errors import UserError
from tests.unit.data.parcellate.conftest import raw_scan, write_run


def parcellated(
    scans: list[RawScan],
    folder: Path,
    atlas: Atlas,
    settings: Parcellation,
    by_hand: Mapping[str, str] = MappingProxyType({}),
    **outcomes: object,
) -> ShardTimeseries:
    """Parcellate scans of which `preprocess` recorded the same outcomes."""
    table = pd.DataFrame({"scan": [scan.scan for scan in scans]}).assign(
        **{"status": "ok", "reason": "", "mean_fd": 0.1, "dice": 0.95, "correlation": 0.9}
        | outcomes
    )
    fmriprep = FmriprepReader(folder, atlas, settings, "simple")
    reader = PreprocessedReader(fmriprep, table.set_index("scan"))
    return parcellate_scans(scans, reader, atlas, settings, "minimal", by_hand)


def test_what_is_excluded_by_hand_is_measured(tmp_path: Path, atlas: Atlas) -> None:
    for participant in ("01", "02", "03"):
        volumes = 30 if participant == "03" else 100
        write_run(tmp_path, f"sub-{participant}_task-rest", volumes=volumes)
    scans = [raw_scan(f"sub-0{n}") for n in (1, 2, 3)]
    used = parcellated(scans, tmp_path, atlas, Parcellation())
    by_hand = {scan.scan: "excluded by hand: a hole" for scan in scans[1:]}
    shard = parcellated(scans, tmp_path, atlas, Parcellation(), by_hand)
    assert shard.table["status"].tolist() == ["ok", "excluded", "excluded"]
    assert shard.table["reason"][1] == "excluded by hand: a hole"
    assert "75 s of data, at least 120 needed" in shard.table["reason"][2]  # what it had anyway
    assert shard.timeseries[1] is None and shard.timeseries[0] is not None
    changed = ["status", "reason", "fingerprint", *FINGERPRINTS]
    pd.testing.assert_frame_equal(
        shard.table.drop(columns=changed), used.table.drop(columns=changed)
    )
    assert shard.table.loc[1, ["fingerprint", *FINGERPRINTS]].isna().all()


def test_a_failed_scan_is_a_row_with_its_reason(tmp_path: Path, atlas: Atlas) -> None:
    for participant in ("01", "02", "03", "06"):
        volumes = 30 if participant == "03" else 100
        write_run(tmp_path, f"sub-{participant}_task-rest", volumes=volumes)
    next(tmp_path.rglob("sub-06*_timeseries.tsv")).write_text("nothing useful")
    scans = [raw_scan(f"sub-0{n}") for n in range(1, 7)]
    scans.append(replace(raw_scan("sub-07"), problem="a link to a file that is not here"))
    shard = parcellated(
        scans,
        tmp_path,
        atlas,
        Parcellation(keep_means=True),
        status=["ok"] * 3 + ["failed"] + ["ok"] * 3,
        reason=[""] * 3 + ["truncated"] + [""] * 3,
        mean_fd=[0.1, 1.8, 0.1, "", 0.1, 0.1, 0.1],
        dice=[0.95] * 3 + [""] + [0.95] * 3,
    )
    table = shard.table.set_index("participant_id")
    assert table["status"].tolist() == ["ok"] + ["excluded"] * 6
    assert "1.80 mm" in table.loc["sub-02", "reason"]
    assert "75 s of data, at least 120 needed" in table.loc["sub-03", "reason"]
    assert table.loc["sub-04", "reason"] == "truncated"
    assert "no preprocessed BOLD" in table.loc["sub-05", "reason"]
    assert "confounds 'simple' cannot be loaded" in table.loc["sub-06", "reason"]
    assert table.loc["sub-07", "reason"] == "a link to a file that is not here"
    assert table.loc["sub-01", "repetition_time"] == 2.5  # before resampling
    assert (table.loc["sub-01", ["mean_fd", "dice", "correlation"]] == [0.1, 0.95, 0.9]).all()
    assert shard.means is not None
    assert [array is None for array in shard.means] == [False] + [True] * 6
    assert shard.means[0] is not None
    assert shard.means[0][0].mean() == pytest.approx(1000, rel=1e-2)


def test_an_included_scan_is_resampled_and_z_scored(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, "sub-01_task-rest")
    shard = parcellated([raw_scan("sub-01")], tmp_path, atlas, Parcellation())
    (timeseries_CT,) = shard.timeseries
    assert timeseries_CT is not None
    assert timeseries_CT.shape == (3, 124)  # 247.5 s between first and last volume, every 2 s
    assert np.isnan(timeseries_CT[2]).all()
    assert np.allclose(timeseries_CT[:2].std(axis=1), 1, atol=1e-4)
    assert shard.means is None
    assert shard.manifest.labels == ("b", "a", "c")
    assert (shard.manifest.tr, shard.manifest.space) == (2.0, "MNI152NLin2009aSym")
    assert (shard.manifest.confounds, shard.manifest.engine) == ("simple, motion full", "minimal")


def test_an_unexpected_error_excludes_one_scan_only(
    tmp_path: Path, atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("odd data")

    write_run(tmp_path, "sub-01_task-rest")
    monkeypatch.setattr("semantoks.data.parcellate.shard.clean_scan", fail)
    shard = parcellated([raw_scan("sub-01")], tmp_path, atlas, Parcellation())
    assert shard.table["reason"].tolist() == ["RuntimeError: odd data"]


def test_an_empty_shard_is_an_empty_table(tmp_path: Path, atlas: Atlas) -> None:
    shard = parcellated([], tmp_path, atlas, Parcellation())
    assert (len(shard.table), shard.timeseries, shard.manifest.space) == (0, [], "")


@dataclass(frozen=True)
class OnFullDisk:
    """A reader whose temporary disk is full."""

    confounds: str = "none"

    def read(self, scan: RawScan) -> RegionalMeans:
        raise UserError(f"{scan.scan}: the disk is full.")


def test_a_full_disk_stops_the_job_instead_of_excluding_scans(atlas: Atlas) -> None:
    with pytest.raises(UserError, match="the disk is full"):
        parcellate_scans([raw_scan("sub-01")], OnFullDisk(), atlas, Parcellation(), "")

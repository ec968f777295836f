"""Blocks of one run are no copies of each other; those of a copied run are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from semantoks.scores.participants import participants_with_duplicate_scans
from tests.conftest import toy_scan


def rows_of(run: str, timeseries_CT: np.ndarray, count: int) -> list[dict[str, object]]:
    names = [f"{run}_block-{number:02d}" for number in range(1, count + 1)]
    rows: list[dict[str, object]] = [
        {"scan": name, "participant_id": name, "person": run[:6], "source": run} for name in names
    ]
    rows[0] |= {
        "fingerprint": str(hash(timeseries_CT.tobytes())),
        CONNECTIVITY: connectivity_fingerprint(timeseries_CT),
        OVER_TIME: temporal_fingerprint(timeseries_CT),
    }
    return rows


def test_only_blocks_of_a_copied_run_share_a_recording(tmp_path: Path, manifest: Manifest) -> None:
    rng = np.random.default_rng(0)
    first, second = toy_scan(rng, True), toy_scan(rng, False)
    rows = [
        *rows_of("sub-01_task-a", first, 3),
        *rows_of("sub-02_task-a", second, 3),
        # The run of the first, cut by other events.
        *rows_of("sub-03_task-a", first, 4),
    ]
    table = pd.DataFrame(rows).assign(session="", task="a", run="", repetition_time=2.0)
    table = table.assign(status="ok", reason="")
    excluded = {"scan": "sub-04_task-a", "participant_id": "sub-04", "source": "sub-04_task-a"}
    table = pd.concat([table, pd.DataFrame([excluded]).assign(status="excluded", reason="why")])
    arrays = [first[:, :10]] * 10 + [None]
    write_timeseries(tmp_path / "blocks.parquet", table, arrays, manifest)
    out = tmp_path / "scans.parquet"
    scans(ScansSettings(), timeseries=[tmp_path / "blocks.parquet"], out=out)
    listed = read_table(out)
    recordings = dict(zip(listed["scan"], listed["recording"], strict=True))
    copies = {name for name in recordings if name.startswith("sub-03")}
    assert {recordings[name] for name in copies} == {"sub-01_task-a_block-01"}
    assert all(recordings[name] == name for name in recordings.keys() - copies)
    usable = listed[listed["status"] == "ok"]
    assert participants_with_duplicate_scans(usable) == copies
    assert pd.read_csv(tmp_path / "scans_excluded.tsv", sep="\t")["scan"].tolist() == [
        "sub-04_task-a"
    ]

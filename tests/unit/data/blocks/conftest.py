"""A small task data set in the layout of BIDS, and its cleaned runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.timeseries import write_timeseries
from semantoks.config import Events
from semantoks.data.blocks.settings import BlocksSettings
from semantoks.data.blocks.stage import blocks
from semantoks.data.index.shards import DerivativeScan, scan_table
from semantoks.data.parcellate.shard import COLUMNS
from tests.conftest import NETWORKS
from tests.unit.model.conftest import make_manifest

VOLUMES = 60  # of 2 s


def write_events(path: Path, rows: Sequence[str], header: str = "onset\tduration") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


class Task:
    """A data set with one run per person, and its folder of results."""

    def __init__(self, folder: Path, people: Sequence[str] = ("sub-01", "sub-02")) -> None:
        self.data, self.results = folder / "data", folder / "results"
        self.results.mkdir()
        self.people = people
        rng = np.random.default_rng(0)
        self.arrays = [
            rng.standard_normal((len(NETWORKS), VOLUMES)).astype(np.float32) for _ in people
        ]
        self.starts = [0.0] * len(people)
        self.data.mkdir()
        (self.data / "dataset_description.json").write_text(json.dumps({"Name": "task"}))

    def scan(self, person: str) -> str:
        return f"{person}_task-faces_run-1"

    def file(self, person: str) -> Path:
        return self.data / person / "func" / f"{self.scan(person)}_timeseries.tsv"

    def events_file(self, person: str) -> Path:
        return self.file(person).with_name(f"{self.scan(person)}_events.tsv")

    def cut(self, events: Events | None = None, **changes: object) -> pd.DataFrame:
        """Cut all runs; return the rows of the blocks, with their time series."""
        shard, runs = self.results / "shard-0000.tsv", self.results / "runs.parquet"
        scans = [self._listed(person) for person in self.people]
        scan_table(scans, DerivativeScan).to_csv(shard, sep="\t", index=False)
        table = pd.DataFrame([self._row(n) for n in range(len(self.people))], columns=COLUMNS)
        table = table.assign(**changes)
        arrays = [
            a if s == "ok" else None for a, s in zip(self.arrays, table["status"], strict=True)
        ]
        manifest = make_manifest(labels=tuple(f"r{n}" for n in range(12)), networks=NETWORKS)
        write_timeseries(runs, table, arrays, manifest)
        self.out = self.results / "atlas-toy_shard-0000_timeseries.parquet"
        settings = BlocksSettings(events=events or Events())
        blocks(settings, runs=runs, shard=shard, data=self.data, out=self.out)
        return pd.read_parquet(self.out)

    def table(self) -> pd.DataFrame:
        return pd.read_parquet(self.results / "atlas-toy_shard-0000_blocks.parquet")

    def _listed(self, person: str) -> DerivativeScan:
        file = self.file(person).relative_to(self.data).as_posix()
        return DerivativeScan(self.scan(person), person, "", "faces", "1", file, "", "")

    def _row(self, number: int) -> dict[str, object]:
        person = self.people[number]
        return {
            "scan": self.scan(person),
            "participant_id": person,
            "session": "",
            "task": "faces",
            "run": "1",
            "status": "ok",
            "reason": "",
            "fingerprint": f"{number:04x}",
            CONNECTIVITY: connectivity_fingerprint(self.arrays[number]),
            OVER_TIME: temporal_fingerprint(self.arrays[number]),
            "repetition_time": 2.0,
            "start": self.starts[number],
            "seconds": 2.0 * VOLUMES,
            "mean_fd": 0.1,
        }

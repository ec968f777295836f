"""What several tests need: made-up time series on disk, and the shared data where it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; before numpy is loaded

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config import Dataset, IndexedDataset, Probe
from semantoks.data.index.settings import IndexSettings
from semantoks.data.index.stage import index
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.stage import probe
from semantoks.scores.represent.settings import RepresentSettings
from semantoks.scores.represent.stage import represent
from semantoks.scores.split.settings import SplitSettings
from semantoks.scores.split.stage import split

SHARED = Path(__file__).resolve().parents[2] / "shared"
NETWORKS = ("A",) * 5 + ("B",) * 4 + ("C",) * 3


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.exists():
        pytest.skip(f"needs the real data in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return Manifest(
        atlas="toy",
        atlas_sha256="0" * 64,
        labels=tuple(f"{network}{i}" for i, network in enumerate(NETWORKS)),
        networks=NETWORKS,
        space="MNI152NLin2009aSym",
        tr=2.0,
        low_pass=0.1,
        high_pass=0.01,
        confounds="simple",
        engine="minimal",
    )


def toy_scan(rng: np.random.Generator, coherent: bool, volumes: int = 120) -> np.ndarray:
    """Twelve regions; in the first five a common signal, strong where `coherent`."""
    noise = rng.standard_normal((len(NETWORKS), volumes))
    share = 0.8 if coherent else 0.2
    noise[:5] = np.sqrt(share) * rng.standard_normal(volumes) + np.sqrt(1 - share) * noise[:5]
    scores = noise - noise.mean(axis=1, keepdims=True)
    return (scores / scores.std(axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def cohort(tmp_path: Path, manifest: Manifest) -> tuple[list[Path], Path]:
    return write_cohort(tmp_path, manifest)


def write_cohort(folder: Path, manifest: Manifest) -> tuple[list[Path], Path]:
    """Time series of 24 people in two shards, one excluded scan, and their participants table."""
    rng = np.random.default_rng(0)
    people = [f"sub-{i:02d}" for i in range(24)]
    participants = pd.DataFrame(
        {
            "participant_id": people,
            "group": ["patient" if i % 2 else "control" for i in range(24)],
            "trait": rng.standard_normal(24),
            "age": rng.integers(20, 60, 24),
            "sex": [["F", "M"][i % 3 == 0] for i in range(24)],
            "town": ["north" if i < 12 else "south" for i in range(24)],
            "same": 1,
        }
    )
    write_table(folder / "participants.parquet", participants)
    rows = pd.DataFrame(
        {
            "scan": [f"{p}_task-rest" for p in people],
            "participant_id": people,
            "session": "",
            "task": "rest",
            "run": "",
            "status": ["ok"] * 23 + ["excluded"],
            "reason": [""] * 23 + ["head motion: too much"],
            "fingerprint": [f"{i:04x}" for i in range(24)],
            "mean_fd": rng.uniform(0.05, 0.3, 24),
            "repetition_time": 2.0,
            "seconds": 240.0,
            "coverage": 1.0,
        }
    )
    arrays = [toy_scan(rng, coherent=bool(i % 2)) if i < 23 else None for i in range(24)]
    paths = [folder / f"shard-{k}.parquet" for k in range(2)]
    summaries = {CONNECTIVITY: connectivity_fingerprint, OVER_TIME: temporal_fingerprint}
    for name, summarize in summaries.items():
        rows[name] = [None if array is None else summarize(array) for array in arrays]
    for k, path in enumerate(paths):
        write_timeseries(path, rows.iloc[k::2], arrays[k::2], manifest)
    scans(ScansSettings(), timeseries=paths, out=folder / "scans.parquet")
    return paths, folder / "participants.parquet"


def run_represent(
    name: str, timeseries: Sequence[Path], participants: Path, out: Path, **settings: Any
) -> None:
    represent(
        RepresentSettings(**settings),
        representation=name,
        timeseries=timeseries,
        participants=participants,
        out=out,
    )


def run_split(participants: Path, scans_table: Path, out: Path, **settings: Any) -> None:
    split(SplitSettings(**settings), participants=participants, scans=scans_table, out=out)


def run_probe(
    features: Sequence[Path], splits: Path, name: str, settings: Probe, out: Path
) -> None:
    probe(
        ProbeSettings(probe=settings),
        features=features,
        splits=[splits],
        representation=name,
        out=out,
    )


def run_index(
    data: Path, participants: Path | Sequence[Path], dataset: Dataset, folder: Path
) -> None:
    """List a data set into a folder, with settings as the rule gives them."""
    tables = [participants] if isinstance(participants, Path) else participants
    settings = IndexSettings(dataset=IndexedDataset.part_of(dataset))
    index(settings, data=data, participants=tables, out=folder / "scans.parquet")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write", action="store_true", help="write the golden numbers anew")
    help_text = "folder of made-up data and a finished run, shared with other pytest processes"
    parser.addoption("--workspaces", type=Path, metavar="FOLDER", help=help_text)

"""A small simulated data set, preprocessed once for the tests of several modules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from semantoks.config import Preprocessing, Simulation
from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.gate import Gate


class PreprocessedCohort(NamedTuple):
    """Folder with ``bids``, ``truth`` and ``out``; shard table; settings."""

    folder: Path
    scans: pd.DataFrame
    settings: Preprocessing


def shard_table(bids: Path) -> pd.DataFrame:
    """List the scans of a simulated data set as `index` does."""
    rows = []
    for bold in sorted(bids.glob("sub-*/**/*_bold.nii.gz")):
        sidecar = json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
        t1w = next((bold.parent.parent / "anat").glob("*_T1w.nii.gz"))
        rows.append(
            {
                "scan": bold.name.removesuffix("_bold.nii.gz"),
                "participant_id": bold.relative_to(bids).parts[0],
                "bold": str(bold.relative_to(bids)),
                "t1w": str(t1w.relative_to(bids)),
                "repetition_time": sidecar["RepetitionTime"],
                "slice_timing": json.dumps(sidecar["SliceTiming"]),
                "slice_encoding_direction": "k",
                "problem": "",
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def preprocessed(tmp_path_factory: pytest.TempPathFactory) -> PreprocessedCohort:
    """Five scans.

    sub-001 has two sessions, sub-002 moves a lot, the file of sub-003 is truncated, sub-004 has no
    T1w image.
    """
    from semantoks.data.simulate.dataset import write_dataset

    folder = tmp_path_factory.mktemp("cohort")
    simulation = Simulation(participants=4, two_sessions=1, seconds=60)
    write_dataset(folder / "bids", folder / "truth", simulation, threads=2)
    scans = shard_table(folder / "bids")
    scans.loc[scans["participant_id"] == "sub-004", "t1w"] = ""
    settings = Preprocessing(voxel_size=5, registration_voxel_size=5)
    preprocess_shard(scans, Gate(folder / "bids"), folder / "out", settings, threads=2)
    return PreprocessedCohort(folder, scans, settings)

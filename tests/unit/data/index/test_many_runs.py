"""The work for a participant grows with the number of runs, and not with its square."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Dataset
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.data.index.raw.runs import find_raw_scans

NAMES = {
    "bids": ("_bold.nii", "_bold.json"),
    "fmriprep": ("_space-MNI152NLin6Asym_desc-preproc_bold.nii", "_desc-confounds_timeseries.tsv"),
    "timeseries": ("_timeseries.tsv", "_timeseries.json"),
}


def write_runs(folder: Path, source: str, runs: int) -> Dataset:
    """Write small files of one participant with many runs."""
    func = folder / "sub-01/func"
    func.mkdir(parents=True)
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2, 2), "f4"), np.eye(4)), folder / "image.nii")
    image = (folder / "image.nii").read_bytes()
    for run in range(runs):
        for name in NAMES[source]:
            content = image if name.endswith(".nii") else b'{"RepetitionTime": 2}'
            (func / f"sub-01_task-rest_run-{run:04d}{name}").write_bytes(content)
    return Dataset.model_validate({"path": str(folder), "source": source})


def calls(folder: Path, dataset: Dataset) -> tuple[int, pd.DataFrame]:
    """Count the calls of functions, which unlike the time is the same on every machine."""
    profile = cProfile.Profile()
    find = find_raw_scans if dataset.source == "bids" else find_derivative_scans
    scans = profile.runcall(find, folder, dataset)
    return pstats.Stats(profile).total_calls, scans  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", NAMES)
def test_four_times_the_runs_are_four_times_the_work(tmp_path: Path, source: str) -> None:
    calls(tmp_path / "first", write_runs(tmp_path / "first", source, 1))  # imports
    few, _ = calls(tmp_path / "few", write_runs(tmp_path / "few", source, 60))
    many, scans = calls(tmp_path / "many", write_runs(tmp_path / "many", source, 240))
    assert len(scans) == 240 and (scans["problem"] == "").all()
    assert many / few < 5

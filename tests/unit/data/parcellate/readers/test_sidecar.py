"""Sidecars of derivatives and tables are inherited like those of raw data."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.fmriprep import read_fmriprep
from semantoks.data.parcellate.readers.sidecar import repetition_time
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import SCAN, write_run
from tests.unit.data.parcellate.readers.conftest import NAMES, read

STEM = "sub-01_task-rest_run-01_space-MNI152NLin6Asym_seg-toy_stat-mean_timeseries"


def write(folder: Path, name: str, **content: object) -> None:
    (folder / name).write_text(json.dumps(content))


@pytest.fixture(params=["", "sub-01", "sub-01/ses-1/func"], ids=["flat", "participant", "session"])
def table(request: pytest.FixtureRequest, tmp_path: Path, values: np.ndarray) -> Path:
    """A table of time series without a sidecar of its own."""
    folder = tmp_path / request.param
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(values, columns=NAMES).to_csv(folder / f"{STEM}.tsv", sep="\t", index=False)
    return folder / f"{STEM}.tsv"


def test_tables_inherit_from_the_top_of_the_data_set(
    tmp_path: Path, table: Path, named_atlas: Atlas
) -> None:
    write(tmp_path, "timeseries.json", RepetitionTime=3.0)
    assert read(table, named_atlas, math.nan).tr == 3.0
    write(tmp_path, "task-rest_run-1_timeseries.json", RepetitionTime=0.8)
    assert read(table, named_atlas, math.nan).tr == 0.8
    write(tmp_path, "task-faces_timeseries.json", RepetitionTime=9.0)
    write(tmp_path, "task-rest_run-1_bold.json", RepetitionTime=9.0)
    write(tmp_path, "sub-02_task-rest_run-1_timeseries.json", RepetitionTime=9.0)
    assert read(table, named_atlas, 9.0).tr == 0.8  # goes before `repetition_time`
    table.with_suffix(".json").write_text('{"RepetitionTime": null, "SamplingFrequency": "TR"}')
    assert read(table, named_atlas, math.nan).tr == 0.8
    table.with_suffix(".json").write_text('{"RepetitionTime": 1.5}')
    assert read(table, named_atlas, math.nan).tr == 1.5


def test_what_is_stated_above_counts_as_stated(
    tmp_path: Path, table: Path, named_atlas: Atlas
) -> None:
    write(tmp_path, "task-rest_timeseries.json", RepetitionTime=0.8)
    table.with_suffix(".json").write_text('{"SamplingFrequency": 0.5}')
    with pytest.raises(ScanError, match=r"0.8 s in task-rest_timeseries.json .*, 2 s in .*Sampl"):
        read(table, named_atlas)
    table.with_suffix(".json").write_text("{}")
    write(tmp_path, "run-1_timeseries.json", RepetitionTime=2.0)
    with pytest.raises(ScanError, match=r"give different RepetitionTime, and neither is more"):
        read(table, named_atlas)


def test_nothing_above_the_data_set_applies(tmp_path: Path, named_atlas: Atlas) -> None:
    folder = tmp_path / "derivatives/sub-01"
    folder.mkdir(parents=True)
    write(tmp_path, "task-rest_timeseries.json", RepetitionTime=0.8)
    assert repetition_time(folder / f"{STEM}.tsv", 2.0) == 2.0
    flat = tmp_path / f"sub-01/tables/{STEM.replace('sub-01', 'sub-02')}.tsv"
    flat.parent.mkdir(parents=True)
    assert repetition_time(flat, 2.0) == 2.0
    write(tmp_path, "dataset_description.json")
    assert repetition_time(flat, 2.0) == 0.8


def test_names_that_are_not_of_bids_inherit_nothing(tmp_path: Path) -> None:
    write(tmp_path, "cc200.json", RepetitionTime=9.0)
    assert repetition_time(tmp_path / "50002_rois_cc200.1D", 2.0) == 2.0
    write(tmp_path, "50002_rois_cc200.json", RepetitionTime=1.5)
    assert repetition_time(tmp_path / "50002_rois_cc200.1D", 2.0) == 1.5
    write(tmp_path, "a.rest.json", RepetitionTime=1.25)
    assert repetition_time(tmp_path / "a.rest.npy", 2.0) == 1.25


def test_images_inherit_too(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    bold = next(tmp_path.rglob("*_desc-preproc_bold.nii.gz"))
    write(tmp_path, "task-rest_bold.json", RepetitionTime=1.5)
    assert read_fmriprep(bold, atlas, "none", Parcellation()).tr == 2.5  # its own
    bold.with_name(bold.name.replace(".nii.gz", ".json")).unlink()
    assert read_fmriprep(bold, atlas, "none", Parcellation()).tr == 1.5

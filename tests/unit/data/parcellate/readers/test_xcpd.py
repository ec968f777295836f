"""Volumes that XCP-D has removed are put back, or the scan is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.readers.template_images import TemplateImageReader
from semantoks.data.parcellate.readers.timeseries import TimeseriesReader
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import NAMES

VOLUMES, STEM = 300, "sub-01_task-rest"
OUTLIERS = np.array([0, 40, 41, 42, 150, 200, 299])
KEPT = np.setdiff1d(np.arange(VOLUMES), OUTLIERS)
FILE = f"{STEM}_space-MNI152NLin6Asym_seg-toy_stat-mean_timeseries.tsv"


def signals() -> np.ndarray:
    """Return smooth signals, one per region."""
    seconds = np.arange(VOLUMES) * 2.0
    hertz = np.array([0.02, 0.03, 0.04, 0.05])
    return 100 + np.sin(2 * np.pi * hertz * seconds[:, None] + hertz * 100)


def write(folder: Path, values: np.ndarray, outliers: np.ndarray | None = OUTLIERS) -> None:
    pd.DataFrame(values, columns=NAMES).to_csv(folder / FILE, sep="\t", index=False)
    (folder / FILE).with_suffix(".json").write_text('{"RepetitionTime": 2.0}')
    if outliers is not None:
        marked = np.isin(np.arange(VOLUMES), outliers).astype(float)
        table = pd.DataFrame({"framewise_displacement": marked})
        table.to_csv(folder / f"{STEM}_outliers.tsv", sep="\t", index=False)


def scan_of_file(file: str = FILE) -> DerivativeScan:
    return DerivativeScan(STEM, "sub-01", "", "rest", "", file, "", "")


def read(folder: Path, atlas: Atlas) -> RegionalMeans:
    return TimeseriesReader(folder, atlas).read(scan_of_file())


@pytest.mark.parametrize("removed", [True, False], ids=["removed", "interpolated by XCP-D"])
def test_outliers_are_put_back_and_interpolated(
    tmp_path: Path, named_atlas: Atlas, removed: bool
) -> None:
    values = signals()
    values[OUTLIERS] += 50
    write(tmp_path, values[KEPT] if removed else values)
    scan = read(tmp_path, named_atlas)
    assert len(scan.means_TC) == VOLUMES
    np.testing.assert_array_equal(scan.sample_mask, KEPT)
    cleaned, measures, _ = clean_scan(scan, Parcellation())
    assert measures["censored"] == pytest.approx(len(OUTLIERS) / VOLUMES)
    assert measures["seconds"] == 2 * len(KEPT)
    whole, *_ = clean_scan(RegionalMeans(signals(), 2.0), Parcellation())
    # Continuous time would be five volumes late at the end.
    assert np.abs(cleaned - whole[:, 1:-1])[:, 60:-60].max() < 0.1


def test_a_run_without_outliers_stays_as_it_is(tmp_path: Path, named_atlas: Atlas) -> None:
    write(tmp_path, signals(), np.array([], int))
    scan = read(tmp_path, named_atlas)
    assert scan.sample_mask is None
    np.testing.assert_allclose(scan.means_TC, signals())


def test_images_are_put_back_too(tmp_path: Path, atlas: Atlas) -> None:
    data = np.random.default_rng(0).normal(100, 3, (10, 10, 10, VOLUMES)).astype(np.float32)
    name = f"{STEM}_space-MNI152NLin6Asym_res-2_desc-denoised_bold.nii.gz"
    nib.save(nib.Nifti1Image(data[..., KEPT], np.diag([4.0, 4, 4, 1])), tmp_path / name)
    write(tmp_path, signals())
    reader = TemplateImageReader(tmp_path, atlas, Parcellation())
    scan = reader.read(replace(scan_of_file(name), repetition_time=2.0))
    assert len(scan.means_TC) == VOLUMES
    np.testing.assert_array_equal(scan.sample_mask, KEPT)


def test_the_table_of_outliers_may_write_the_run_with_other_zeros(
    tmp_path: Path, named_atlas: Atlas
) -> None:
    write(tmp_path, signals()[KEPT])
    file = FILE.replace("task-rest", "task-rest_run-01")
    (tmp_path / FILE).rename(tmp_path / file)
    outliers = tmp_path / f"{STEM}_outliers.tsv"
    outliers.rename(tmp_path / f"{STEM}_run-1_outliers.tsv")
    row = replace(scan_of_file(file), repetition_time=2.0)
    scan = TimeseriesReader(tmp_path, named_atlas).read(row)
    np.testing.assert_array_equal(scan.sample_mask, KEPT)


def test_what_is_not_known_is_a_reason(tmp_path: Path, named_atlas: Atlas) -> None:
    write(tmp_path, signals()[:290])
    with pytest.raises(ScanError, match="has 290 volumes, .*has 300, of which 293 are not outl"):
        read(tmp_path, named_atlas)
    outliers = tmp_path / f"{STEM}_outliers.tsv"
    outliers.write_text("framewise_displacement\n" + "0.31\n" * VOLUMES)
    with pytest.raises(ScanError, match="no column framewise_displacement of 0 .kept. and 1"):
        read(tmp_path, named_atlas)
    outliers.unlink()
    assert read(tmp_path, named_atlas).sample_mask is None  # not known to be XCP-D's
    missing = "_outliers.tsv, which says where, is not beside"
    (tmp_path / FILE).with_suffix(".json").write_text(
        json.dumps({"RepetitionTime": 2.0, "Sources": [f"bids:xcp_d:func/{STEM}_outliers.tsv"]})
    )
    with pytest.raises(ScanError, match=missing):
        read(tmp_path, named_atlas)
    write(tmp_path, signals()[:290], None)
    description = tmp_path / "dataset_description.json"
    for name in ("XCP-D", "xcp_d"):
        description.write_text(json.dumps({"GeneratedBy": [{"Name": name}]}))
        with pytest.raises(ScanError, match=f"may have removed volumes.*{missing}"):
            read(tmp_path, named_atlas)
    motion = pd.DataFrame({"framewise_displacement": np.zeros(VOLUMES)})
    motion.to_csv(tmp_path / f"{STEM}_motion.tsv", sep="\t", index=False)
    with pytest.raises(ScanError, match=f"it has 290 volumes, .*_motion.tsv 300.*{missing}"):
        read(tmp_path, named_atlas)
    write(tmp_path, signals(), None)
    assert read(tmp_path, named_atlas).sample_mask is None

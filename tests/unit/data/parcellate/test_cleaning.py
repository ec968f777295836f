"""Cleaning equals nilearn's, and scans with too few degrees of freedom are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiLabelsMasker

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.confounds import load_confounds
from semantoks.data.parcellate.readers.fmriprep import find_bold, read_fmriprep
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import SCAN, write_run


@pytest.mark.parametrize("strategy", ["simple", "36p", "none"])
def test_time_series_equal_nilearns(tmp_path: Path, atlas: Atlas, strategy: str) -> None:
    """Masker, confounds and band-pass in one call of nilearn, then the z-score."""
    write_run(tmp_path, SCAN, volumes=200)
    bold = find_bold(tmp_path / "sub-01", SCAN, atlas, "simple")
    settings = Parcellation(repetition_time=2.5, min_coverage=0.4)
    ours, *_ = clean_scan(read_fmriprep(bold, atlas, strategy, settings), settings)
    masker = NiftiLabelsMasker(
        atlas.image,
        mask_img=str(bold).replace("desc-preproc_bold", "desc-brain_mask"),
        resampling_target="data",
        standardize=None,
        detrend=True,
        low_pass=0.1,
        high_pass=0.01,
        t_r=2.5,
    )
    confounds, _ = load_confounds(bold, strategy, settings)
    theirs = masker.fit_transform(str(bold), confounds=confounds).T[[1, 0]]
    theirs = (theirs - theirs.mean(1, keepdims=True)) / theirs.std(1, keepdims=True)
    np.testing.assert_allclose(ours[:2], theirs, atol=1e-4)
    assert np.isnan(ours[2]).all()


def test_confounds_of_short_scans_leave_too_few_degrees_of_freedom(
    tmp_path: Path, atlas: Atlas
) -> None:
    write_run(tmp_path, SCAN, volumes=60)
    bold = find_bold(tmp_path / "sub-01", SCAN, atlas, "simple")

    def measures(**changes: Any) -> dict[str, float]:
        settings = Parcellation(**changes)
        return clean_scan(read_fmriprep(bold, atlas, "simple", settings), settings)[1]

    # 150 s × 0.09 Hz × 2 = 27 degrees of freedom; 24 + 2 confounds, or 6 + 2.
    with pytest.raises(ScanError, match="1 degrees of freedom left"):
        measures()
    assert measures(motion="basic")["dof"] == pytest.approx(19)


def test_runs_of_a_task_only_need_what_the_filter_needs() -> None:
    settings = Parcellation(min_seconds=60, min_dof=12, max_mean_fd=0.3).of_task_runs()
    assert (settings.min_seconds, settings.min_dof, settings.max_mean_fd) == (0, 1, 0.3)
    assert Parcellation(min_dof=0).of_task_runs().min_dof == 0
    means_TC = np.random.default_rng(0).standard_normal((40, 4))
    assert clean_scan(RegionalMeans(means_TC, 2.0), settings)[0].shape == (4, 40)
    with pytest.raises(ScanError, match="fewer than 34 volumes"):
        clean_scan(RegionalMeans(means_TC[:33], 2.0), settings)


@pytest.mark.parametrize(("mask", "start"), [(None, 0.0), (np.r_[3:20, 22:60], 6.0)])
def test_the_time_of_the_first_volume_is_measured(mask: np.ndarray | None, start: float) -> None:
    means_TC = np.random.default_rng(0).standard_normal((60, 4))
    measures = clean_scan(
        RegionalMeans(means_TC, 2.0, sample_mask=mask), Parcellation(min_seconds=0)
    )[1]
    assert measures["start"] == start


def test_a_volume_without_data_is_refused() -> None:
    means_TC = np.random.default_rng(0).normal(size=(30, 4))
    means_TC[7] = np.nan
    with pytest.raises(ScanError, match="1 of 30 volumes have no data in any region"):
        clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())


@pytest.mark.parametrize("constant", [0.0, 1e9, "rounding"])
def test_constant_regions_are_not_covered(constant: float | str) -> None:
    rng = np.random.default_rng(0)
    means_TC = rng.normal(10, 1, size=(200, 4))
    means_TC[:, 1] = rng.normal(0, 1e-12, 200) if constant == "rounding" else constant
    timeseries_CT, measures, _ = clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())
    assert np.isnan(timeseries_CT).all(axis=1).tolist() == [False, True, False, False]
    assert measures["coverage"] == pytest.approx(0.75)
    with pytest.raises(ScanError, match="25% of the atlas covered"):
        means_TC[:, :3] = means_TC[:, [1]]
        settings = Parcellation(min_scan_coverage=0.5)
        clean_scan(RegionalMeans(means_TC, tr=2.0), settings)


def test_a_region_that_changes_only_in_censored_volumes_is_not_covered() -> None:
    means_TC = np.random.default_rng(0).normal(10, 1, size=(200, 2))
    means_TC[:, 1] = 5
    means_TC[7, 1] = 900
    scan = RegionalMeans(means_TC, tr=2.0, sample_mask=np.setdiff1d(np.arange(200), 7))
    timeseries_CT, measures, _ = clean_scan(scan, Parcellation())
    assert np.isnan(timeseries_CT[1]).all() and measures["coverage"] == 0.5


@pytest.mark.parametrize("value", [0.0, 3e-6, 500.0])
def test_volumes_with_the_same_value_everywhere_have_no_data(value: float) -> None:
    """Zeros at the end of an aborted scan; also where scaling turns them into another number."""
    means_TC = np.random.default_rng(0).normal(1000, 10, size=(200, 4))
    means_TC[190:] = value
    with pytest.raises(ScanError, match="10 of 200 volumes have no data .*, first volume 191"):
        clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())
    scan = RegionalMeans(means_TC, tr=2.0, sample_mask=np.arange(190))
    assert np.isfinite(clean_scan(scan, Parcellation())[0]).all()


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_the_unit_of_the_data_does_not_matter(unit: float) -> None:
    means_TC = np.random.default_rng(0).normal(10, 1, size=(200, 4))
    expected, *_ = clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())
    scaled, *_ = clean_scan(RegionalMeans(means_TC * unit, tr=2.0), Parcellation())
    np.testing.assert_allclose(scaled, expected, atol=1e-5)


def test_the_amplitude_is_the_deviation_of_the_cleaned_signal_in_its_own_unit() -> None:
    """A sine in the pass band loses nothing; one of another scanner is five times as large."""
    time = np.arange(300) * 2.0
    sine = np.sin(2 * np.pi * 0.05 * time)
    means_TC = np.stack([1000 + 3 * sine, 1000 + 15 * sine, np.full(300, 7.0)], axis=1)
    # Far above the pass band, so it is in the deviation before cleaning only.
    means_TC[:, :2] += 3 * np.sin(2 * np.pi * 0.2 * time)[:, None]
    _, _, amplitude_C = clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())
    assert amplitude_C is not None and amplitude_C.dtype == np.float32
    np.testing.assert_allclose(amplitude_C[:2], np.log([3, 15] / np.sqrt(2)), atol=0.02)
    assert np.isnan(amplitude_C[2])


@pytest.mark.parametrize("ddof", [0, 1])
def test_time_series_that_come_z_scored_have_no_amplitude(ddof: int) -> None:
    """The band-pass leaves the same part of each, and that says nothing of the signal."""
    means_TC = np.random.default_rng(0).normal(10, 3, size=(200, 4))
    means_TC = (means_TC - means_TC.mean(axis=0)) / means_TC.std(axis=0, ddof=ddof)
    assert clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())[2] is None
    means_TC[:, 0] *= 1.1
    assert clean_scan(RegionalMeans(means_TC, tr=2.0), Parcellation())[2] is not None


@pytest.mark.parametrize("unit", [1.0, 1e9])
def test_a_region_that_the_confounds_explain_entirely_is_nan(unit: float) -> None:
    means_TC = np.random.default_rng(0).normal(10, 1, size=(200, 4))
    confounds = pd.DataFrame({"csf": means_TC[:, 1]})
    scan = RegionalMeans(means_TC * unit, tr=2.0, confounds=confounds)
    timeseries_CT, _, amplitude_C = clean_scan(scan, Parcellation())
    assert np.isnan(timeseries_CT).all(axis=1).tolist() == [False, True, False, False]
    assert amplitude_C is not None
    assert np.isnan(amplitude_C).tolist() == [False, True, False, False]

"""Runs in fMRIPrep's layout are found in the space of the atlas and averaged inside the mask."""

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
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.readers.fmriprep import FmriprepReader, find_bold, read_fmriprep
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import SCAN, dense_axis, write_dense, write_run

AROMA_DESC = "smoothAROMAnonaggr"


def find(folder: Path, atlas: Atlas, scan: str = SCAN) -> Path:
    return find_bold(folder / "sub-01", scan, atlas, "simple")


def test_means_follow_the_table_of_the_atlas_and_the_mask(tmp_path: Path, atlas: Atlas) -> None:
    data = write_run(tmp_path, SCAN)
    scan = read_fmriprep(find(tmp_path, atlas), atlas, "simple", Parcellation())
    assert (scan.tr, scan.space) == (2.5, "MNI152NLin2009aSym")
    means = scan.means_TC
    assert means.shape == (100, 3)
    assert np.allclose(means[:, 0], data[6:9, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.allclose(means[:, 1], data[1:4, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.isnan(means[:, 2]).all()


def test_a_missing_image_is_a_reason(tmp_path: Path, atlas: Atlas) -> None:
    with pytest.raises(ScanError, match="no preprocessed BOLD image"):
        find(tmp_path, atlas)


def test_the_image_in_the_space_of_the_atlas_is_chosen(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    for path in list((tmp_path / "sub-01" / "func").glob("*_space-*")):
        other = path.name.replace("2009aSym", "6Asym_res-2")
        path.with_name(other).write_bytes(path.read_bytes())
    exact = replace(atlas, space="MNI152NLin6Asym")
    assert "space-MNI152NLin6Asym_res-2_desc-preproc" in find(tmp_path, exact).name
    with pytest.raises(ScanError, match="images are in MNI152NLin2009aSym, MNI152NLin6Asym, the"):
        find(tmp_path, replace(atlas, space="MNI152NLin2009cAsym"))


@pytest.mark.parametrize(
    ("strategy", "description"),
    [("simple", "simple, motion basic"), ("36p", "36p"), ("none", "none")],
)
def test_the_manifest_names_motion_where_there_is_a_choice(
    tmp_path: Path, atlas: Atlas, strategy: str, description: str
) -> None:
    reader = FmriprepReader(tmp_path, atlas, Parcellation(motion="basic"), strategy)
    assert reader.confounds == description


def rename_images(folder: Path, space: str) -> None:
    for path in list(folder.rglob("*_space-MNI152NLin2009aSym*")):
        path.rename(path.with_name(path.name.replace("space-MNI152NLin2009aSym", space)))


def test_each_cohort_is_a_space(tmp_path: Path, atlas: Atlas) -> None:
    for cohort in (1, 2):
        write_run(tmp_path, SCAN)
        rename_images(tmp_path, f"space-MNIPediatricAsym_cohort-{cohort}_res-2")
    exact = replace(atlas, space="MNIPediatricAsym:cohort-2")
    bold = find(tmp_path, exact)
    assert "_cohort-2_" in bold.name
    scan = read_fmriprep(bold, exact, "simple", Parcellation())
    assert scan.space == "MNIPediatricAsym:cohort-2"
    without = replace(atlas, space="MNIPediatricAsym")
    with pytest.raises(ScanError, match="images are in MNIPediatricAsym:cohort-1, MNIPed"):
        find(tmp_path, without)
    with pytest.raises(ScanError, match="is in MNIPediatricAsym:cohort-2, the atlas toy is in"):
        read_fmriprep(bold, without, "simple", Parcellation())


def test_the_resolution_nearest_to_the_atlas_is_chosen(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)  # 4 mm
    rename_images(tmp_path, "space-MNI152NLin6Asym_res-1")
    bold = find(tmp_path, atlas)
    for resolution, millimetres in (("res-2", 2), ("res-native", 3), ("res-9", 9)):
        other = bold.with_name(bold.name.replace("res-1", resolution))
        affine = np.diag([millimetres, millimetres, millimetres, 1.0])
        nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 5), np.int16), affine), other)
    assert "res-2" in find(tmp_path, atlas).name
    again = bold.with_name(bold.name.replace("res-1", "res-02"))
    again.write_bytes(bold.with_name(bold.name.replace("res-1", "res-2")).read_bytes())
    with pytest.raises(ScanError, match=r"equally well \(sub-01.*res-02_.*, sub-01.*res-2_"):
        find(tmp_path, atlas)


def test_the_density_of_the_atlas_is_chosen(tmp_path: Path, dense_atlas: Atlas) -> None:
    names = {"den-170k": 120, "den-91k": 100}
    for name, vertices in names.items():
        axis = dense_axis(np.arange(100), np.arange(100), vertices=vertices)
        path, _ = write_dense(tmp_path, axis)
        path.rename(path.with_name(path.name.replace("den-91k", name)))
    assert "den-91k" in find_bold(tmp_path, SCAN, dense_atlas, "simple").name
    next(tmp_path.glob("*den-91k*")).unlink()
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100), vertices=130))
    bold = find_bold(tmp_path, SCAN, dense_atlas, "simple")
    with pytest.raises(ScanError, match="on different meshes"):
        read_fmriprep(bold, dense_atlas, "none", Parcellation(), 0.8)


def test_an_image_of_aroma_needs_no_mask_in_its_space(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    rename_images(tmp_path, "space-MNI152NLin6Asym")
    preproc = next(tmp_path.rglob("*preproc_bold.nii.gz"))
    mask = next(tmp_path.rglob("*brain_mask.nii.gz"))
    bold = preproc.rename(preproc.with_name(preproc.name.replace("preproc", AROMA_DESC)))
    whole = read_fmriprep(bold, atlas, "ica_aroma", Parcellation(), 2.0)
    assert np.isnan(whole.means_TC[:, 2]).all()
    # Of another resolution in the same space: the only mask that fMRIPrep wrote.
    mask = mask.rename(mask.with_name(mask.name.replace("6Asym", "6Asym_res-2")))
    again = read_fmriprep(bold, atlas, "ica_aroma", Parcellation(), 2.0)
    np.testing.assert_array_equal(again.means_TC, whole.means_TC)
    mask.rename(mask.with_name(mask.name.replace("6Asym", "2009cAsym")))
    without = read_fmriprep(bold, atlas, "ica_aroma", Parcellation(), 2.0)
    np.testing.assert_array_equal(without.means_TC[:, :2], whole.means_TC[:, :2])
    assert np.isfinite(without.means_TC[:, 2]).all()
    bold.with_name(bold.name.replace(f"{AROMA_DESC}_bold", "brain_mask")).symlink_to("missing")
    with pytest.raises(ScanError, match="brain_mask.nii.gz is a link to a file that is not"):
        read_fmriprep(bold, atlas, "ica_aroma", Parcellation(), 2.0)


def test_confounds_that_are_not_available_are_named(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    table = next(tmp_path.rglob("*confounds_timeseries.tsv"))
    confounds = pd.read_csv(table, sep="\t")
    bold = find(tmp_path, atlas)
    confounds.assign(csf=np.nan).to_csv(table, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match=r"n/a throughout in sub-01_task-rest_desc-con.*: csf$"):
        read_fmriprep(bold, atlas, "simple", Parcellation())
    confounds.loc[[40, 50], ["csf", "white_matter"]] = np.nan
    confounds.to_csv(table, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match=r"n/a in up to 2 of 100 volumes .*: csf, white_matter$"):
        read_fmriprep(bold, atlas, "simple", Parcellation())
    assert read_fmriprep(bold, atlas, "none", Parcellation()).confounds is None


def test_mask_and_confounds_may_write_the_run_with_other_zeros(
    tmp_path: Path, atlas: Atlas
) -> None:
    run = f"{SCAN}_run-1"
    write_run(tmp_path, run)
    expected = read_fmriprep(find(tmp_path, atlas, run), atlas, "simple", Parcellation())
    bold = find(tmp_path, atlas, run)
    for path in (bold, bold.with_name(bold.name.replace(".nii.gz", ".json"))):
        path.rename(path.with_name(path.name.replace("run-1", "run-01")))
    scan = read_fmriprep(find(tmp_path, atlas, run), atlas, "simple", Parcellation())
    np.testing.assert_array_equal(scan.means_TC, expected.means_TC)
    assert np.isnan(scan.means_TC[:, 2]).all()  # outside the mask
    assert expected.confounds is not None and expected.confounds.equals(scan.confounds)


@pytest.mark.parametrize(
    ("strategy", "column", "named"),
    [
        ("simple", "csf", "csf"),
        ("simple", "trans_x", "trans_x"),
        ("36p", "global_signal", "global_signal"),
        ("scrubbing", "std_dvars", "std_dvars"),
    ],
)
@pytest.mark.parametrize("value", [0.0, 7.1])
def test_confounds_that_never_change_are_named(
    tmp_path: Path, atlas: Atlas, strategy: str, column: str, named: str, value: float
) -> None:
    write_run(tmp_path, SCAN)
    table = next(tmp_path.rglob("*confounds_timeseries.tsv"))
    confounds = with_motion_measures(pd.read_csv(table, sep="\t"))
    confounds[[name for name in confounds if name.startswith(column)]] = value
    confounds.to_csv(table, sep="\t", index=False, na_rep="n/a")
    bold = find(tmp_path, atlas)
    with pytest.raises(ScanError, match=rf"the same in all volumes in .*\.tsv: {named}$"):
        read_fmriprep(bold, atlas, strategy, Parcellation())


def test_what_may_be_constant_is_accepted(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    table = next(tmp_path.rglob("*confounds_timeseries.tsv"))
    confounds = with_motion_measures(pd.read_csv(table, sep="\t"))
    # A square that is rounded to zero, and marks of volumes.
    confounds = confounds.assign(
        rot_x_derivative1_power2=0.0, cosine00=0.1, motion_outlier00=0, non_steady_state_outlier00=0
    )
    confounds.to_csv(table, sep="\t", index=False, na_rep="n/a")
    for strategy in ("simple", "scrubbing", "36p", "none"):
        scan = read_fmriprep(find(tmp_path, atlas), atlas, strategy, Parcellation())
        assert scan.sample_mask is None or len(scan.sample_mask) == 100


def test_scrubbing_needs_what_it_censors_by(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    table = next(tmp_path.rglob("*confounds_timeseries.tsv"))
    confounds = with_motion_measures(pd.read_csv(table, sep="\t"))
    confounds.assign(std_dvars=np.nan).to_csv(table, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match=r"n/a throughout in .*: std_dvars$"):
        read_fmriprep(find(tmp_path, atlas), atlas, "scrubbing", Parcellation())


@pytest.mark.parametrize("strategy", ["none", "simple", "scrubbing", "compcor", "36p"])
def test_volumes_before_the_steady_state_are_no_data(
    tmp_path: Path, atlas: Atlas, strategy: str
) -> None:
    write_run(tmp_path, SCAN)
    table = next(tmp_path.rglob("*confounds_timeseries.tsv"))
    confounds = with_motion_measures(pd.read_csv(table, sep="\t"))
    for volume in range(3):
        confounds[f"non_steady_state_outlier{volume:02d}"] = np.eye(100, dtype=int)[volume]
    confounds.to_csv(table, sep="\t", index=False, na_rep="n/a")
    table.with_suffix(".json").write_text(json.dumps({"a_comp_cor_00": COMPONENT}))
    bold = find(tmp_path, atlas)
    scan = read_fmriprep(bold, atlas, strategy, Parcellation())
    assert scan.sample_mask is not None and scan.sample_mask.tolist() == list(range(3, 100))
    cleaned, measures, _ = clean_scan(scan, Parcellation(motion="basic", min_dof=0))
    assert measures["seconds"] == 97 * 2.5 and cleaned.shape[1] == int(96 * 2.5 / 2) + 1
    image = nib.load(bold)
    brighter = image.get_fdata(dtype=np.float32)
    brighter[..., :3] *= 1.3
    nib.save(nib.Nifti1Image(brighter, image.affine), bold)
    again = read_fmriprep(bold, atlas, strategy, Parcellation()).measures
    assert [again[k] for k in ("tsnr", "dvars")] == [scan.measures[k] for k in ("tsnr", "dvars")]
    confounds[:90].to_csv(table, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match="has 100 volumes, its confounds table 90 rows"):
        read_fmriprep(bold, atlas, strategy, Parcellation())


COMPONENT = {"Method": "aCompCor", "Mask": "combined", "Retained": True, "VarianceExplained": 0.6}


def with_motion_measures(confounds: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return confounds.assign(
        framewise_displacement=np.r_[np.nan, rng.uniform(0.05, 0.2, len(confounds) - 1)],
        std_dvars=np.r_[np.nan, rng.uniform(0.9, 1.1, len(confounds) - 1)],
        a_comp_cor_00=rng.normal(size=len(confounds)),
    )

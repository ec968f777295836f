"""The stage: every scan has a row in the status table, and results are reproducible."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import pandas as pd
import pytest

from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.gate import Gate
from tests.unit.data.preprocess.conftest import PreprocessedCohort


@pytest.mark.slow
def test_failed_scans_are_listed_with_their_reason(preprocessed: PreprocessedCohort) -> None:
    folder, scans, _ = preprocessed
    status = pd.read_csv(folder / "out" / "scans.tsv", sep="\t").set_index("scan")
    assert list(status.index) == list(scans["scan"])
    failed = status[status["status"] == "failed"]["reason"]
    assert "may be truncated" in failed["sub-003_task-rest"]
    assert "no T1w image" in failed["sub-004_task-rest"]
    assert len(failed) == 2
    succeeded = status[status["status"] == "ok"]
    assert (succeeded["dice"] > 0.9).all()
    assert (succeeded["n_volumes"] == 24).all()
    assert succeeded.loc["sub-002_task-rest", "mean_fd"] == pytest.approx(1.5, rel=0.1)
    assert not (folder / "out" / "sub-003" / "func").exists()


@pytest.mark.slow
def test_results_are_bitwise_reproducible(preprocessed: PreprocessedCohort, tmp_path: Path) -> None:
    folder, scans, settings = preprocessed
    again = tmp_path / "shard-0000"
    (again / "sub-009").mkdir(parents=True)  # a participant who has left the shard
    selected = scans[scans["participant_id"] == "sub-002"]
    preprocess_shard(selected, Gate(folder / "bids"), again, settings, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-0000"]
    assert not (again / "sub-009").exists()
    files = [path for path in again.rglob("sub-002*") if path.is_file()]
    assert len(files) == 10
    for path in files:
        assert path.read_bytes() == (folder / "out" / path.relative_to(again)).read_bytes()


@pytest.mark.slow
def test_derivatives_of_a_folder_are_where_parcellate_expects_them(
    preprocessed: PreprocessedCohort, tmp_path: Path
) -> None:
    """A BIDS data set further down, such as a site of HBN, gives the same files."""
    folder, scans, settings = preprocessed
    selected = scans[scans["participant_id"] == "sub-002"].copy()
    for column in ("bold", "t1w"):
        selected[column] = "MRI/Site-RU/" + selected[column]
    (tmp_path / "data/MRI").mkdir(parents=True)
    (tmp_path / "data/MRI/Site-RU").symlink_to(folder / "bids")
    out = tmp_path / "out"
    preprocess_shard(selected, Gate(tmp_path / "data"), out, settings, threads=1)
    files = [path for path in out.rglob("sub-002*") if path.is_file()]
    assert len(files) == 10
    for path in files:
        assert path.read_bytes() == (folder / "out" / path.relative_to(out)).read_bytes()


@pytest.mark.slow
def test_a_stack_of_volumes_gives_the_same_images(
    preprocessed: PreprocessedCohort, tmp_path: Path
) -> None:
    """Raw images in another layout than BIDS, such as SRPBS's, are preprocessed as they are."""
    folder, scans, settings = preprocessed
    scan = scans[scans["participant_id"] == "sub-002"].iloc[[0]].copy()
    run = nib.load(folder / "bids" / scan["bold"].iloc[0])
    root = tmp_path / "data/sub-002"
    (root / "rsfmri").mkdir(parents=True)
    for number, volume in enumerate(nib.four_to_three(run), 1):
        header = run.header.copy()
        stored = run.dataobj.get_unscaled()[..., number - 1]
        image = nib.Nifti1Image(stored, volume.affine, header)
        image.header.set_slope_inter(run.dataobj.slope, run.dataobj.inter)
        nib.save(image, root / f"rsfmri/vol_{number:04d}.nii")
        (root / f"rsfmri/vol_{number:04d}.nii").rename(root / f"rsfmri/vol_{number:04d}")
    shutil.copyfile(folder / "bids" / scan["t1w"].iloc[0], root / "defaced_mprage.nii.gz")
    scan["bold"], scan["t1w"] = "sub-002/rsfmri/vol_*", "sub-002/defaced_mprage.nii.gz"
    out = tmp_path / "out"
    status = preprocess_shard(scan, Gate(tmp_path / "data"), out, settings, threads=1)
    assert list(status["status"]) == ["ok"], status["reason"].tolist()
    images = [path for path in out.rglob("sub-002*.nii.gz") if path.is_file()]
    assert len(images) == 4
    for path in images:
        expected = folder / "out" / path.relative_to(out)
        assert path.read_bytes() == expected.read_bytes()

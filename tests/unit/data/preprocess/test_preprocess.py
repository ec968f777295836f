"""From raw images to template space: each step, what nilearn reads of it, and a small cohort."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from semantoks.config import Preprocessing, Simulation
from semantoks.data.preprocess.minimal.confound_table import (
    acompcor,
    confound_table,
    cosine_basis,
    count_non_steady,
    dvars,
    framewise_displacement,
)
from semantoks.data.preprocess.minimal.derivatives import RunFiles
from semantoks.data.preprocess.minimal.geometry import PARAMETERS, grid_points, transform
from semantoks.data.preprocess.minimal.reading import Run, read_bold, read_t1w
from semantoks.data.preprocess.minimal.resample import dice, resample
from semantoks.data.preprocess.minimal.slice_timing import correct_slice_timing, slice_axis
from semantoks.data.preprocess.minimal.template import Template, load_template
from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.errors import ScanError

SETTINGS = Preprocessing(voxel_size=5, registration_voxel_size=5)


def save(path: Path, data: NDArray[Any]) -> Path:
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


# Reading


def test_a_truncated_file_is_a_reason(tmp_path: Path) -> None:
    path = save(tmp_path / "x_bold.nii.gz", np.random.default_rng(0).random((9, 9, 9, 12)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ScanError, match=r"x_bold.nii.gz cannot be read, it may be cut short"):
        read_bold(path, 2.0)


@pytest.mark.parametrize(
    ("shape", "tr", "reason"),
    [
        ((4, 4, 4), 2.0, "a run needs four dimensions"),
        ((4, 4, 4, 3), 2.0, "at least 10 volumes"),
        ((4, 4, 4, 12), float("nan"), "no RepetitionTime"),
    ],
)
def test_what_is_no_run_is_a_reason(
    tmp_path: Path, shape: tuple[int, ...], tr: float, reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        read_bold(save(tmp_path / "x_bold.nii.gz", np.ones(shape)), tr)


def test_files_that_are_no_images_are_a_reason(tmp_path: Path) -> None:
    (tmp_path / "x_T1w.nii.gz").write_text("no image")
    with pytest.raises(ScanError, match="cannot be read"):
        read_t1w(tmp_path / "x_T1w.nii.gz")
    with pytest.raises(ScanError, match="cannot be read"):
        read_t1w(tmp_path / "missing_T1w.nii.gz")


# Slice timing


def test_slices_come_to_one_moment() -> None:
    tr, times = 2.0, np.array([0.0, 1.0, 0.5, 1.5])
    moments = np.arange(60) * tr + times[:, None]
    images = np.tile(np.sin(2 * np.pi * 0.05 * moments), (3, 3, 1, 1)).astype(np.float32)
    middle = correct_slice_timing(images, tr, times, axis=2)
    expected = np.sin(2 * np.pi * 0.05 * (np.arange(60) * tr + middle))
    assert middle == 0.75
    np.testing.assert_allclose(
        images[..., 3:-3], np.broadcast_to(expected, images.shape)[..., 3:-3], atol=5e-3
    )


def test_slice_direction_may_be_reversed() -> None:
    axis, times = slice_axis("j-", [0.0, 1.0, 2.0])
    assert axis == 1
    assert times.tolist() == [2.0, 1.0, 0.0]


# Resampling


def test_resampling_follows_the_head() -> None:
    ramp = np.broadcast_to(np.arange(20.0)[:, None, None], (20, 20, 20))
    run = Run(np.stack([ramp, ramp - 3], axis=-1).astype(np.float32), np.eye(4), 2.0)
    motion = np.zeros((2, 6))
    motion[1, 0] = 3  # the head, and what is seen of it, lie 3 mm further right
    points = np.array([[8.0, 10.5], [9.0, 9.0], [9.0, 9.0]])
    np.testing.assert_allclose(resample(run, points, motion), [[8, 8], [10.5, 10.5]], atol=0.01)


def test_dice() -> None:
    a = np.array([True, True, False, False])
    assert dice(a, a) == 1
    assert dice(a, ~a) == 0
    assert dice(a, np.array([True, False, False, False])) == pytest.approx(2 / 3)


def test_the_template_is_the_symmetric_one() -> None:
    template = load_template(2.0)
    middle = template.t1w[9:90]  # x from -80 to 80 mm
    np.testing.assert_allclose(middle, middle[::-1], atol=1e-3)
    assert template.brain.sum() * 8e-6 == pytest.approx(1.88, abs=0.01)  # litres
    assert not (template.csf & template.white_matter).any()
    assert template.csf.sum() > 1000


# Confounds


def test_framewise_displacement_counts_degrees_at_fifty_millimetres() -> None:
    motion = np.zeros((3, 6))
    motion[1] = [1, 0, -1, 0.01, 0, 0]
    np.testing.assert_allclose(framewise_displacement(motion), [np.nan, 2.5, 2.5])


def test_dvars_of_white_noise_is_one() -> None:
    series = np.random.default_rng(0).normal(1000, 10, (2000, 100))
    raw, standard = dvars(series)
    assert np.isnan(raw[0])
    assert np.nanmean(raw) == pytest.approx(10 * np.sqrt(2), rel=0.05)
    assert np.nanmean(standard) == pytest.approx(1, rel=0.05)


def test_cosines_are_orthonormal_and_slow() -> None:
    basis = cosine_basis(96, 2.5)
    assert basis.shape == (96, 3)  # periods of 480, 240 and 160 s
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-9)


def test_compcor_finds_what_voxels_share() -> None:
    rng = np.random.default_rng(0)
    pulse = np.sin(np.arange(100) * 2.1)
    series = 100 + rng.normal(0, 1, (300, 100)) + 2 * rng.normal(0, 1, (300, 1)) * pulse
    components, metadata = acompcor(series, cosine_basis(100, 2.0))
    assert abs(np.corrcoef(components[:, 0], pulse)[0, 1]) > 0.95
    assert list(metadata) == [f"a_comp_cor_{i:02d}" for i in range(components.shape[1])]
    assert list(metadata.values())[-1]["CumulativeVarianceExplained"] >= 0.5


def test_bright_first_volumes_are_counted() -> None:
    images = np.random.default_rng(0).normal(100, 1, (6, 6, 6, 40))
    assert count_non_steady(images) == 0
    images[..., :2] += 30
    assert count_non_steady(images) == 2


@pytest.fixture
def run_files(tmp_path: Path) -> Path:
    """Derivatives of a run of noise, two volumes before steady state; path of its image."""
    rng, template = np.random.default_rng(0), load_template(8.0)
    inside = template.surroundings
    series = rng.normal(1000, 10, (inside.sum(), 80)).astype(np.float32)
    masks = {"brain": template.brain, "csf": template.csf, "white_matter": template.white_matter}
    motion = 0.05 * rng.normal(0, [1, 1, 1, 0.02, 0.02, 0.02], (80, 6))
    motion[40:, 0] += 2  # a jerk, for scrubbing
    inner = {name: mask[inside] for name, mask in masks.items()}
    files = RunFiles(tmp_path, "sub-01_task-rest", "sub-01/func/sub-01_task-rest_bold.nii.gz")
    files.write_confounds(*confound_table(series, inner, motion, 2.0, non_steady=2))
    files.write_mask(template.brain, template)
    files.write_bold(series, inside, template, 2.0, {"SliceTimingCorrected": False})
    return tmp_path / (
        "sub-01/func/sub-01_task-rest_space-MNI152NLin2009aSym_desc-preproc_bold.nii.gz"
    )


@pytest.mark.parametrize(("strategy", "columns"), [("simple", 26), ("scrubbing", 32)])
def test_nilearn_reads_our_confounds(run_files: Path, strategy: str, columns: int) -> None:
    table, kept = load_confounds_strategy(str(run_files), denoise_strategy=strategy)
    cosines = table.columns.str.startswith("cosine").sum()
    assert cosines == 2
    assert table.shape == (80, columns + cosines)
    assert np.isfinite(table.to_numpy()).all()
    assert kept is not None
    assert not {0, 1} & set(kept)  # before steady state
    assert (40 in kept) == (strategy == "simple")


def test_nilearn_reads_our_compcor(run_files: Path) -> None:
    table, _ = load_confounds_strategy(str(run_files), denoise_strategy="compcor")
    components = table.columns.str.startswith("a_comp_cor")
    assert 1 <= components.sum() < 78
    few, _ = load_confounds(
        str(run_files), strategy=("high_pass", "compcor"), compcor="anat_combined", n_compcor=3
    )
    assert few.columns.str.startswith("a_comp_cor").sum() == 3


def test_files_tell_what_they_are(run_files: Path) -> None:
    image, template = nib.load(run_files), load_template(8.0)
    assert image.header.get_zooms() == (8, 8, 8, 2)
    np.testing.assert_array_equal(image.affine, template.affine)
    data = np.asarray(image.dataobj)
    assert (data[..., 5][template.surroundings] > 900).all()
    assert not data[~template.surroundings].any()
    sidecar = json.loads(Path(str(run_files).replace(".nii.gz", ".json")).read_text())
    assert sidecar["RepetitionTime"] == 2.0
    mask = nib.load(str(run_files).replace("preproc_bold", "brain_mask"))
    np.testing.assert_array_equal(np.asarray(mask.dataobj) > 0, template.brain)


# The engine


def table_of(bids: Path) -> pd.DataFrame:
    """What the index says about a simulated data set."""
    rows = []
    for bold in sorted(bids.glob("sub-*/**/*_bold.nii.gz")):
        sidecar = json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
        parts = bold.relative_to(bids).parts
        t1w = next((bold.parent.parent / "anat").glob("*_T1w.nii.gz"))
        rows.append(
            {
                "scan": bold.name.removesuffix("_bold.nii.gz"),
                "participant_id": parts[0],
                "bold": str(bold.relative_to(bids)),
                "t1w": str(t1w.relative_to(bids)),
                "repetition_time": sidecar["RepetitionTime"],
                "slice_timing": json.dumps(sidecar["SliceTiming"]),
                "slice_encoding_direction": "k",
                "problem": "",
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Two sessions of a person, heavy motion, a truncated file, one without T1w image."""
    from semantoks.data.simulate.dataset import write_dataset

    folder = tmp_path_factory.mktemp("cohort")
    settings = Simulation(participants=4, two_sessions=1, seconds=60)
    write_dataset(folder / "bids", folder / "truth", settings, threads=2)
    scans = table_of(folder / "bids")
    scans.loc[scans["participant_id"] == "sub-004", "t1w"] = ""
    preprocess_shard(scans, folder / "bids", folder / "out", SETTINGS, threads=2)
    return folder, scans


@pytest.mark.slow
def test_good_scans_are_done_and_bad_ones_named(cohort: tuple[Path, pd.DataFrame]) -> None:
    folder, scans = cohort
    status = pd.read_csv(folder / "out" / "scans.tsv", sep="\t").set_index("scan")
    assert list(status.index) == list(scans["scan"])
    failed = status[status["status"] == "failed"]["reason"]
    assert "cut short" in failed["sub-003_task-rest"]
    assert "no T1w image" in failed["sub-004_task-rest"]
    assert len(failed) == 2
    good = status[status["status"] == "ok"]
    assert (good["dice"] > 0.9).all()
    assert (good["n_volumes"] == 24).all()
    assert good.loc["sub-002_task-rest", "mean_fd"] == pytest.approx(1.5, rel=0.1)
    assert not (folder / "out" / "sub-003" / "func").exists()


@pytest.mark.slow
def test_motion_is_the_true_motion(cohort: tuple[Path, pd.DataFrame]) -> None:
    folder, _ = cohort
    for path in (folder / "out").rglob("*_desc-confounds_timeseries.tsv"):
        scan = path.name.removesuffix("_desc-confounds_timeseries.tsv")
        found = pd.read_csv(path, sep="\t")
        truth = pd.read_csv(folder / "truth" / f"{scan}_motion.tsv", sep="\t")
        assert all(found[name].corr(truth[name]) > 0.9 for name in PARAMETERS)


@pytest.mark.slow
def test_regions_carry_their_true_activity(cohort: tuple[Path, pd.DataFrame]) -> None:
    folder, _ = cohort
    regions = pd.read_csv(folder / "truth" / "regions.tsv", sep="\t")
    bold = next((folder / "out" / "sub-001").rglob("*ses-2*_desc-preproc_bold.nii.gz"))
    image, template = nib.load(bold), load_template(SETTINGS.voxel_size)
    means = _near(image, regions[["x", "y", "z"]].to_numpy(), template)
    truth = np.load(folder / "truth" / "sub-001_ses-2_task-rest_activity.npy")
    slow = np.linalg.qr(np.vander(np.linspace(-1, 1, 24), 3))[0]
    means, truth = (x - (x @ slow) @ slow.T for x in (means, truth))
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(means, truth, strict=True)]
    assert np.nanmedian(r) > 0.6


def _near(image: Any, centres: NDArray[Any], template: Template) -> NDArray[Any]:
    """Mean of the voxels within 7 mm of each centre, shape (regions, volumes)."""
    data, points = np.asarray(image.dataobj), template.points()
    flat = data.reshape(-1, data.shape[3])
    return np.stack([flat[((points - c[:, None]) ** 2).sum(0) < 49].mean(axis=0) for c in centres])


@pytest.mark.slow
def test_the_brain_is_cut_out_of_the_t1w_image(cohort: tuple[Path, pd.DataFrame]) -> None:
    """Against the template's brain as this person's true shape and pose deform it."""
    from nilearn.datasets import load_mni152_brain_mask

    from semantoks.data.simulate.anatomy import draw_shape
    from semantoks.data.simulate.stage import _draw_pose

    folder, _ = cohort
    template, seed = load_mni152_brain_mask(resolution=1), Simulation().seed
    for index in range(2):
        pose = _draw_pose(np.random.default_rng([seed, 4, index, 0]), millimetres=5, degrees=4)
        shape = draw_shape(np.random.default_rng([seed, 3, index]))
        path = next((folder / "out" / f"sub-00{index + 1}").rglob("*_desc-brain_mask.nii.gz"))
        path = next(path.parents[1].glob("anat/*_desc-brain_mask.nii.gz"))
        found = nib.load(path)
        raw = next((folder / "bids" / path.relative_to(folder / "out").parent).glob("*.nii.gz"))
        assert found.shape == nib.load(raw).shape
        np.testing.assert_array_equal(found.affine, nib.load(raw).affine)
        points = transform(np.linalg.inv(pose) @ found.affine, grid_points(found.shape, np.eye(4)))
        voxels = transform(np.linalg.inv(template.affine), shape.to_template(points))
        truth = map_coordinates(template.get_fdata(), voxels, order=1).reshape(found.shape) >= 0.5
        assert dice(np.asarray(found.dataobj) > 0, truth) > 0.95


@pytest.mark.slow
def test_the_same_again_to_the_last_bit(cohort: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, scans = cohort
    again = tmp_path / "shard-0000"
    (again / "sub-009").mkdir(parents=True)  # somebody who has left the shard
    some = scans[scans["participant_id"] == "sub-002"]
    preprocess_shard(some, folder / "bids", again, SETTINGS, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-0000"]
    assert not (again / "sub-009").exists()
    images = list(again.rglob("sub-002*"))
    assert len([p for p in images if p.is_file()]) == 10
    for path in filter(Path.is_file, images):
        assert path.read_bytes() == (folder / "out" / path.relative_to(again)).read_bytes()

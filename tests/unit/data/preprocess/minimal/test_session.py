"""The built-in engine against the ground truth of simulated data."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from semantoks.config import Simulation
from semantoks.data.preprocess.minimal.geometry import PARAMETERS, grid_points, transform
from semantoks.data.preprocess.minimal.resample import dice
from semantoks.data.preprocess.minimal.template import Template, load_template
from tests.unit.data.preprocess.conftest import PreprocessedCohort

pytestmark = pytest.mark.slow


def test_estimated_motion_is_the_true_motion(preprocessed: PreprocessedCohort) -> None:
    folder = preprocessed.folder
    for path in (folder / "out").rglob("*_desc-confounds_timeseries.tsv"):
        scan = path.name.removesuffix("_desc-confounds_timeseries.tsv")
        estimate = pd.read_csv(path, sep="\t")
        truth = pd.read_csv(folder / "truth" / f"{scan}_motion.tsv", sep="\t")
        assert all(estimate[name].corr(truth[name]) > 0.9 for name in PARAMETERS)


def test_regional_means_correlate_with_the_true_activity(preprocessed: PreprocessedCohort) -> None:
    folder, _, settings = preprocessed
    regions = pd.read_csv(folder / "truth" / "regions.tsv", sep="\t")
    bold = next((folder / "out" / "sub-001").rglob("*ses-2*_desc-preproc_bold.nii.gz"))
    image, template = nib.load(bold), load_template(settings.voxel_size)
    means = _regional_means(image, regions[["x", "y", "z"]].to_numpy(), template)
    truth = np.load(folder / "truth" / "sub-001_ses-2_task-rest_activity.npy")
    drift = np.linalg.qr(np.vander(np.linspace(-1, 1, 24), 3))[0]
    means, truth = (x - (x @ drift) @ drift.T for x in (means, truth))
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(means, truth, strict=True)]
    assert np.nanmedian(r) > 0.6


def _regional_means(image: Any, centres: NDArray[Any], template: Template) -> NDArray[Any]:
    """Average the voxels within 7 mm of each centre, shape (regions, volumes)."""
    data, points = np.asarray(image.dataobj), template.points()
    flat = data.reshape(-1, data.shape[3])
    return np.stack([flat[((points - c[:, None]) ** 2).sum(0) < 49].mean(axis=0) for c in centres])


def test_the_brain_mask_of_the_t1w_image_is_the_true_one(preprocessed: PreprocessedCohort) -> None:
    """The truth is the template's brain, deformed by the participant's true shape and pose."""
    from nilearn.datasets import load_mni152_brain_mask

    from semantoks.data.simulate.anatomy import draw_head_shape
    from semantoks.data.simulate.dataset import draw_pose

    folder = preprocessed.folder
    template, seed = load_mni152_brain_mask(resolution=1), Simulation().seed
    for index in range(2):
        pose = draw_pose(np.random.default_rng([seed, 4, index, 0]), millimetres=5, degrees=4)
        shape = draw_head_shape(np.random.default_rng([seed, 3, index]))
        path = next((folder / "out" / f"sub-00{index + 1}").rglob("*_desc-brain_mask.nii.gz"))
        path = next(path.parents[1].glob("anat/*_desc-brain_mask.nii.gz"))
        mask = nib.load(path)
        raw = next((folder / "bids" / path.relative_to(folder / "out").parent).glob("*.nii.gz"))
        assert mask.shape == nib.load(raw).shape
        np.testing.assert_array_equal(mask.affine, nib.load(raw).affine)
        points = transform(np.linalg.inv(pose) @ mask.affine, grid_points(mask.shape, np.eye(4)))
        voxels = transform(np.linalg.inv(template.affine), shape.to_template(points))
        truth = map_coordinates(template.get_fdata(), voxels, order=1).reshape(mask.shape) >= 0.5
        assert dice(np.asarray(mask.dataobj) > 0, truth) > 0.95

"""Dense time series are averaged grayordinate by grayordinate, matched by structure."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, LabelAxis, SeriesAxis

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.cifti import cifti_means
from semantoks.data.parcellate.images import read_image
from semantoks.errors import ScanError

LEFT, RIGHT = "CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"
AFFINE = np.diag([2.0, 2, 2, 1])


def models(left: np.ndarray, right: np.ndarray, vertices: int = 100) -> BrainModelAxis:
    """Both cortices, and two voxels of the thalamus."""
    thalamus = np.zeros((4, 4, 4), bool)
    thalamus[1, 1, 1:3] = True
    return (
        BrainModelAxis.from_surface(left, vertices, LEFT)
        + BrainModelAxis.from_surface(right, vertices, RIGHT)
        + BrainModelAxis.from_mask(thalamus, "thalamus_left", affine=AFFINE)
    )


@pytest.fixture
def atlas() -> Atlas:
    axis = models(np.arange(100), np.arange(100))
    labels = np.zeros((1, len(axis)), np.float32)
    labels[0, :30], labels[0, 30:60], labels[0, 100:140], labels[0, -2:] = 3, 4, 7, 9
    names = LabelAxis(["toy"], {0: ("???", (0, 0, 0, 0))})
    image = nib.Cifti2Image(labels, (names, axis))
    regions = pd.DataFrame({"index": [4, 3, 7, 9], "name": list("abcd"), "network": list("AABC")})
    return Atlas("toy", image, regions, "fsLR", "0" * 64)


def write(folder: Path, axis: BrainModelAxis, step: float = 0.8) -> tuple[Path, np.ndarray]:
    data = np.random.default_rng(0).normal(100, 3, (50, len(axis))).astype(np.float32)
    path = folder / "sub-01_task-rest_space-fsLR_den-91k_bold.dtseries.nii"
    nib.save(nib.Cifti2Image(data, (SeriesAxis(0, step, 50), axis)), path)
    return path, data


def test_vertices_are_matched_by_number_not_by_place(tmp_path: Path, atlas: Atlas) -> None:
    left, right = np.arange(10, 90), np.arange(5, 100)  # as where the medial wall is left out
    path, data = write(tmp_path, models(left, right))
    means, measures = cifti_means(path, atlas, 0.5, 0.8)
    by_hand = [
        data[:, 20:50].mean(1),  # left 30-59
        data[:, :20].mean(1),  # left 10-29 of 0-29
        data[:, 80 : 80 + 35].mean(1),  # right 5-39 of 0-39
        data[:, -2:].mean(1),
    ]
    np.testing.assert_allclose(means, np.transpose(by_hand), rtol=1e-5)
    assert measures["tsnr"] == pytest.approx(33, rel=0.1)
    assert measures["dvars"] == pytest.approx(4.2, rel=0.1)
    strict, _ = cifti_means(path, atlas, 0.8, 0.8)
    assert np.isnan(strict).all(0).tolist() == [False, True, False, False]


def test_other_trees_may_leave_the_tr_to_the_file(tmp_path: Path, atlas: Atlas) -> None:
    path, _ = write(tmp_path, models(np.arange(100), np.arange(100)), step=0.72)
    assert read_image(path, atlas, float("nan"), Parcellation()).tr == pytest.approx(0.72)
    with pytest.raises(ScanError, match=r"says a TR of 0.72 s, its sidecar 2 s"):
        read_image(path, atlas, 2.0, Parcellation())


def test_what_does_not_fit_is_said(tmp_path: Path, atlas: Atlas) -> None:
    path, _ = write(tmp_path, models(np.arange(100), np.arange(100)))
    with pytest.raises(ScanError, match=r"says a TR of 0.8 s, its sidecar 2 s"):
        cifti_means(path, atlas, 0.5, 2.0)
    path, _ = write(tmp_path, models(np.arange(100), np.arange(100), vertices=120))
    with pytest.raises(ScanError, match="different meshes"):
        cifti_means(path, atlas, 0.5, 0.8)
    path, _ = write(tmp_path, models(np.arange(100), np.arange(100)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-9000])
    with pytest.raises(ScanError, match="cut short"):
        cifti_means(path, atlas, 0.5, 0.8)
    path.write_bytes(whole[:600])
    with pytest.raises(ScanError, match="not a readable CIFTI file"):
        cifti_means(path, atlas, 0.5, 0.8)

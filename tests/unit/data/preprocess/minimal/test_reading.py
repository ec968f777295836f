"""Unusable raw images are rejected with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from semantoks.data.preprocess.minimal.reading import read_bold, read_t1w
from semantoks.errors import ScanError


def save(path: Path, data: NDArray[Any]) -> Path:
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def test_a_truncated_file_is_rejected(tmp_path: Path) -> None:
    path = save(tmp_path / "x_bold.nii.gz", np.random.default_rng(0).random((9, 9, 9, 12)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ScanError, match=r"x_bold.nii.gz cannot be read, it may be truncated"):
        read_bold(path, 2.0)


@pytest.mark.parametrize(
    ("shape", "tr", "reason"),
    [
        ((4, 4, 4), 2.0, "a run needs four dimensions"),
        ((4, 4, 4, 3), 2.0, "at least 10 volumes"),
        ((4, 4, 4, 12), float("nan"), "no RepetitionTime"),
    ],
)
def test_an_image_that_is_not_a_run_is_rejected(
    tmp_path: Path, shape: tuple[int, ...], tr: float, reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        read_bold(save(tmp_path / "x_bold.nii.gz", np.ones(shape)), tr)


def test_files_that_are_not_images_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "x_T1w.nii.gz").write_text("no image")
    with pytest.raises(ScanError, match="cannot be read"):
        read_t1w(tmp_path / "x_T1w.nii.gz")
    with pytest.raises(ScanError, match="cannot be read"):
        read_t1w(tmp_path / "missing_T1w.nii.gz")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.ones((4, 4, 4, 2)), "a T1w image needs three dimensions"),
        (np.zeros((4, 4, 4)), "all voxels are 0"),
    ],
)
def test_an_image_that_is_not_a_t1w_image_is_rejected(
    tmp_path: Path, data: NDArray[Any], reason: str
) -> None:
    with pytest.raises(ScanError, match=reason):
        read_t1w(save(tmp_path / "x_T1w.nii.gz", data))

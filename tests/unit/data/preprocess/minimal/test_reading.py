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
    with pytest.raises(ScanError, match="x_T1w.nii.gz is not a readable image"):
        read_t1w(tmp_path / "x_T1w.nii.gz")
    with pytest.raises(ScanError, match="missing_T1w.nii.gz is missing"):
        read_t1w(tmp_path / "missing_T1w.nii.gz")


def test_an_image_without_orientation_is_rejected(tmp_path: Path) -> None:
    """nibabel would make up an affine: left and right of a file stored as RAS would be swapped."""
    for name, shape in (("x_bold", (4, 4, 4, 12)), ("x_T1w", (4, 4, 4))):
        image = nib.Nifti1Image(np.ones(shape, np.float32), None)
        nib.save(image, tmp_path / f"{name}.nii.gz")
    with pytest.raises(ScanError, match=r"x_bold.nii.gz has no orientation"):
        read_bold(tmp_path / "x_bold.nii.gz", 2.0)
    with pytest.raises(ScanError, match=r"x_T1w.nii.gz has no orientation"):
        read_t1w(tmp_path / "x_T1w.nii.gz")


def test_trailing_axes_of_length_1_are_removed(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((4, 5, 6, 12)).astype(np.float32)
    bold = read_bold(save(tmp_path / "x_bold.nii.gz", data[..., None, None]), 2.0)
    np.testing.assert_array_equal(bold.images, data)
    t1w = read_t1w(save(tmp_path / "x_T1w.nii.gz", data[..., :1, None]))
    np.testing.assert_array_equal(t1w.data, data[..., 0])
    # An axis of length 1 elsewhere may be anything.
    with pytest.raises(ScanError, match="a run needs four dimensions"):
        read_bold(save(tmp_path / "y_bold.nii.gz", data[:, :, :, None]), 2.0)


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

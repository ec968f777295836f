"""Warp fields of other kinds, grids and spaces are refused; FSL's coordinates follow its rules."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.data.parcellate.images import warps
from semantoks.data.parcellate.images.warps import Warp, fsl_affine, is_on_mni_grid
from semantoks.errors import ScanError
from tests.unit.data.parcellate.native import MNI, SHAPE

LAS_2MM = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])


def save(folder: Path, data: np.ndarray, affine: np.ndarray = MNI, intent: int = 2006) -> Path:
    image = nib.Nifti1Image(data.astype(np.float32), affine)
    image.header["intent_code"] = intent
    nib.save(image, folder / "warp.nii.gz")
    return folder / "warp.nii.gz"


@pytest.mark.parametrize(("sign", "expected"), [(-1, 6.0), (1, (91 - 1 - 3) * 2.0)])
def test_coordinates_count_from_the_right_side(sign: int, expected: float) -> None:
    """FSL's x of voxel 3 is 3 · 2 mm (radiological) or (91 - 1 - 3) · 2 mm (neurological)."""
    affine = LAS_2MM.copy()
    affine[0] *= -sign
    image = nib.Nifti1Image(np.zeros((91, 109, 91), np.uint8), affine)
    assert (fsl_affine(image) @ [3, 4, 5, 1]).tolist() == [expected, 8, 10, 1]


def test_the_grid_of_fsl_is_known_at_any_resolution_and_in_both_storages() -> None:
    for size, shape in ((2, (91, 109, 91)), (1, (182, 218, 182)), (3, (61, 73, 61)), (4, SHAPE)):
        affine = LAS_2MM.copy()
        affine[:3, :3] *= size / 2
        assert is_on_mni_grid(nib.Nifti1Image(np.zeros(shape, np.uint8), affine))
    ras = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
    assert is_on_mni_grid(nib.Nifti1Image(np.zeros((91, 109, 91), np.uint8), ras))
    nlin2009 = np.array([[2.0, 0, 0, -96], [0, 2, 0, -132], [0, 0, 2, -78], [0, 0, 0, 1]])
    assert not is_on_mni_grid(nib.Nifti1Image(np.zeros((97, 115, 97), np.uint8), nlin2009))


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    field = np.ones((*SHAPE, 3))
    with pytest.raises(ScanError, match=r"holds spline coefficients; make a field .*convertwarp"):
        Warp.read(save(tmp_path, field, intent=2007))
    with pytest.raises(ScanError, match="is no warp field of FSL .*intent code 1007"):
        Warp.read(save(tmp_path, field[..., None, :], intent=1007))  # ANTs
    with pytest.raises(ScanError, match=r"is no warp field of FSL \(shape \(46, 55, 46\)"):
        Warp.read(save(tmp_path, field[..., 0]))
    shifted = MNI + np.array([[0, 0, 0, 6], *np.zeros((3, 4))])
    with pytest.raises(
        ScanError, match=r"is not on the grid of FSL's MNI152: it reaches from \(-84"
    ):
        Warp.read(save(tmp_path, field, shifted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warps, "MAX_FIELD", field.size - 1)
        with pytest.raises(ScanError, match=r"declares 46 × 55 × 46 × 3 values, at most"):
            Warp.read(save(tmp_path, field))
    with pytest.raises(ScanError, match="warp.nii.gz is missing"):
        Warp.read(tmp_path / "no" / "warp.nii.gz")


def test_a_field_that_may_be_either_is_refused(tmp_path: Path) -> None:
    own = np.moveaxis(np.indices(SHAPE), 0, -1) * 4.0
    assert np.ptp(Warp.read(save(tmp_path, own + 5)).relative_XYZ3) == 0  # positions
    assert Warp.read(save(tmp_path, 0 * own)).relative_XYZ3.max() == 0  # identity
    with pytest.raises(ScanError, match="neither clearly a field of displacements"):
        Warp.read(save(tmp_path, own / 2))


def test_two_positions_in_the_header_are_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((*SHAPE, 3), np.float32), MNI)
    image.set_sform(MNI, 4)
    image.set_qform(MNI + np.array([[0, 0, 0, 1], *np.zeros((3, 4))]), 4)
    nib.save(image, tmp_path / "warp.nii.gz")
    with pytest.raises(ScanError, match="has two positions, by its qform and sform"):
        Warp.read(tmp_path / "warp.nii.gz")

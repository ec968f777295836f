"""Averaging in one pass over a file equals nilearn's masker, which loads the whole file."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from nilearn.maskers import NiftiLabelsMasker

from semantoks.data.parcellate.images.volumes import regional_means
from semantoks.errors import ScanError
from tests.unit.data.parcellate.images.conftest import (
    AFFINE,
    LABELS,
    SHAPE,
    full_mask,
    noise,
    write,
)

DTYPES = ("int16", "uint8", ">i2", "float32", "float64")


KINDS = [(name, dtype) for name in ("bold.nii.gz", "bold.nii") for dtype in DTYPES]
QUICK = {("bold.nii.gz", "int16"), ("bold.nii", "float32")}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [pytest.param(*kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in KINDS],
)
def test_means_equal_nilearns(
    tmp_path: Path, volume_atlas: nib.Nifti1Image, dtype: str, name: str
) -> None:
    bold, mask = write(tmp_path, noise(dtype), name), full_mask(tmp_path)
    means = regional_means(bold, mask, volume_atlas, LABELS, 0.5)
    masker = NiftiLabelsMasker(
        volume_atlas, mask_img=str(mask), standardize=None, resampling_target="data"
    )
    expected = masker.fit_transform(nib.load(bold))  # in the order of the labels: 2, 5, 9
    np.testing.assert_allclose(means.means_TC[:, [1, 0, 2]], expected, rtol=1e-4)
    assert means.coverage_C.tolist() == [1, 1, 1]


def test_scaling_is_applied(tmp_path: Path, volume_atlas: nib.Nifti1Image) -> None:
    data = noise("float32")
    plain = regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.5)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_data_dtype(np.int16)  # nibabel chooses a slope and an intercept
    nib.save(image, tmp_path / "scaled.nii.gz")
    assert nib.load(tmp_path / "scaled.nii.gz").dataobj.slope != 1
    scaled = regional_means(tmp_path / "scaled.nii.gz", None, volume_atlas, LABELS, 0.5)
    np.testing.assert_allclose(scaled.means_TC, plain.means_TC, rtol=1e-5)
    assert scaled.dvars == pytest.approx(plain.dvars, rel=1e-3)
    assert scaled.tsnr == pytest.approx(plain.tsnr, rel=1e-3)


def test_tsnr_and_dvars_follow_their_definitions(
    tmp_path: Path, volume_atlas: nib.Nifti1Image
) -> None:
    data = noise("float32")
    means = regional_means(write(tmp_path, data), full_mask(tmp_path), volume_atlas, LABELS, 0.5)
    inside = np.asarray(resample_from_to(volume_atlas, (SHAPE, AFFINE), order=0).dataobj) > 0
    signal = data[inside].astype(float)
    assert means.tsnr == pytest.approx(np.median(signal.mean(1) / signal.std(1)), rel=1e-4)
    change = np.sqrt((np.diff(signal, axis=1) ** 2).mean(0)).mean()
    assert means.dvars == pytest.approx(100 * change / signal.mean(), rel=1e-4)


def test_uncovered_regions_are_nan_and_nan_background_has_no_effect(
    tmp_path: Path, volume_atlas: nib.Nifti1Image
) -> None:
    data, mask = noise("float32"), np.ones(SHAPE, np.uint8)
    data[:6] = np.nan  # SPM writes NaN outside the brain; region 9 is there
    means = regional_means(write(tmp_path, data), full_mask(tmp_path), volume_atlas, LABELS, 0.9)
    assert np.isnan(means.means_TC[:, 2]).all() and np.isfinite(means.means_TC[:, :2]).all()
    mask[:6] = 0
    masked = write(tmp_path, mask, "other.nii.gz")
    again = regional_means(write(tmp_path, noise("float32")), masked, volume_atlas, LABELS, 0.9)
    np.testing.assert_array_equal(again.means_TC, means.means_TC)


def test_regions_outside_the_field_of_view_are_not_covered(
    tmp_path: Path, volume_atlas: nib.Nifti1Image
) -> None:
    data = noise()[:, :, 6:]  # the lowest 18 mm were not scanned
    affine = AFFINE.copy()
    affine[2, 3] += 18
    nib.save(nib.Nifti1Image(data, affine), tmp_path / "cut.nii.gz")
    means = regional_means(tmp_path / "cut.nii.gz", None, volume_atlas, LABELS, 0.9)
    assert np.isnan(means.means_TC).all(0).tolist() == [True, True, True]
    inside = (
        np.argwhere(np.asarray(volume_atlas.dataobj) == 5)[:, 2] * 2 - 30 + 1.5
    ) // 3 * 3 >= -12
    assert means.coverage_C[0] == pytest.approx(inside.mean(), abs=0.07)
    affine[2, 3] += 18
    nib.save(nib.Nifti1Image(data[:, :, 6:], affine), tmp_path / "far.nii.gz")
    with pytest.raises(ScanError, match=r"only \d+% of the atlas overlaps the brain in the run"):
        regional_means(tmp_path / "far.nii.gz", None, volume_atlas, LABELS, 0.9)


def test_voxels_that_are_zero_in_all_volumes_have_no_data(
    tmp_path: Path, volume_atlas: nib.Nifti1Image
) -> None:
    data = noise()
    data[:9] = 0  # inside the mask; removes region 9 and a part of region 2
    means = regional_means(write(tmp_path, data), full_mask(tmp_path), volume_atlas, LABELS, 0.1)
    assert means.coverage_C[2] == 0 and np.isnan(means.means_TC[:, 2]).all()
    assert 0 < means.coverage_C[1] < 1
    np.testing.assert_allclose(means.means_TC[:, 1], 1000, rtol=0.02)  # zeros are not averaged in


def test_coverage_is_judged_on_scaled_values(tmp_path: Path, volume_atlas: nib.Nifti1Image) -> None:
    """Zero is stored as another integer where the scaling has an intercept."""
    data = noise("float32")
    data[:9] = 0  # removes region 9 and a part of region 2
    expected = regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.1)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "scaled.nii.gz")
    assert nib.load(tmp_path / "scaled.nii.gz").dataobj.inter != 0
    scaled = regional_means(tmp_path / "scaled.nii.gz", None, volume_atlas, LABELS, 0.1)
    np.testing.assert_array_equal(scaled.coverage_C, expected.coverage_C)
    np.testing.assert_allclose(scaled.means_TC, expected.means_TC, rtol=1e-5)
    assert scaled.tsnr == pytest.approx(expected.tsnr, rel=1e-3)
    assert scaled.dvars == pytest.approx(expected.dvars, rel=1e-3)
    data[:, :11] = 0
    image = nib.Nifti1Image(data, AFFINE)
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "scaled.nii.gz")
    with pytest.raises(ScanError, match=r"only \d+% of the atlas overlaps the brain in the run"):
        regional_means(tmp_path / "scaled.nii.gz", None, volume_atlas, LABELS, 0.1)


@pytest.mark.parametrize("value", [-1, 1e-6, 1000])
def test_voxels_that_never_change_have_no_data(
    tmp_path: Path, volume_atlas: nib.Nifti1Image, value: float
) -> None:
    """Other software fills what is outside the brain with numbers other than 0."""
    data = noise("float32")
    data[:9] = 0
    expected = regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.1)
    data[:9] = value
    means = regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.1)
    np.testing.assert_array_equal(means.coverage_C, expected.coverage_C)
    np.testing.assert_allclose(means.means_TC, expected.means_TC, rtol=1e-6)
    data[:] = value
    with pytest.raises(ScanError, match="no region changes over time"):
        regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.1)


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_quality_of_demeaned_images_is_unknown(
    tmp_path: Path, volume_atlas: nib.Nifti1Image, dtype: str
) -> None:
    data = noise("float32", volumes=60)
    image = nib.Nifti1Image(data - data.mean(axis=3, keepdims=True), AFFINE)
    image.set_data_dtype(np.dtype(dtype))
    nib.save(image, tmp_path / "demeaned.nii")
    means = regional_means(tmp_path / "demeaned.nii", None, volume_atlas, LABELS, 0.1)
    assert np.isnan([means.tsnr, means.dvars]).all()
    data[..., 7] *= 100  # an artefact leaves the same ratio of mean and deviation, but is known
    spike = regional_means(write(tmp_path, data), None, volume_atlas, LABELS, 0.1)
    assert spike.tsnr < 1 and spike.dvars > 100


@pytest.mark.parametrize("bright", [[0, 1, 2], [0, 7]])
def test_quality_is_of_the_volumes_in_steady_state(
    tmp_path: Path, volume_atlas: nib.Nifti1Image, bright: list[int]
) -> None:
    """The first volumes of a run may be a third brighter, which would pass for noise."""
    data = noise("float32")
    data[..., bright] *= 1.3
    steady = np.setdiff1d(np.arange(data.shape[-1]), bright)
    bold = write(tmp_path, data)
    means = regional_means(bold, None, volume_atlas, LABELS, 0.5, steady=steady)
    everything = regional_means(bold, None, volume_atlas, LABELS, 0.5)
    np.testing.assert_array_equal(means.means_TC, everything.means_TC)
    inside = np.asarray(resample_from_to(volume_atlas, (SHAPE, AFFINE), order=0).dataobj) > 0
    values_TV = data[inside].T.astype(float)
    kept_TV = values_TV[steady]
    changes_TV = np.diff(values_TV, axis=0)[steady[:-1][np.diff(steady) == 1]]
    dvars = 100 * np.sqrt((changes_TV**2).mean(axis=1)).mean() / kept_TV.mean()
    assert means.tsnr == pytest.approx(np.median(kept_TV.mean(0) / kept_TV.std(0)), rel=1e-4)
    assert means.dvars == pytest.approx(dvars, rel=1e-4)
    assert means.tsnr > 1.5 * everything.tsnr and means.dvars < everything.dvars
    alone = regional_means(bold, None, volume_atlas, LABELS, 0.5, steady=steady[:1])
    assert np.isnan([alone.tsnr, alone.dvars]).all()

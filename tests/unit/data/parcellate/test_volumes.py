"""One pass over a file gives what nilearn gives with the whole of it in memory."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from nilearn.maskers import NiftiLabelsMasker

from semantoks.data.parcellate.volumes import regional_means
from semantoks.errors import ScanError

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -30], [0, 0, 3, -30], [0, 0, 0, 1]])
SHAPE = (20, 18, 16)
LABELS = [5, 2, 9]


@pytest.fixture
def atlas() -> nib.Nifti1Image:
    """Labels on a finer grid with the first axis the other way round."""
    labels = np.zeros((30, 27, 24), np.int16)
    labels[3:12, 3:20, 3:20], labels[14:20, 5:20, 4:18], labels[22:28, 3:9, 3:9] = 5, 2, 9
    affine = np.array([[2.0, 0, 0, -28], [0, 2, 0, -30], [0, 0, 2, -30], [0, 0, 0, 1]])
    return nib.Nifti1Image(labels, affine)


def write(folder: Path, data: np.ndarray, name: str = "bold.nii.gz") -> Path:
    nib.save(nib.Nifti1Image(data, AFFINE), folder / name)
    return folder / name


def noise(dtype: str = "int16", volumes: int = 12) -> np.ndarray:
    data = np.random.default_rng(0).normal(1000, 50, (*SHAPE, volumes))
    return (data / 8 if dtype == "uint8" else data).astype(dtype)


DTYPES = ("int16", "uint8", ">i2", "float32", "float64")


def full_mask(folder: Path) -> Path:
    return write(folder, np.ones(SHAPE, np.uint8), "mask.nii.gz")


KINDS = [(name, dtype) for name in ("bold.nii.gz", "bold.nii") for dtype in DTYPES]
QUICK = {("bold.nii.gz", "int16"), ("bold.nii", "float32")}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [pytest.param(*kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in KINDS],
)
def test_means_are_nilearns(tmp_path: Path, atlas: nib.Nifti1Image, dtype: str, name: str) -> None:
    bold, mask = write(tmp_path, noise(dtype), name), full_mask(tmp_path)
    found = regional_means(bold, mask, atlas, LABELS, 0.5)
    masker = NiftiLabelsMasker(
        atlas, mask_img=str(mask), standardize=None, resampling_target="data"
    )
    expected = masker.fit_transform(nib.load(bold))  # in the order of the labels: 2, 5, 9
    np.testing.assert_allclose(found.means_TC[:, [1, 0, 2]], expected, rtol=1e-4)
    assert found.coverage_C.tolist() == [1, 1, 1]


def test_scaling_is_applied(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    data = noise("float32")
    plain = regional_means(write(tmp_path, data), None, atlas, LABELS, 0.5)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_data_dtype(np.int16)  # nibabel chooses a slope and an intercept
    nib.save(image, tmp_path / "scaled.nii.gz")
    assert nib.load(tmp_path / "scaled.nii.gz").dataobj.slope != 1
    scaled = regional_means(tmp_path / "scaled.nii.gz", None, atlas, LABELS, 0.5)
    np.testing.assert_allclose(scaled.means_TC, plain.means_TC, rtol=1e-5)
    assert scaled.dvars == pytest.approx(plain.dvars, rel=1e-3)
    assert scaled.tsnr == pytest.approx(plain.tsnr, rel=1e-3)


def test_measures_are_their_definitions(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    data = noise("float32")
    found = regional_means(write(tmp_path, data), full_mask(tmp_path), atlas, LABELS, 0.5)
    inside = np.asarray(resample_from_to(atlas, (SHAPE, AFFINE), order=0).dataobj) > 0
    signal = data[inside].astype(float)
    assert found.tsnr == pytest.approx(np.median(signal.mean(1) / signal.std(1)), rel=1e-4)
    change = np.sqrt((np.diff(signal, axis=1) ** 2).mean(0)).mean()
    assert found.dvars == pytest.approx(100 * change / signal.mean(), rel=1e-4)


def test_uncovered_regions_are_nan_and_background_nan_does_no_harm(
    tmp_path: Path, atlas: nib.Nifti1Image
) -> None:
    data, mask = noise("float32"), np.ones(SHAPE, np.uint8)
    data[:6] = np.nan  # as SPM writes what lies outside the brain; the region 9 is there
    found = regional_means(write(tmp_path, data), full_mask(tmp_path), atlas, LABELS, 0.9)
    assert np.isnan(found.means_TC[:, 2]).all() and np.isfinite(found.means_TC[:, :2]).all()
    mask[:6] = 0
    masked = write(tmp_path, mask, "other.nii.gz")
    again = regional_means(write(tmp_path, noise("float32")), masked, atlas, LABELS, 0.9)
    np.testing.assert_array_equal(again.means_TC, found.means_TC)


def test_what_lies_outside_the_field_of_view_is_not_covered(
    tmp_path: Path, atlas: nib.Nifti1Image
) -> None:
    data = noise()[:, :, 6:]  # the lowest 18 mm were not scanned
    affine = AFFINE.copy()
    affine[2, 3] += 18
    nib.save(nib.Nifti1Image(data, affine), tmp_path / "cut.nii.gz")
    found = regional_means(tmp_path / "cut.nii.gz", None, atlas, LABELS, 0.9)
    assert np.isnan(found.means_TC).all(0).tolist() == [True, True, True]
    inside = (np.argwhere(np.asarray(atlas.dataobj) == 5)[:, 2] * 2 - 30 + 1.5) // 3 * 3 >= -12
    assert found.coverage_C[0] == pytest.approx(inside.mean(), abs=0.07)
    affine[2, 3] += 18
    nib.save(nib.Nifti1Image(data[:, :, 6:], affine), tmp_path / "far.nii.gz")
    with pytest.raises(ScanError, match=r"only \d+% of the atlas lies where the run has a brain"):
        regional_means(tmp_path / "far.nii.gz", None, atlas, LABELS, 0.9)


def test_voxels_that_are_zero_throughout_have_no_data(
    tmp_path: Path, atlas: nib.Nifti1Image
) -> None:
    data = noise()
    data[:9] = 0  # inside the mask; cuts off the region 9 and a part of 2
    found = regional_means(write(tmp_path, data), full_mask(tmp_path), atlas, LABELS, 0.1)
    assert found.coverage_C[2] == 0 and np.isnan(found.means_TC[:, 2]).all()
    assert 0 < found.coverage_C[1] < 1
    np.testing.assert_allclose(found.means_TC[:, 1], 1000, rtol=0.02)  # zeros are not averaged in


def test_bad_images_say_what_is_wrong(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    data, mask = noise("float32"), full_mask(tmp_path)

    def reason(bold: Path, brain: Path | None = mask) -> str:
        with pytest.raises(ScanError) as caught:
            regional_means(bold, brain, atlas, LABELS, 0.5)
        return str(caught.value)

    whole = write(tmp_path, data).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert "cut.nii.gz is damaged or cut short" in reason(tmp_path / "cut.nii.gz")
    (tmp_path / "crc.nii.gz").write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    assert "damaged" in reason(tmp_path / "crc.nii.gz")
    short = gzip.decompress(whole)[: -4 * 20 * 18 * 16 * 3]
    (tmp_path / "short.nii").write_bytes(short)
    assert "cut short after 9 of 12 volumes" in reason(tmp_path / "short.nii")
    (tmp_path / "text.nii.gz").write_text("not an image")
    assert "not a readable image" in reason(tmp_path / "text.nii.gz")
    assert "4-D is needed" in reason(write(tmp_path, data[..., 0], "one.nii.gz"))
    holes = data.copy()
    holes[..., 4:6] = np.nan
    assert "2 of 12 volumes have values that are not numbers" in reason(
        write(tmp_path, holes, "holes.nii.gz")
    )
    (tmp_path / "annexed.nii.gz").symlink_to("nowhere")
    assert "link to a file that is not here" in reason(tmp_path / "annexed.nii.gz")
    assert "gone.nii.gz is missing" in reason(write(tmp_path, data), tmp_path / "gone.nii.gz")
    empty = write(tmp_path, np.zeros(SHAPE, np.uint8), "empty.nii.gz")
    assert "only 0% of the atlas" in reason(write(tmp_path, data), empty)


def test_an_image_without_orientation_is_refused(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    image = nib.Nifti1Image(noise(), None)
    image.header["qform_code"] = image.header["sform_code"] = 0
    nib.save(image, tmp_path / "lost.nii.gz")
    with pytest.raises(ScanError, match="no orientation"):
        regional_means(tmp_path / "lost.nii.gz", None, atlas, LABELS, 0.5)

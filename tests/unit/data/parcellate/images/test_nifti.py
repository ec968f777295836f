"""Unreadable, truncated and inconsistent images give a reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.images.volumes import regional_means
from semantoks.errors import ScanError
from tests.unit.data.parcellate.images.conftest import LABELS, SHAPE, full_mask, noise, write


def test_faulty_images_give_a_reason(tmp_path: Path, volume_atlas: nib.Nifti1Image) -> None:
    data, mask = noise("float32"), full_mask(tmp_path)

    def reason(bold: Path, brain: Path | None = mask) -> str:
        with pytest.raises(ScanError) as caught:
            regional_means(bold, brain, volume_atlas, LABELS, 0.5)
        return str(caught.value)

    whole = write(tmp_path, data).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert "cut.nii.gz is damaged or truncated" in reason(tmp_path / "cut.nii.gz")
    (tmp_path / "crc.nii.gz").write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    assert "damaged" in reason(tmp_path / "crc.nii.gz")
    short = gzip.decompress(whole)[: -4 * 20 * 18 * 16 * 3]
    (tmp_path / "short.nii").write_bytes(short)
    assert "truncated after 9 of 12 volumes" in reason(tmp_path / "short.nii")
    (tmp_path / "text.nii.gz").write_text("not an image")
    assert "not a readable image" in reason(tmp_path / "text.nii.gz")
    assert "4-D is needed" in reason(write(tmp_path, data[..., 0], "flat.nii.gz"))
    holes = data.copy()
    holes[..., 4:6] = np.nan
    assert "2 of 12 volumes have NaN or infinite values" in reason(
        write(tmp_path, holes, "holes.nii.gz")
    )
    (tmp_path / "annexed.nii.gz").symlink_to("nowhere")
    assert "link to a file that is not here" in reason(tmp_path / "annexed.nii.gz")
    assert "gone.nii.gz is missing" in reason(write(tmp_path, data), tmp_path / "gone.nii.gz")
    empty = write(tmp_path, np.zeros(SHAPE, np.uint8), "empty.nii.gz")
    assert "only 0% of the atlas" in reason(write(tmp_path, data), empty)


def test_an_image_without_orientation_is_refused(
    tmp_path: Path, volume_atlas: nib.Nifti1Image
) -> None:
    image = nib.Nifti1Image(noise(), None)
    image.header["qform_code"] = image.header["sform_code"] = 0
    nib.save(image, tmp_path / "lost.nii.gz")
    with pytest.raises(ScanError, match="no orientation"):
        regional_means(tmp_path / "lost.nii.gz", None, volume_atlas, LABELS, 0.5)


@pytest.mark.parametrize("kind", [np.complex64, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])])
def test_values_that_are_no_real_numbers_are_a_reason(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "sub-01_bold.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 5), kind), np.eye(4)), path)
    with pytest.raises(ScanError, match="real numbers are needed"):
        open_image(path)


def test_forms_that_disagree_about_left_and_right_are_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "sub-01_bold.nii.gz"
    image = nib.Nifti1Image(np.zeros((4, 4, 4, 5), np.float32), np.eye(4))
    image.set_qform(np.diag([-1.0, 1, 1, 1]), 1)
    image.set_sform(np.eye(4), 1)
    nib.save(image, path)
    with pytest.raises(ScanError, match="L-A-S by its qform, R-A-S by its sform"):
        open_image(path)
    image.set_qform(np.diag([-1.0, 1, 1, 1]), 0)
    nib.save(image, path)
    assert open_image(path).shape == (4, 4, 4, 5)

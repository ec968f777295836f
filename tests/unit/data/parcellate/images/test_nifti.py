"""Unreadable, truncated and inconsistent images give a reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

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

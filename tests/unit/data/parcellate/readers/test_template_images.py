"""Images in other layouts must be known to be in template space."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.template_images import read_image
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import (
    AFFINE,
    SCAN,
    SHAPE,
    dense_axis,
    write_dense,
    write_run,
)
from tests.unit.data.test_stacks import write_stack


def test_the_header_or_the_configuration_must_state_the_space(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(100, 3, (6, 6, 6, 20)).astype(np.float32)
    regions = pd.DataFrame({"index": [1], "name": ["a"], "network": ["A"]})
    atlas = Atlas("toy", nib.Nifti1Image(np.ones((6, 6, 6)), np.eye(4)), regions, "MNI152", "0")
    image = nib.Nifti1Image(data, np.eye(4))
    bold = tmp_path / "clean.nii.gz"
    for code, allowed in ((1, False), (4, True)):
        image.set_sform(np.eye(4), code)
        nib.save(image, bold)
        if allowed:
            assert read_image(bold, atlas, 2.0, Parcellation()).tr == 2
        else:
            with pytest.raises(ScanError, match="if it was warped to one, set `space` of the data"):
                read_image(bold, atlas, 2.0, Parcellation())
            scan = read_image(bold, atlas, 2.0, Parcellation(), "MNI152X")
            assert scan.space == "MNI152X"


def test_the_tr_may_be_in_the_header_of_a_cifti_file(tmp_path: Path, dense_atlas: Atlas) -> None:
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)), step=0.72)
    scan = read_image(path, dense_atlas, float("nan"), Parcellation())
    assert scan.tr == pytest.approx(0.72)
    assert read_image(path, dense_atlas, 2.0, Parcellation()).tr == pytest.approx(0.72)
    path.with_name(f"{path.name[:-13]}.json").write_text('{"RepetitionTime": 2.0}')
    with pytest.raises(ScanError, match=r"not clear: 2 s in .*json .*, 0.72 s in sub-01"):
        read_image(path, dense_atlas, 2.0, Parcellation())


def test_a_mask_that_was_not_downloaded_is_a_reason(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    bold = next(tmp_path.rglob("*_desc-preproc_bold.nii.gz"))
    settings = Parcellation()
    assert read_image(bold, atlas, 2.0, settings).means_TC.shape == (100, 3)
    bold.with_name("mask.nii.gz").symlink_to("annex/missing")
    with pytest.raises(ScanError, match="mask.nii.gz is a link to a file that is not here"):
        read_image(bold, atlas, 2.0, settings)


def test_an_image_in_the_space_of_a_participant_is_refused(
    tmp_path: Path, atlas: Atlas, caplog: pytest.LogCaptureFixture
) -> None:
    write_run(tmp_path, SCAN)
    bold = next(tmp_path.rglob("*_desc-preproc_bold.nii.gz"))
    read_image(bold, atlas, 2.5, Parcellation(), "MNI152NLin6Asym")
    assert "its name states MNI152NLin2009aSym, `space` states MNI152NLin6Asym" in caplog.text
    native = bold.rename(bold.with_name(bold.name.replace("MNI152NLin2009aSym", "T1w")))
    with pytest.raises(ScanError, match="participant's own space .T1w. by its name"):
        read_image(native, atlas, 2.5, Parcellation(), "MNI152NLin6Asym")


def test_the_sidecar_overrules_the_configuration(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(100, 3, (6, 6, 6, 20)).astype(np.float32)
    regions = pd.DataFrame({"index": [1], "name": ["a"], "network": ["A"]})
    atlas = Atlas("toy", nib.Nifti1Image(np.ones((6, 6, 6)), np.eye(4)), regions, "MNI152", "0")
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "clean.nii.gz")
    (tmp_path / "clean.json").write_text('{"RepetitionTime": 0.8}')
    scan = read_image(tmp_path / "clean.nii.gz", atlas, 2.0, Parcellation(), "MNI152X")
    assert scan.tr == 0.8
    (tmp_path / "clean.json").write_text("{")
    with pytest.raises(ScanError, match="the sidecar clean.json cannot be read"):
        read_image(tmp_path / "clean.nii.gz", atlas, 2.0, Parcellation(), "MNI152X")


@pytest.mark.parametrize("extension", ["", ".nii.gz"])
def test_a_stack_of_volumes_gives_the_same_as_one_file(
    tmp_path: Path, atlas: Atlas, extension: str
) -> None:
    data = np.random.default_rng(0).integers(900, 1100, (*SHAPE, 100)).astype(np.int16)
    write_stack(tmp_path / "stack", data, extension)
    single = nib.Nifti1Image(data, AFFINE)
    single.header.set_sform(AFFINE, 4)
    nib.save(single, tmp_path / "single.nii.gz")
    stacked, expected = (
        read_image(tmp_path / name, atlas, 2.0, Parcellation())
        for name in (f"stack/vol_*{extension}", "single.nii.gz")
    )
    np.testing.assert_array_equal(stacked.means_TC, expected.means_TC)
    assert stacked.measures == expected.measures

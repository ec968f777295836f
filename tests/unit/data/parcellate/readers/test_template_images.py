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
from tests.unit.data.parcellate.conftest import dense_axis, write_dense


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
            with pytest.raises(ScanError, match="if it is, set `space` of the data set"):
                read_image(bold, atlas, 2.0, Parcellation())
            scan = read_image(bold, atlas, 2.0, Parcellation(), "MNI152X")
            assert scan.space == "MNI152X"


def test_the_tr_may_be_in_the_header_of_a_cifti_file(tmp_path: Path, dense_atlas: Atlas) -> None:
    path, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)), step=0.72)
    scan = read_image(path, dense_atlas, float("nan"), Parcellation())
    assert scan.tr == pytest.approx(0.72)
    with pytest.raises(ScanError, match=r"has a TR of 0.72 s, its sidecar of 2 s"):
        read_image(path, dense_atlas, 2.0, Parcellation())

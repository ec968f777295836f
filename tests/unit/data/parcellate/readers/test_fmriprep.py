"""Runs in fMRIPrep's layout are found in the space of the atlas and averaged inside the mask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.fmriprep import FmriprepReader, find_bold, read_fmriprep
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import SCAN, write_run


def find(folder: Path, atlas: Atlas) -> Path:
    return find_bold(folder / "sub-01", SCAN, atlas, "simple")


def test_means_follow_the_table_of_the_atlas_and_the_mask(tmp_path: Path, atlas: Atlas) -> None:
    data = write_run(tmp_path, SCAN)
    scan = read_fmriprep(find(tmp_path, atlas), atlas, "simple", Parcellation())
    assert (scan.tr, scan.space) == (2.5, "MNI152NLin2009aSym")
    means = scan.means_TC
    assert means.shape == (100, 3)
    assert np.allclose(means[:, 0], data[6:9, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.allclose(means[:, 1], data[1:4, 1:4, 1:4].mean(axis=(0, 1, 2)), atol=1e-2)
    assert np.isnan(means[:, 2]).all()


def test_a_missing_image_is_a_reason(tmp_path: Path, atlas: Atlas) -> None:
    with pytest.raises(ScanError, match="no preprocessed BOLD image"):
        find(tmp_path, atlas)


def test_the_image_in_the_space_of_the_atlas_is_chosen(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    for path in list((tmp_path / "sub-01" / "func").glob("*_space-*")):
        other = path.name.replace("2009aSym", "6Asym_res-2")
        path.with_name(other).write_bytes(path.read_bytes())
    exact = replace(atlas, space="MNI152NLin6Asym")
    assert "space-MNI152NLin6Asym_res-2_desc-preproc" in find(tmp_path, exact).name
    with pytest.raises(ScanError, match="images are in MNI152NLin2009aSym, MNI152NLin6Asym, the"):
        find(tmp_path, replace(atlas, space="MNI152NLin2009cAsym"))


@pytest.mark.parametrize(
    ("strategy", "description"),
    [("simple", "simple, motion basic"), ("36p", "36p"), ("none", "none")],
)
def test_the_manifest_names_motion_where_there_is_a_choice(
    tmp_path: Path, atlas: Atlas, strategy: str, description: str
) -> None:
    reader = FmriprepReader(tmp_path, atlas, Parcellation(motion="basic"), strategy)
    assert reader.confounds == description

"""Fixtures for the tests of atlases."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import AtlasFiles
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas


def write_and_read(
    name: str, folder: Path, custom: AtlasFiles | None = None, atlas_dir: Path | None = None
) -> Atlas:
    """Write an atlas into a folder and read it back."""
    image, table = folder / f"atlas-{name}_dseg.nii.gz", folder / f"atlas-{name}_dseg.tsv"
    settings = GetAtlasSettings(atlas=name, custom=custom, atlas_dir=atlas_dir and str(atlas_dir))
    get_atlas(settings, out=image, table=table)
    return Atlas.read(name, image, table)


@pytest.fixture(scope="session")
def published(shared: Path) -> Path:
    """Folder with the published files of the atlases."""
    return shared / "atlases"


@pytest.fixture(scope="session")
def semantoks457(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    folder = tmp_path_factory.mktemp("semantoks457")
    return write_and_read("semantoks457", folder, atlas_dir=published)


@pytest.fixture
def custom_files(tmp_path: Path) -> AtlasFiles:
    """A custom atlas with two left and two right regions."""
    labels = np.zeros((10, 4, 4), np.float32)
    labels[1], labels[2], labels[7], labels[8] = 1, 2, 3, 4
    affine = np.diag([10.0, 10, 10, 1])
    affine[0, 3] = -45
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "mine.nii.gz")
    names = ["a_L", "b_L", "a_R", "b_R"]
    table = pd.DataFrame({"index": range(1, 5), "name": names, "network": ["A", "None"] * 2})
    table.to_csv(tmp_path / "mine.tsv", sep="\t", index=False)
    return AtlasFiles(
        image=str(tmp_path / "mine.nii.gz"), table=str(tmp_path / "mine.tsv"), space="MNI152Lin"
    )

from pathlib import Path
from typing import get_args

import nibabel as nib
import numpy as np
import pytest

from semantoks.atlas import ATLASES, get_atlas, read_regions
from semantoks.config import Config
from semantoks.errors import UserError


def test_seitzman_has_300_regions_at_their_centres(tmp_path: Path) -> None:
    image_path, table_path = tmp_path / "a.nii.gz", tmp_path / "a.tsv"
    get_atlas("seitzman300", image_path, table_path)
    image, table = nib.load(image_path), read_regions(table_path)
    labels = np.asarray(image.dataobj)
    assert list(table["index"]) == list(range(1, 301))
    assert table["name"].is_unique
    assert table["network"].nunique() == 14  # 13 and "unassigned"
    assert (np.bincount(labels.ravel(), minlength=301)[1:] > 10).all()

    from nilearn.datasets import fetch_coords_seitzman_2018

    source = fetch_coords_seitzman_2018()
    for label in (1, 150, 300):
        voxels = np.argwhere(labels == label)
        centre = nib.affines.apply_affine(image.affine, voxels).mean(axis=0)
        truth = source["rois"].iloc[label - 1][["x", "y", "z"]].to_numpy(float)
        assert np.linalg.norm(centre - truth) < 2.0


def test_left_is_left(tmp_path: Path) -> None:
    image_path, table_path = tmp_path / "a.nii.gz", tmp_path / "a.tsv"
    get_atlas("seitzman300", image_path, table_path)
    image, table = nib.load(image_path), read_regions(table_path)
    left = table.loc[table["structure"] == "cortexL", "index"]
    x = nib.affines.apply_affine(image.affine, np.argwhere(np.isin(image.dataobj, left)))[:, 0]
    assert x.mean() < -20


def test_an_unknown_atlas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no atlas 'aal'"):
        get_atlas("aal", tmp_path / "a.nii.gz", tmp_path / "a.tsv")


def test_the_configuration_knows_every_atlas() -> None:
    assert set(get_args(Config.model_fields["atlas"].annotation)) == set(ATLASES)

from pathlib import Path

import numpy as np
from nilearn.datasets import fetch_coords_seitzman_2018

from semantoks.data.atlas.images import centroids
from tests.unit.data.atlas.conftest import write_and_read


def test_300_regions_are_centred_on_the_published_coordinates(tmp_path: Path) -> None:
    atlas = write_and_read("seitzman300", tmp_path)
    labels, table = np.asarray(atlas.image.dataobj), atlas.regions
    assert list(table["index"]) == list(range(1, 301))
    assert table["name"].is_unique
    assert table["network"].nunique() == 14  # 13 and "unassigned"
    assert (np.bincount(labels.ravel(), minlength=301)[1:] > 10).all()

    expected = fetch_coords_seitzman_2018()["rois"][["x", "y", "z"]].to_numpy(float)
    distance = np.linalg.norm(centroids(atlas.image)[1:] - expected, axis=1)
    assert distance.max() < 4.0  # overlapping spheres share their voxels, which shifts centroids
    assert set(table["hemisphere"][expected[:, 0] < -1]) == {"L"}
    assert set(table["hemisphere"][np.abs(expected[:, 0]) < 1]) <= {""}

from pathlib import Path

from semantoks.data.atlas.images import centroids
from tests.unit.data.atlas.conftest import write_and_read


def test_left_cortex_has_negative_x(tmp_path: Path) -> None:
    atlas = write_and_read("seitzman300", tmp_path)
    left = atlas.regions.loc[atlas.regions["structure"] == "cortexL", "index"]
    assert centroids(atlas.image)[left, 0].mean() < -20

from pathlib import Path

import pytest

from semantoks.data.atlas.regions import hemisphere_from_name, read_regions
from tests.unit.data.atlas.conftest import write_and_read


@pytest.mark.parametrize(
    ("name", "hemisphere"),
    [
        ("7Networks_LH_Vis_1", "L"),
        ("HIP-head-m-rh", "R"),
        ("Amygdala_L", "L"),
        ("hemi-R_V1", "R"),
        ("Buckner7_Limbic", ""),
    ],
)
def test_hemisphere_from_name(name: str, hemisphere: str) -> None:
    assert hemisphere_from_name(name) == hemisphere


def test_table_has_one_row_per_region(tmp_path: Path) -> None:
    write_and_read("seitzman300", tmp_path)
    assert len(read_regions(tmp_path / "atlas-seitzman300_dseg.tsv")) == 300


def test_network_called_none_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "table.tsv").write_text("index\tname\tnetwork\themisphere\n1\ta\tNone\t\n")
    assert read_regions(tmp_path / "table.tsv").loc[0, ["network", "hemisphere"]].tolist() == [
        *("None", "")
    ]

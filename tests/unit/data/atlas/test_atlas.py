from pathlib import Path

import pytest

from semantoks.data.atlas.atlas import Atlas, same_space
from semantoks.data.preprocess.minimal.template import SPACE
from semantoks.errors import UserError
from tests.unit.data.atlas.conftest import write_and_read


@pytest.mark.parametrize(
    ("atlas", "run", "fits"),
    [
        ("MNI152NLin6Asym", "MNI152NLin6Asym", True),
        ("MNI152NLin6Asym", "MNI152NLin6Asym:res-2", True),
        ("MNI152NLin6Asym", "MNI152NLin2009cAsym", False),
        ("MNI152NLin6Asym", SPACE, False),
        ("MNI152", SPACE, True),
        ("MNI152NLin6Asym", "MNI152", False),
        ("MNI152", "MNIPediatricAsym:cohort-1", False),
        ("MNIInfant:cohort-1", "MNIInfant+2", False),
        ("MNIInfant:cohort-2:res-1", "MNIInfant+2", True),
        ("fsLR", "fsLR_den-91k", True),
    ],
)
def test_same_space(atlas: str, run: str, fits: bool) -> None:
    assert same_space(atlas, run) == fits


def test_missing_json_file_raises(tmp_path: Path) -> None:
    write_and_read("seitzman300", tmp_path)
    (tmp_path / "atlas-seitzman300_dseg.json").unlink()
    image, table = (tmp_path / f"atlas-seitzman300_dseg.{end}" for end in ("nii.gz", "tsv"))
    with pytest.raises(UserError, match=r"^atlas-seitzman300_dseg.json, .* is missing next to"):
        Atlas.read("seitzman300", image, table)

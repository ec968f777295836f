"""Templates of images and registrations name one file each."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from semantoks.config import Origin, split_zip


def test_a_path_is_split_at_the_zip_file() -> None:
    assert split_zip("a/1.zip/b/c.nii.gz") == ("a/1.zip", "b/c.nii.gz")
    assert split_zip("a/1.ZIP/b.zip/c") == ("a/1.ZIP", "b.zip/c")
    for path in ("a/b.nii.gz", "a/1.zip", "a/1.zip/", "1.zipped/a"):
        assert split_zip(path) == (path, "")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"template": "{participant}.zip/a/*.nii.gz"}, "must name one file in each zip file"),
        ({"template": "a.zip/{participant}.nii.gz"}, "must name one file in each zip file"),
        ({"template": "{participant}.zip/a.zip/b.nii"}, "must name one file in each zip file"),
        ({"template": "{participant}.zip/a.tsv", "source": "timeseries"}, "only images are read"),
        ({"template": None, "registration": "{participant}.nii"}, "goes with `source: fmriprep`"),
        ({"registration": "{participant}/reg/example_func2standard.mat"}, "is affine"),
        ({"registration": "{session}/warp.nii.gz"}, "must name one file for each image"),
        ({"registration": "*/{participant}/warp.nii.gz"}, "must name one file for each image"),
        ({"registration": "../{participant}/warp.nii.gz"}, "must name one file for each image"),
    ],
)
def test_templates_must_name_one_file(settings: dict[str, Any], words: str) -> None:
    values = {"source": "fmriprep", "template": "{participant}/a.nii.gz", **settings}
    with pytest.raises(ValidationError, match=words):
        Origin.model_validate(values)

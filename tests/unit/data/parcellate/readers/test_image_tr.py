"""The sidecar decides on the repetition time; the configuration is for images without."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.fmriprep import read_fmriprep
from semantoks.data.parcellate.readers.image_tr import image_repetition_time
from semantoks.data.parcellate.readers.template_images import read_image
from semantoks.errors import ScanError
from tests.unit.data.parcellate.conftest import SCAN, write_run

UNKNOWN = float("nan")


def write_image(folder: Path, header_tr: float = 0, unit: str = "sec", **sidecar: Any) -> Path:
    image = nib.Nifti1Image(np.zeros((2, 2, 2, 5), np.int16), np.eye(4))
    image.header.set_zooms((1, 1, 1, header_tr))
    image.header.set_xyzt_units("mm", unit)
    nib.save(image, folder / "clean.nii.gz")
    if sidecar:
        (folder / "clean.json").write_text(json.dumps(sidecar))
    return folder / "clean.nii.gz"


@pytest.mark.parametrize(
    ("sidecar", "configured", "expected"),
    [
        ({"RepetitionTime": 1.5}, 2.0, 1.5),
        ({"RepetitionTime": None}, 2.0, 2.0),
        ({"TaskName": "rest"}, 2.0, 2.0),
        ({}, 2.0, 2.0),
    ],
)
def test_the_configuration_is_for_images_that_do_not_say_it(
    tmp_path: Path, sidecar: dict[str, Any], configured: float, expected: float
) -> None:
    assert image_repetition_time(write_image(tmp_path, **sidecar), configured) == expected


def test_both_readers_of_images_follow_the_rule(tmp_path: Path, atlas: Atlas) -> None:
    write_run(tmp_path, SCAN)
    bold = next(tmp_path.rglob("*_desc-preproc_bold.nii.gz"))
    sidecar = bold.with_name(f"{bold.name[:-7]}.json")
    for content, expected in (({"RepetitionTime": 2.5}, 2.5), ({"RepetitionTime": None}, 1.0)):
        sidecar.write_text(json.dumps(content))
        assert read_image(bold, atlas, 1.0, Parcellation()).tr == expected
        assert read_fmriprep(bold, atlas, "none", Parcellation(), 1.0).tr == expected
    sidecar.unlink()
    assert read_fmriprep(bold, atlas, "none", Parcellation(), 1.0).tr == 1.0
    for read in (
        lambda: read_image(bold, atlas, UNKNOWN, Parcellation()),
        lambda: read_fmriprep(bold, atlas, "none", Parcellation()),
    ):
        with pytest.raises(ScanError, match=f"there is no {sidecar.name} beside"):
            read()
    sidecar.write_text('{"RepetitionTime": 2.5,}')
    with pytest.raises(ScanError, match=f"the sidecar .*{sidecar.name} cannot be read"):
        read_image(bold, atlas, 1.0, Parcellation())  # the configuration was taken instead


@pytest.mark.parametrize(
    ("header_tr", "unit", "is_said"),
    [
        (1.25, "sec", True),
        (1250, "msec", True),
        (2.505, "sec", False),
        (0, "sec", False),
        (1.25, "unknown", False),
    ],
)
def test_a_header_that_differs_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, header_tr: float, unit: str, is_said: bool
) -> None:
    bold = write_image(tmp_path, header_tr, unit, RepetitionTime=2.5)
    with caplog.at_level(logging.WARNING):
        assert image_repetition_time(bold, UNKNOWN) == 2.5
    text = "clean.nii.gz: a TR of 2.5 s is used; its header states 1.25 s"
    assert [record.getMessage() for record in caplog.records] == ([text] if is_said else [])


def test_a_configured_tr_that_is_not_used_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image_repetition_time(write_image(tmp_path, RepetitionTime=1.5), 2.0)
    assert "TR of 1.5 s is used; `repetition_time` of the data set states 2 s" in caplog.text

"""Headers of raw images are compared with what the sidecars say."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.config import Dataset, IndexedDataset
from semantoks.data.index.raw.headers import Header
from semantoks.data.index.raw.runs import find_raw_scans
from tests.unit.data.index.conftest import index_bids, write_bids

BOLD = "sub-01/func/sub-01_task-rest_bold.nii.gz"
T1W = "sub-01/anat/sub-01_T1w.nii.gz"


def save(path: Path, tr: float, unit: str, affine: np.ndarray | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.zeros((4, 4, 4, 12), np.int16), affine)
    image.header.set_zooms((3, 3, 3, tr))
    image.header.set_xyzt_units("mm", unit)
    nib.save(image, path)


@pytest.mark.parametrize(
    ("tr", "unit", "seconds"),
    [
        (2.5, "sec", 2.5),
        (2500, "msec", 2.5),
        (2.5, "unknown", float("nan")),
        (1, "sec", 1.0),
        (1, "unknown", float("nan")),
        (50, "msec", float("nan")),
        (0, "sec", float("nan")),
        (2500, "sec", float("nan")),
    ],
)
def test_only_a_plausible_tr_with_a_unit_counts(
    tmp_path: Path, tr: float, unit: str, seconds: float
) -> None:
    save(tmp_path / "x_bold.nii.gz", tr, unit, np.eye(4))
    header = Header.of(tmp_path / "x_bold.nii.gz")
    assert header.repetition_time == pytest.approx(seconds, nan_ok=True)


@pytest.mark.parametrize("source", ["sidecar", "configuration"])
def test_another_tr_in_the_header_is_said(
    tmp_path: Path, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    bids = tmp_path / "bids"
    save(bids / BOLD, 1.25, "sec", np.eye(4))
    write_bids(bids, BOLD, T1W)
    if source == "sidecar":
        (bids / "bold.json").write_text('{"RepetitionTime": 2.5}')
    index_bids(bids, tmp_path / "out", repetition_time=None if source == "sidecar" else 2.5)
    assert "1 of 1 runs have another TR in the header" in caplog.text
    assert "sub-01_task-rest: 1.25 s in the header, 2.5 s used" in caplog.text
    caplog.clear()
    (bids / "bold.json").write_text('{"RepetitionTime": 1.251}')
    index_bids(bids, tmp_path / "out", repetition_time=9.0)
    assert "header" not in caplog.text


@pytest.mark.parametrize("name", [BOLD, T1W])
def test_an_image_without_orientation_is_a_problem(tmp_path: Path, name: str) -> None:
    for path in (BOLD, T1W):
        save(tmp_path / path, 2, "sec", None if path == name else np.eye(4))
    scans = find_raw_scans(tmp_path, IndexedDataset.part_of(Dataset(path=str(tmp_path))))
    assert (
        scans["problem"][0] == f"{Path(name).name} has no orientation (qform and sform are not set)"
    )

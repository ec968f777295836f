"""The T1w image of a run is chosen by stated preferences."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from semantoks.config import EntityFilter, IndexedDataset
from semantoks.data.index.raw.runs import find_raw_scans
from semantoks.errors import UserError
from tests.unit.data.index.conftest import touch

BOLD = "sub-01/func/sub-01_task-rest_bold.nii.gz"


def chosen(root: Path, *images: str, bold: str = BOLD, **wanted: object) -> str:
    """Return the name of the T1w image that is used, without participant and suffix."""
    touch(root, bold, *(f"sub-01/anat/sub-01_{name}.nii.gz" for name in images))
    entities: EntityFilter = {key: str(value) for key, value in wanted.items()}
    scans = find_raw_scans(root, IndexedDataset(t1w_entities=entities))
    name = Path(scans["t1w"][0]).name
    return name.removeprefix("sub-01_").removesuffix(".nii.gz")


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["part-phase_T1w", "T1w"], "T1w"),
        (["acq-a_part-phase_T1w", "run-02_T1w"], "run-02_T1w"),
        (["part-real_T1w", "part-mag_T1w"], "part-mag_T1w"),
        (["run-2_T1w", "run-10_T1w"], "run-2_T1w"),
        (["acq-a_T1w", "T1w", "rec-norm_T1w"], "T1w"),
        (["ce-gad_T1w", "acq-b_rec-norm_T1w"], "acq-b_rec-norm_T1w"),
        (["part-phase_T1w"], ""),
    ],
)
def test_preferences(tmp_path: Path, images: list[str], expected: str) -> None:
    assert chosen(tmp_path, *images) == expected


def test_a_slab_is_used_only_if_there_is_nothing_else(tmp_path: Path) -> None:
    for name, slices in (("acq-slab", 30), ("acq-whole", 160)):
        path = tmp_path / f"sub-01/anat/sub-01_{name}_T1w.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(np.zeros((160, 160, slices), np.uint8), np.eye(4)), path)
    assert chosen(tmp_path) == "acq-whole_T1w"
    path.unlink()
    assert chosen(tmp_path) == "acq-slab_T1w"


def test_the_choice_is_said_and_can_be_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert chosen(tmp_path, "acq-a_T1w", "acq-b_T1w") == "acq-a_T1w"
    assert "sub-01_acq-a_T1w.nii.gz and not sub-01_acq-b_T1w.nii.gz" in caplog.text
    assert "`t1w_entities`" in caplog.text
    caplog.clear()
    assert chosen(tmp_path, acq="b") == "acq-b_T1w"
    assert not caplog.text
    # fMRIPrep takes all T1w images of a participant.
    find_raw_scans(tmp_path, IndexedDataset(), by_fmriprep=True)
    assert not caplog.text
    with pytest.raises(UserError, match="no T1w image with acq: c .*Correct `t1w_entities`"):
        chosen(tmp_path, acq="c")


def test_an_image_of_another_participant_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "sub-01/anat/sub-02_T1w.nii.gz")
    assert chosen(tmp_path) == ""
    assert "1 T1w image(s) are not used: sub-02_T1w is in the folder sub-01" in caplog.text


def test_the_image_of_another_session_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz")
    bold = "sub-01/ses-2/func/sub-01_ses-2_task-rest_bold.nii.gz"
    assert chosen(tmp_path, bold=bold) == "ses-1_T1w"
    assert "use that of another, such as ses-2 sub-01/ses-1/anat" in caplog.text

"""File names of fMRIPrep, and the software that a folder of derivatives names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semantoks.data.layout import (
    beside,
    entities_of,
    generated_by,
    images_of_run,
    is_xcpd,
    scan_of,
    space_of,
    split_at_participant,
)


def test_names_state_the_run_and_the_space() -> None:
    image = Path("sub-01_task-rest_run-2_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz")
    assert scan_of(image.name) == "sub-01_task-rest_run-2"
    assert space_of(image) == "MNI152NLin6Asym"
    assert entities_of("sub-01_task-rest_bold") == {"sub": "01", "task": "rest"}
    assert space_of(Path("clean.nii.gz")) == ""
    cohort = Path("sub-01_space-MNIPediatricAsym_cohort-2_res-2_bold.nii.gz")
    assert space_of(cohort) == "MNIPediatricAsym:cohort-2"
    assert scan_of("sub-01_task-rest_space-a_seg-b_timeseries.tsv") == "sub-01_task-rest"
    assert scan_of("sub-01_task-rest_bold.nii.gz") == "sub-01_task-rest"


def test_names_of_runs_have_all_entities_that_tell_recordings_apart() -> None:
    raw = "sub-01_ses-1_task-rest_acq-a_ce-b_rec-c_dir-AP_run-2_echo-1_part-mag"
    assert scan_of(f"{raw}_chunk-3_bold.nii.gz") == f"{raw}_chunk-3"
    # In the order of BIDS, `chunk` and `recording` follow `space`.
    assert scan_of(
        f"{raw}_hemi-L_space-a_recording-x_chunk-3_seg-b_res-2_den-c_label-d_stat-e"
    ) == (f"{raw}_recording-x_chunk-3")
    dcan = "sub-01_task-rest_bold_atlas-Gordon_desc-filtered_timeseries.ptseries.nii"
    assert scan_of(dcan) == "sub-01_task-rest"
    assert scan_of("sub-01_rest_timeseries.csv") == "sub-01_rest"


def test_files_with_the_same_indices_belong_together(tmp_path: Path) -> None:
    image, wanted = tmp_path / "sub-01_run-01_bold.nii.gz", "sub-01_run-01_mask.nii.gz"
    assert beside(image, wanted).name == wanted
    for name in ("sub-01_run-10_mask.nii.gz", "sub-001_run-1_mask.nii.gz", "sub-01_mask.nii.gz"):
        (tmp_path / name).touch()
    assert beside(image, wanted).name == wanted  # is not there
    (tmp_path / "sub-01_run-1_mask.nii.gz").touch()
    assert beside(image, wanted).name == "sub-01_run-1_mask.nii.gz"
    (tmp_path / wanted).touch()
    assert beside(image, wanted).name == wanted


def test_images_of_a_run_are_listed_in_all_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "ses-1/func"
    folder.mkdir(parents=True)
    names = [
        "a_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz",
        "a_task-rest_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii",
    ]
    for name in (*names, "a_task-rest_run-1_space-T1w_desc-preproc_bold.nii.gz"):
        (folder / name).touch()
    images = images_of_run(tmp_path, "a_task-rest", "_desc-preproc_bold.nii*")
    assert [path.name for path in images] == names
    assert len(images_of_run(tmp_path, "a_task-rest_run-01", "_desc-preproc_bold.nii*")) == 1
    assert images_of_run(tmp_path / "missing", "a_task-rest", "_bold.nii.gz") == []


def test_names_with_characters_of_patterns_are_found(tmp_path: Path) -> None:
    scan = "sub-01[2023]_task-rest"
    (tmp_path / f"{scan}_space-T1w_desc-preproc_bold.nii.gz").touch()
    (tmp_path / "sub-012_task-rest_space-T1w_desc-preproc_bold.nii.gz").touch()
    images = images_of_run(tmp_path, scan, "_desc-preproc_bold.nii*")
    assert [path.name for path in images] == [f"{scan}_space-T1w_desc-preproc_bold.nii.gz"]


def test_derivatives_name_their_software(tmp_path: Path) -> None:
    assert generated_by(tmp_path) == ""
    for content, expected in (
        ({"Name": "x"}, ""),
        ({"GeneratedBy": [{"Name": "fMRIPrep", "Version": "25.2.7"}]}, "fMRIPrep 25.2.7"),
        ({"PipelineDescription": {"Name": "fMRIPrep", "Version": "1.5.0"}}, "fMRIPrep 1.5.0"),
        ({"GeneratedBy": [{"Name": "XCP-D"}]}, "XCP-D"),
    ):
        (tmp_path / "dataset_description.json").write_text(json.dumps(content))
        assert generated_by(tmp_path) == expected


@pytest.mark.parametrize(
    "content",
    [
        *("[1, 2]", "3", '"fMRIPrep"', '{"GeneratedBy": [1]}', '{"GeneratedBy": {}}', "{", "\x00"),
        *('{"GeneratedBy": []}', '{"PipelineDescription": [[]]}', "[" * 100_000),
    ],
)
def test_descriptions_of_any_type_name_no_software(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_description.json").write_text(content)
    assert generated_by(tmp_path) == ""
    assert not is_xcpd(tmp_path / "sub-01_timeseries.tsv")


def test_a_description_that_is_no_file_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "dataset_description.json").symlink_to("/dev/zero")
    assert generated_by(tmp_path) == ""
    assert "is a device, a file is needed" in caplog.text


def test_a_path_is_split_at_the_participant() -> None:
    name = "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz"
    assert split_at_participant(name) == (".", name)
    assert split_at_participant(f"MRI/Site-RU/{name}") == ("MRI/Site-RU", name)
    assert split_at_participant("01/bold.nii.gz") == (".", "01/bold.nii.gz")

"""Scans of preprocessed images and of time series are found in the layouts that labs use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.config import Dataset, Origin
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.errors import UserError
from tests.unit.data.index.conftest import touch


def find(root: Path, **settings: Any) -> pd.DataFrame:
    return find_derivative_scans(root, Dataset(path=str(root), **settings)).set_index("scan")


def test_fmriprep_outputs_are_one_scan_per_run(tmp_path: Path) -> None:
    session = "sub-02/ses-a/func/sub-02_ses-a"
    touch(
        tmp_path,
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz",
        "sub-01/func/sub-01_task-rest_space-fsLR_den-91k_bold.dtseries.nii",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_res-2_desc-brain_mask.nii.gz",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_boldref.nii.gz",
        f"{session}_task-rest_run-1_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz",
        f"{session}_task-faces_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz",
    )
    scans = find(tmp_path, source="fmriprep")
    assert list(scans.index) == [
        "sub-01_task-rest",
        "sub-02_ses-a_task-faces",
        "sub-02_ses-a_task-rest_run-1",
    ]
    assert scans.loc["sub-02_ses-a_task-rest_run-1", ["session", "run"]].tolist() == ["ses-a", "1"]
    assert (scans["problem"] == "").all()
    assert list(find(tmp_path, source="fmriprep", task="faces").index) == [
        "sub-02_ses-a_task-faces"
    ]


def test_templates_describe_other_layouts(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "1000017/fMRI/rfMRI.ica/filtered_func_data_clean.nii.gz",
        "1000025/fMRI/rfMRI.ica/filtered_func_data_clean.nii.gz",
        "1000025/fMRI/tfMRI.feat/filtered_func_data.nii.gz",
    )
    template = "{participant}/fMRI/rfMRI.ica/filtered_func_data_clean.nii.gz"
    scans = find(tmp_path, source="fmriprep", template=template)
    assert scans["participant_id"].tolist() == list(scans.index) == ["1000017", "1000025"]
    touch(tmp_path, "x/A_7/s1/A_7_rest_2_x.npy", "x/A_7/s1/B_8_rest_2_x.npy")
    template = "*/{participant}/{session}/{participant}_{task}_{run}_*.npy"
    scans = find(tmp_path, source="timeseries", template=template)
    assert list(scans.index) == ["A_7_s1_rest_2"]  # both occurrences must agree
    assert scans.iloc[0][["participant_id", "session", "task", "run"]].tolist() == [
        "A_7",
        "s1",
        "rest",
        "2",
    ]


def test_a_template_is_validated_with_the_configuration() -> None:
    for template in ("rest.nii.gz", "{participant}/{site}.nii.gz"):
        with pytest.raises(ValidationError, match="must have {participant}, may have {session}"):
            Origin(source="fmriprep", template=template)
    with pytest.raises(ValidationError, match="needs 't1w_template' beside it"):
        Dataset(path="x", template="{participant}.nii.gz")
    with pytest.raises(ValidationError, match="template has more than 50 stars and entities"):
        Origin(source="fmriprep", template="*a" * 50 + "{participant}.nii.gz")


def test_time_series_of_xcpd_and_other_software(tmp_path: Path) -> None:
    stem = "sub-01/func/sub-01_task-rest_space-MNI152NLin2009cAsym"
    touch(
        tmp_path,
        f"{stem}_seg-4S456Parcels_stat-mean_timeseries.tsv",
        f"{stem}_seg-4S456Parcels_stat-alff_timeseries.tsv",
        "sub-01/func/sub-01_task-rest_desc-confounds_timeseries.tsv",
        "sub-02/sub-02_timeseries.npy",
    )
    scans = find(tmp_path, source="timeseries")
    assert list(scans.index) == ["sub-01_task-rest", "sub-02"]
    assert (scans["problem"] == "").all()
    touch(tmp_path, f"{stem}_seg-Tian_stat-mean_timeseries.tsv")
    assert "several files of one scan" in find(tmp_path, source="timeseries")["problem"].iloc[0]
    named = "sub-{participant}/func/*_seg-Tian_stat-mean_timeseries.tsv"
    assert list(find(tmp_path, source="timeseries", template=named).index) == ["01"]
    with pytest.raises(UserError, match="or describe with `template` how the files are named"):
        find(tmp_path / "sub-02", source="fmriprep")


def test_cifti_is_taken_where_there_is_no_table_of_it(tmp_path: Path) -> None:
    stem = "sub-0{}_task-rest_space-fsLR_seg-a{}_stat-mean_timeseries.{}"
    for participant, density in ((1, ""), (2, "_den-91k")):
        touch(tmp_path, stem.format(participant, density, "tsv"))
        touch(tmp_path, stem.format(participant, "_den-91k", "ptseries.nii"))
    dcan = "sub-03_task-rest_bold_atlas-Gordon_desc-filtered_timeseries.ptseries.nii"
    touch(tmp_path, dcan)
    scans = find(tmp_path, source="timeseries")
    assert not scans["problem"].any()
    assert [name[-4:] for name in scans["file"]] == [".tsv", ".tsv", ".nii"]
    assert list(scans.index) == [f"sub-0{n}_task-rest" for n in (1, 2, 3)]
    touch(tmp_path, dcan.replace("Gordon", "Glasser"))
    assert "several files of one scan" in find(tmp_path, source="timeseries")["problem"].iloc[2]


def test_linked_folders_are_followed_and_new_outputs_change_the_version(tmp_path: Path) -> None:
    image = "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
    touch(tmp_path / "elsewhere", image)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sub-01").symlink_to(tmp_path / "elsewhere/sub-01")
    (tmp_path / "elsewhere/sub-01/loop").symlink_to(tmp_path / "elsewhere/sub-01")
    settings = {"source": "fmriprep", "link_targets": [str(tmp_path / "elsewhere")]}
    scans = find(tmp_path / "data", **settings)
    assert list(scans.index) == ["sub-01_task-rest"]
    touch(tmp_path / "elsewhere", image.replace("MNI152NLin6Asym", "MNI152NLin2009cAsym"))
    again = find(tmp_path / "data", **settings)
    assert again["version"].tolist() != scans["version"].tolist()


def test_the_version_changes_with_masks_and_outliers(tmp_path: Path) -> None:
    touch(tmp_path, "1000017/clean.nii.gz", "sub-01/sub-01_task-rest_seg-a_timeseries.tsv")
    images = {"source": "fmriprep", "template": "{participant}/clean.nii.gz"}
    before = [find(tmp_path, **images), find(tmp_path, source="timeseries")]
    touch(tmp_path, "1000017/mask.nii.gz", "sub-01/sub-01_task-rest_outliers.tsv")
    after = [find(tmp_path, **images), find(tmp_path, source="timeseries")]
    for old, new in zip(before, after, strict=True):
        assert old["version"].tolist() != new["version"].tolist()
        assert old["file"].tolist() == new["file"].tolist()


def test_brackets_in_a_template_are_brackets(tmp_path: Path) -> None:
    touch(tmp_path, "study [2023]/sub-01/rest.nii.gz", "study 2/sub-02/rest.nii.gz")
    template = "study [2023]/{participant}/*.nii.gz"
    scans = find(tmp_path, source="fmriprep", template=template)
    assert scans["participant_id"].tolist() == ["sub-01"]


def test_tables_of_all_kinds_are_found(tmp_path: Path) -> None:
    endings = ("tsv", "csv", "1D", "txt", "npy", "mat")
    touch(tmp_path, *(f"sub-{ending}_task-rest_timeseries.{ending}" for ending in endings))
    scans = find(tmp_path, source="timeseries")
    assert sorted(scans["participant_id"]) == sorted(f"sub-{ending}" for ending in endings)


def test_the_table_of_participants_is_no_scan(tmp_path: Path) -> None:
    touch(tmp_path, "a.tsv", "participants.tsv")
    scans = find(tmp_path, source="timeseries", template="{participant}.tsv")
    assert list(scans.index) == ["a"]


def test_a_change_of_the_sidecar_changes_the_version(tmp_path: Path) -> None:
    touch(tmp_path, "a.rest.npy")
    versions = set()
    for text in ("{}", '{"RepetitionTime": 2}'):
        (tmp_path / "a.rest.json").write_text(text)
        versions.add(
            find(tmp_path, source="timeseries", template="{participant}.rest.npy").version.a
        )
    assert len(versions) == 2


def test_one_and_zero_one_are_the_same_run(tmp_path: Path) -> None:
    image = "sub-01/func/sub-01_task-rest_run-{}_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
    table = "sub-01/func/sub-01_task-rest_run-{}_seg-a_timeseries.tsv"
    touch(tmp_path, *(name.format(run) for name in (image, table) for run in ("1", "01", "02")))
    for source in ("fmriprep", "timeseries"):
        scans = find(tmp_path, source=source)
        assert list(scans["run"]) == ["1", "2", "1"]  # of run-01, run-02 and run-1
        both = scans.loc[["sub-01_task-rest_run-01", "sub-01_task-rest_run-1"], "problem"]
        assert all("run-01_s" in problem and "run-1_s" in problem for problem in both)
        assert scans.loc["sub-01_task-rest_run-02", "problem"] == ""


def test_what_tells_recordings_apart_is_in_the_name_of_the_scan(tmp_path: Path) -> None:
    stem = "sub-01_task-rest"
    recordings = ["ce-a", "ce-b", "acq-a", "rec-a", "dir-AP", "part-mag", "echo-1", "recording-a"]
    touch(tmp_path, *(f"{stem}_{entity}_space-a_timeseries.tsv" for entity in recordings))
    # `chunk` follows `space` in the order of BIDS.
    touch(tmp_path, *(f"{stem}_space-a_chunk-{chunk}_timeseries.tsv" for chunk in (1, 2)))
    scans = find(tmp_path, source="timeseries")
    assert len(scans) == 10 and not scans["problem"].any()
    for entity in ("hemi", "res", "den", "label", "desc", "seg"):
        touch(tmp_path, *(f"sub-{entity}_{entity}-{value}_timeseries.tsv" for value in "ab"))
        problem = find(tmp_path, source="timeseries").loc[f"sub-{entity}", "problem"]
        assert "several files of one scan" in problem


def test_confounds_with_another_number_of_zeros_change_the_version(tmp_path: Path) -> None:
    touch(tmp_path, "sub-01_task-rest_run-01_space-a_desc-preproc_bold.nii.gz")
    before = find(tmp_path, source="fmriprep")
    touch(tmp_path, "sub-01_task-rest_run-1_desc-confounds_timeseries.tsv")
    assert find(tmp_path, source="fmriprep")["version"].tolist() != before["version"].tolist()


def test_a_change_of_an_inherited_sidecar_changes_the_version(tmp_path: Path) -> None:
    touch(tmp_path, "sub-01/func/sub-01_task-rest_space-a_desc-preproc_bold.nii.gz")
    touch(tmp_path, "sub-01/func/sub-01_task-rest_space-a_timeseries.tsv")
    touch(tmp_path, "sub-01/func/sub-01_task-faces_space-a_timeseries.tsv")
    for source, suffix in (("fmriprep", "bold"), ("timeseries", "timeseries")):
        sidecar = tmp_path / f"task-rest_space-b_{suffix}.json"  # of another space of the run
        before = find(tmp_path, source=source)["version"]
        sidecar.write_text("{}")
        during = find(tmp_path, source=source)["version"]
        sidecar.write_text('{"RepetitionTime": 2}')
        after = find(tmp_path, source=source)["version"]
        assert len({table["sub-01_task-rest"] for table in (before, during, after)}) == 3
        if source == "timeseries":
            assert before["sub-01_task-faces"] == after["sub-01_task-faces"]


def test_a_template_stays_in_the_folder() -> None:
    for template in ("/home/{participant}.nii", "../{participant}.nii", "x/../../{participant}.x"):
        with pytest.raises(ValidationError, match="must stay in the folder of the data set"):
            Origin(source="fmriprep", template=template)


def test_links_of_a_data_set_may_not_lead_everywhere() -> None:
    for folder in ("/", "//", "/x/..", "store"):
        with pytest.raises(ValidationError, match="must be the whole path of a folder"):
            Dataset(path="x", link_targets=[folder])


def test_files_of_others_behind_a_link_are_not_listed(tmp_path: Path) -> None:
    touch(tmp_path, "data/a/s1.nii", "home/secret.nii")
    (tmp_path / "data/b").symlink_to(tmp_path / "home")
    (tmp_path / "data/a/s2.nii").symlink_to(tmp_path / "home/secret.nii")
    scans = find(tmp_path / "data", source="fmriprep", template="*/{participant}.nii")
    assert list(scans.index) == ["s1", "s2"]
    assert [bool(problem) for problem in scans["problem"]] == [False, True]


def test_the_version_changes_when_the_folder_of_a_mask_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "data/s1/clean.nii.gz", "store/mask.nii.gz")
    (tmp_path / "data/s1/mask.nii.gz").symlink_to(tmp_path / "store/mask.nii.gz")
    images = {"source": "fmriprep", "template": "{participant}/clean.nii.gz"}
    before = find(tmp_path / "data", **images)
    after = find(tmp_path / "data", **images, link_targets=[str(tmp_path / "store")])
    assert [*before["problem"], *after["problem"]] == ["", ""]
    assert before["version"].tolist() != after["version"].tolist()


def test_a_pipe_among_parquet_files_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(tmp_path / "a_timeseries.parquet")
    (tmp_path / "b_timeseries.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="has no files"):
        find(tmp_path, source="timeseries")
    assert "a_timeseries.parquet is a named pipe" in caplog.text
    assert "b_timeseries.parquet is not a readable Parquet file" in caplog.text


@pytest.mark.parametrize("kind", ["damaged", "external", "huge"])
def test_hdf5_that_cannot_be_read_is_said(tmp_path: Path, kind: str) -> None:
    import h5py

    file = tmp_path / "study.h5"
    if kind == "damaged":
        file.write_bytes(b"x")
    else:
        with h5py.File(file, "w") as content:
            if kind == "huge":
                content.create_dataset("long_subject_id", (10**12,), "S8", chunks=(1000,))
            else:
                content["long_subject_id"] = h5py.ExternalLink("/etc/hostname", "x")
    with pytest.raises(UserError, match="is not readable HDF5 of the reference implementation"):
        find(file, source="timeseries")

"""Scans are found in every tree that labs have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.artifacts.tables import read_shard
from semantoks.artifacts.timeseries import read_scan_table
from semantoks.config import Dataset, Origin, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.people import match_people, read_participants, repetition_times
from semantoks.data.index.trees import find_entered
from semantoks.data.parcellate.images import read_image
from semantoks.data.parcellate.stage import parcellate_shard
from semantoks.errors import ScanError, UserError
from tests.conftest import run_index


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def find(root: Path, **settings: Any) -> pd.DataFrame:
    return find_entered(root, Dataset(path=str(root), **settings)).set_index("scan")


def test_fmriprep_of_every_version(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz",
        "sub-01/func/sub-01_task-rest_space-fsLR_den-91k_bold.dtseries.nii",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_res-2_desc-brain_mask.nii.gz",
        "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_boldref.nii.gz",
        "sub-02/ses-a/func/sub-02_ses-a_task-rest_run-1_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz",
        "sub-02/ses-a/func/sub-02_ses-a_task-faces_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz",
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


def test_templates_name_other_trees(tmp_path: Path) -> None:
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
    assert list(scans.index) == ["A_7_s1_rest_2"]  # the participant is the same in both places
    assert scans.iloc[0][["participant_id", "session", "task", "run"]].tolist() == [
        "A_7",
        "s1",
        "rest",
        "2",
    ]


def test_a_template_is_checked_when_it_is_read() -> None:
    for template in ("rest.nii.gz", "{participant}/{site}.nii.gz"):
        with pytest.raises(ValidationError, match="must have {participant}, may have {session}"):
            Origin(source="fmriprep", template=template)
    with pytest.raises(ValidationError, match="goes with `source: fmriprep`"):
        Origin(template="{participant}.nii.gz")


def test_tables_of_xcpd_and_others(tmp_path: Path) -> None:
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
    with pytest.raises(UserError, match="or say with `template` how the files are named"):
        find(tmp_path / "sub-02", source="fmriprep")


def test_the_references_file_is_a_data_set(tmp_path: Path) -> None:
    path = tmp_path / "hbn.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["timeseries/toy"] = rng.normal(size=(3, 2, 100)).astype(np.float32)
        file["long_subject_id"] = ["NDAR1", "NDAR2", "NDAR3"]
        file["sex"] = [0, 1, 1]
        file["age"] = [8.5, 9.0, np.nan]
    dataset = Dataset(source="timeseries", path=str(path), repetition_time=1.5)
    run_index(path, path, dataset, tmp_path / "index")
    scans = read_shard(tmp_path / "index/shard-0000.tsv")
    regions = pd.DataFrame({"index": [1, 2], "name": ["a", "b"], "network": ["A", "B"]})
    atlas = Atlas("toy", nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4)), regions, "MNI152", "0")
    out = tmp_path / "t.parquet"
    settings = Parcellation(min_dof=1)
    parcellate_shard(scans, path, atlas, settings, Origin(source="timeseries"), out)
    table = read_scan_table([out])
    assert table["scan"].tolist() == ["NDAR1", "NDAR2", "NDAR3"]
    assert (table["status"] == "ok").all() and (table["seconds"] == 150).all()
    people = read_participants(path)
    assert people["sex"].tolist() == [0, 1, 1]


def test_linked_folders_are_looked_into_and_changes_beside_are_seen(tmp_path: Path) -> None:
    image = "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
    touch(tmp_path / "elsewhere", image)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sub-01").symlink_to(tmp_path / "elsewhere/sub-01")
    (tmp_path / "elsewhere/sub-01/loop").symlink_to(tmp_path / "elsewhere/sub-01")
    scans = find(tmp_path / "data", source="fmriprep")
    assert list(scans.index) == ["sub-01_task-rest"]
    touch(tmp_path / "elsewhere", image.replace("MNI152NLin6Asym", "MNI152NLin2009cAsym"))
    again = find(tmp_path / "data", source="fmriprep")
    assert again["version"].tolist() != scans["version"].tolist()


def test_images_of_other_trees_must_be_in_template_space(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(100, 3, (6, 6, 6, 20)).astype(np.float32)
    regions = pd.DataFrame({"index": [1], "name": ["a"], "network": ["A"]})
    atlas = Atlas("toy", nib.Nifti1Image(np.ones((6, 6, 6)), np.eye(4)), regions, "MNI152", "0")
    image = nib.Nifti1Image(data, np.eye(4))
    for code, allowed in ((1, False), (4, True)):
        image.set_sform(np.eye(4), code)
        nib.save(image, tmp_path / "clean.nii.gz")
        if allowed:
            assert read_image(tmp_path / "clean.nii.gz", atlas, 2.0, Parcellation()).tr == 2
        else:
            with pytest.raises(ScanError, match="if it is, set `space` of the data set"):
                read_image(tmp_path / "clean.nii.gz", atlas, 2.0, Parcellation())
            run = read_image(tmp_path / "clean.nii.gz", atlas, 2.0, Parcellation(), "MNI152X")
            assert run.space == "MNI152X"


def test_nobody_stands_twice_under_two_names(tmp_path: Path) -> None:
    scans = pd.DataFrame({"participant_id": ["sub-a"]})
    people = pd.DataFrame({"participant_id": ["a", "sub-a"]})
    with pytest.raises(UserError, match="lists sub-a with and without sub-"):
        match_people(scans, people, tmp_path)


def test_codes_of_sites_may_be_numbers(tmp_path: Path) -> None:
    people = pd.DataFrame({"participant_id": ["a", "b"], "site": [1, 2]})
    for given in ({"site": {1: 2.0, 2: 3.0}}, {"site": {"1": 2.0, "2": 3.0}}):
        dataset = Dataset(source="timeseries", path="x", repetition_time=given)
        assert dataset.repetition_time is not None
        assert repetition_times(people, dataset.repetition_time, tmp_path).tolist() == [2.0, 3.0]


def test_r_writes_missing_values_its_own_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "p.csv").write_text("participant_id,dx\nsub-1 ,NA\nsub-2,ASD\n")
    with caplog.at_level("WARNING"):
        people = read_participants(tmp_path / "p.csv")
    assert "list it in `missing_values`" in caplog.text
    assert people["participant_id"].tolist() == ["sub-1", "sub-2"]


def test_the_table_of_people_may_be_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(',FILE_ID,SITE,TR,note\n0,A_1,x,2.0,"a, b"\n1,none,y,-9999,\n2,B_2,y,3,c\n')
    people = read_participants(path, "FILE_ID", ("-9999", "none"))
    assert people["participant_id"].tolist() == ["A_1", "B_2"]
    assert list(people.columns) == ["participant_id", "SITE", "TR", "note"]
    assert repetition_times(people, 1.5, path).tolist() == [1.5, 1.5]
    assert repetition_times(people, "TR", path).tolist() == [2.0, 3.0]
    by_site = repetition_times(people, {"SITE": {"x": 2.2}}, path)
    assert by_site["A_1"] == 2.2 and np.isnan(by_site["B_2"])

"""A data set may consist of several BIDS data sets, such as the sites and releases of HBN."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.config import IndexedDataset
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.data.index.raw.runs import find_raw_scans
from semantoks.errors import UserError
from tests.unit.data.index.conftest import touch

BOLD = "MRI/Site-{}/sub-{}/func/sub-{}_task-rest_run-1_bold.nii.gz"
T1W = "MRI/Site-{}/sub-{}/anat/sub-{}_acq-HCP_T1w.nii.gz"
HBN = IndexedDataset(folders=["MRI/Site-*"])


def add(root: Path, site: str, person: str, content: str = "") -> None:
    for name in (BOLD, T1W):
        path = root / name.format(site, person, person)
        touch(root, str(path.relative_to(root)))
        path.write_text(content)


@pytest.fixture
def hbn(tmp_path: Path) -> Path:
    add(tmp_path, "RU", "A")
    add(tmp_path, "SI", "B")
    return tmp_path


def index(root: Path, **changes: object) -> pd.DataFrame:
    by_fmriprep = bool(changes.pop("by_fmriprep", False))
    dataset = HBN.model_copy(update=changes)
    return find_raw_scans(root, dataset, by_fmriprep=by_fmriprep).set_index("participant_id")


def test_sidecars_and_ignored_files_are_those_of_the_folder(hbn: Path) -> None:
    """Neither another folder's sidecars apply, nor those above it."""
    (hbn / "MRI/Site-RU/task-rest_bold.json").write_text('{"RepetitionTime": 0.8}')
    (hbn / "task-rest_bold.json").write_text('{"RepetitionTime": 9}')
    (hbn / "MRI/Site-SI/.bidsignore").write_text("*_T1w.nii.gz")
    scans = index(hbn)
    assert list(scans["bold"]) == [BOLD.format("RU", "A", "A"), BOLD.format("SI", "B", "B")]
    assert list(scans["t1w"]) == [T1W.format("RU", "A", "A"), ""]
    assert scans.loc["sub-A", "repetition_time"] == 0.8
    assert pd.isna(scans.loc["sub-B", "repetition_time"])
    assert not scans["problem"].any()


def test_without_the_key_the_message_names_it(hbn: Path) -> None:
    expected = r'no BOLD image .* set `folders: \["MRI/Site-\*"\]` of the data set.'
    with pytest.raises(UserError, match=expected):
        index(hbn, folders=[])
    with pytest.raises(UserError, match=r"with task: music .*Correct `path`, `task` or `entities`"):
        index(hbn, task="music")
    with pytest.raises(UserError, match="no T1w image with acq: mb .one of 2 is sub-A/anat"):
        index(hbn, t1w_entities={"acq": "mb"})
    touch(hbn, "MRI/Site-RU/sub-A/anat/sub-A_acq-mb_T1w.nii.gz")
    assert list(index(hbn, t1w_entities={"acq": "mb"})["t1w"].astype(bool)) == [True, False]


def test_a_run_in_two_folders_counts_once_if_it_is_the_same(
    hbn: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(hbn, "SI", "A")
    scans = index(hbn)
    assert scans.loc["sub-A", "bold"] == BOLD.format("RU", "A", "A")
    assert not scans["problem"].any()
    assert "1 run(s) are in several folders, with the same images and sidecars" in caplog.text
    (hbn / "MRI/Site-RU/task-rest_bold.json").write_text('{"RepetitionTime": 0.8}')
    assert "several files of one scan (list the others" in index(hbn).loc["sub-A", "problem"]
    (hbn / "MRI/Site-RU/task-rest_bold.json").unlink()
    add(hbn, "SI", "A", "another image")
    scans = index(hbn)
    assert "several files of one scan (list the others" in scans.loc["sub-A", "problem"]
    assert scans.loc["sub-B", "problem"] == ""


def test_sessions_in_two_folders_need_one_t1w_image_or_names(hbn: Path) -> None:
    """The built-in engine writes derivatives of both; fMRIPrep preprocesses people as a whole."""
    second = "MRI/Site-SI/sub-A/ses-2/func/sub-A_ses-2_task-rest_bold.nii.gz"
    touch(hbn, second)
    assert not index(hbn)["problem"].any()
    problems = index(hbn, by_fmriprep=True)["problem"]
    assert problems["sub-A"].str.contains("fMRIPrep takes one from a single folder").all()
    assert problems["sub-B"] == ""
    touch(hbn, T1W.format("SI", "A", "A"))
    assert not index(hbn)["problem"].any()
    (hbn / T1W.format("SI", "A", "A")).write_text("another image")
    problems = index(hbn)["problem"]
    assert (
        problems["sub-A"]
        .str.contains(
            "sub-A is in several folders .MRI/Site-RU, MRI/Site-SI., and their T1w images differ"
        )
        .all()
    )


def test_derivatives_may_be_in_folders(tmp_path: Path) -> None:
    name = "sub-{}/func/sub-{}_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz"
    touch(tmp_path, *(f"{folder}/{name.format('A', 'A')}" for folder in ("R1", "old", "R2")))
    touch(tmp_path, f"R2/{name.format('B', 'B')}")
    dataset = IndexedDataset(source="fmriprep", folders=["R1", "old"])
    scans = find_derivative_scans(tmp_path, dataset)
    assert "several files of one scan" in scans["problem"][0] and len(scans) == 1
    scans = find_derivative_scans(tmp_path, dataset.model_copy(update={"folders": ["R2"]}))
    assert list(scans["participant_id"]) == ["sub-A", "sub-B"]


def test_tables_may_be_in_folders(tmp_path: Path) -> None:
    touch(tmp_path, "a/sub-01_timeseries.tsv", "b/sub-02_timeseries.tsv", "c/sub-03_timeseries.tsv")
    dataset = IndexedDataset(source="timeseries", folders=["a", "b"])
    assert list(find_derivative_scans(tmp_path, dataset)["scan"]) == ["sub-01", "sub-02"]


def test_a_template_one_level_down_is_seen(tmp_path: Path) -> None:
    touch(tmp_path, "NYU/01/rest.nii.gz")
    dataset = IndexedDataset(source="fmriprep", template="{participant}/rest.nii.gz")
    with pytest.raises(UserError, match=r"set `template: '\*/{participant}/rest.nii.gz'`"):
        find_derivative_scans(tmp_path, dataset)
    touch(tmp_path, "a/b/02/clean.nii.gz")
    dataset = IndexedDataset(source="fmriprep", template="{participant}/clean.nii.gz")
    with pytest.raises(UserError, match=r"set `template: '\*/\*/{participant}/clean.nii.gz'`"):
        find_derivative_scans(tmp_path, dataset)

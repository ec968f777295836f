"""A raw BIDS data set of empty files, and shortcuts to index it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Dataset
from tests.conftest import run_index

FILES = (
    "sub-01/anat/sub-01_T1w.nii.gz",
    "sub-01/func/sub-01_task-rest_run-01_bold.nii.gz",
    "sub-01/func/sub-01_task-rest_run-02_bold.nii.gz",
    "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz",
    "sub-02/ses-1/func/sub-02_ses-1_task-rest_bold.nii.gz",
    "sub-02/ses-2/func/sub-02_ses-2_task-rest_bold.nii.gz",
    "sub-03/func/sub-03_task-faces_bold.nii.gz",
)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch(exist_ok=True)


def write_bids(folder: Path, *files: str) -> Path:
    """Write empty images that do not exist yet, and the participants of these files."""
    for name in files:
        if not (folder / name).exists():
            touch(folder, name)
    (folder / "dataset_description.json").write_text('{"Name": "toy", "BIDSVersion": "1.10.0"}')
    participants = sorted({name.split("/")[0] for name in files})
    rows = ["participant_id\tage", *(f"{participant}\t30" for participant in participants)]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    return folder


def index_bids(bids: Path, out: Path, **settings: Any) -> None:
    settings.setdefault("repetition_time", 2.0)
    run_index(bids, bids / "participants.tsv", Dataset(path=str(bids), **settings), out)


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    return write_bids(tmp_path / "bids", *FILES)

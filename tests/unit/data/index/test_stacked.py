"""Templates find stacks of volumes, preprocessed and raw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from semantoks.config import Dataset, IndexedDataset
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.data.index.raw.other_layouts import find_by_templates
from semantoks.data.index.settings import IndexSettings
from semantoks.data.index.stage import index
from semantoks.errors import UserError
from tests.conftest import run_index
from tests.unit.data.index.conftest import touch
from tests.unit.data.index.raw.test_headers import save
from tests.unit.data.parcellate.conftest import AFFINE
from tests.unit.data.test_stacks import write_stack

SRPBS = IndexedDataset(
    source="bids",
    template="data/{participant}/rsfmri/vol_*",
    t1w_template="data/{participant}/t1/defaced_mprage.nii",
)
VOLUMES = np.ones((4, 4, 4, 12), np.int16)


def add(root: Path, person: str, site: str = "data") -> list[Path]:
    paths = write_stack(root / site / person / "rsfmri", VOLUMES)
    t1w = root / site / person / "t1/defaced_mprage.nii"
    t1w.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(VOLUMES[..., 0], AFFINE), t1w)
    return paths


def test_stacks_of_preprocessed_images(tmp_path: Path) -> None:
    paths = add(tmp_path, "01")
    dataset = IndexedDataset(source="fmriprep", template="data/{participant}/rsfmri/vol_*")
    (scan,) = find_derivative_scans(tmp_path, dataset).itertuples()
    assert (scan.scan, scan.file, scan.problem) == ("01", "data/01/rsfmri/vol_*", "")
    paths[5].write_bytes(b"changed")
    (changed,) = find_derivative_scans(tmp_path, dataset).itertuples()
    assert changed.version != scan.version
    paths[5].unlink()
    (gap,) = find_derivative_scans(tmp_path, dataset).itertuples()
    assert "volumes vol_0001 to vol_0012 lack number 6" in gap.problem


def test_several_files_that_are_no_volumes_are_an_error(tmp_path: Path) -> None:
    for name in ("rest_1.nii", "rest_2.nii"):
        (tmp_path / "01").mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(VOLUMES, AFFINE), tmp_path / "01" / name)
    dataset = IndexedDataset(source="fmriprep", template="{participant}/rest_*.nii")
    (scan,) = find_derivative_scans(tmp_path, dataset).itertuples()
    assert "several files of one scan (say which with `template`)" in scan.problem
    touch(tmp_path, "01/a_1.tsv", "01/a_2.tsv")
    dataset = IndexedDataset(source="timeseries", template="{participant}/a_*.tsv")
    (scan,) = find_derivative_scans(tmp_path, dataset).itertuples()
    assert "several files of one scan" in scan.problem


def test_raw_images_in_another_layout_than_bids(tmp_path: Path) -> None:
    add(tmp_path, "sub-0001")
    paths = add(tmp_path, "sub-0002")
    paths[3].unlink()
    scans = find_by_templates(tmp_path, SRPBS).set_index("scan")
    assert list(scans.index) == ["sub-0001_task-rest", "sub-0002_task-rest"]
    first = scans.loc["sub-0001_task-rest"]
    assert first["bold"] == "data/sub-0001/rsfmri/vol_*"
    assert first["t1w"] == "data/sub-0001/t1/defaced_mprage.nii"
    assert (first["participant_id"], first["problem"]) == ("sub-0001", "")
    assert "lack number 4" in scans.loc["sub-0002_task-rest", "problem"]


def test_labels_get_the_prefixes_of_bids(tmp_path: Path) -> None:
    for session in ("1", "2"):
        add(tmp_path, f"A7/{session}", "raw")
        add(tmp_path, f"B_7/{session}", "raw")
    dataset = IndexedDataset(
        template="raw/{participant}/{session}/rsfmri/vol_*",
        t1w_template="raw/{participant}/{session}/t1/*.nii",
        task="faces",
    )
    scans = find_by_templates(tmp_path, dataset).set_index("scan")
    assert list(scans.index)[:2] == ["sub-A7_ses-1_task-faces", "sub-A7_ses-2_task-faces"]
    assert scans["t1w"].iloc[1] == "raw/A7/2/t1/defaced_mprage.nii"
    assert scans["problem"].iloc[2].startswith("'sub-B_7' cannot be part of a BIDS name")
    touch(tmp_path, "raw/A7/2/t1/other.nii")
    scans = find_by_templates(tmp_path, dataset).set_index("scan")
    assert "say which T1w image with `t1w_template`" in scans["problem"].iloc[1]
    with pytest.raises(UserError, match="has no BOLD image named x/{participant}"):
        find_by_templates(tmp_path, dataset.model_copy(update={"template": "x/{participant}"}))


def test_the_tr_is_that_of_the_protocol(tmp_path: Path) -> None:
    for person in ("sub-0001", "sub-0002"):
        add(tmp_path, person)
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tprotocol\nsub-0001\t1\nsub-0002\t2\n"
    )
    settings = {"path": str(tmp_path), "template": SRPBS.template}
    dataset = Dataset.model_validate(
        settings
        | {"t1w_template": SRPBS.t1w_template, "repetition_time": {"protocol": {1: 2.5, 2: 2}}}
    )
    run_index(tmp_path, tmp_path / "participants.tsv", dataset, tmp_path / "out")
    scans = pd.read_parquet(tmp_path / "out/scans.parquet")
    assert list(scans["repetition_time"]) == [2.5, 2.0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"template": "{participant}/vol_*"}, "needs 't1w_template' beside it"),
        ({"t1w_template": "{participant}/t1.nii"}, "needs 't1w_template' beside it"),
        (
            {"template": "{participant}/v", "t1w_template": "t1.nii"},
            "t1w_template 't1.nii' must have {participant}",
        ),
        (
            {"source": "fmriprep", "template": "{participant}", "t1w_template": "{participant}"},
            "'t1w_template' goes with 'template' and `source: bids`",
        ),
    ],
)
def test_raw_templates_go_together(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Dataset.model_validate({"path": "x", **changes})


@pytest.mark.parametrize("by_fmriprep", [True, False])
def test_runs_of_one_file_may_state_their_tr(tmp_path: Path, by_fmriprep: bool) -> None:
    """Such as the raw images of ABIDE I; sidecars are written for fMRIPrep."""
    settings: dict[str, Any] = {
        "template": "{participant}/session_{session}/rest_{run}/rest.nii.gz",
        "t1w_template": "{participant}/session_{session}/anat_1/mprage.nii.gz",
    }
    for person, unit in (("51456", "sec"), ("51457", "unknown")):
        save(tmp_path / person / "session_1/rest_1/rest.nii.gz", 2.2, unit, np.eye(4))
        save(tmp_path / person / "session_1/anat_1/mprage.nii.gz", 0, "sec", np.eye(4))
    (tmp_path / "p.csv").write_text("participant_id\n51456\n51457\n")
    dataset = IndexedDataset.model_validate(settings)
    stage = IndexSettings(dataset=dataset, by_fmriprep=by_fmriprep)
    out = tmp_path / "out/scans.parquet"
    index(stage, data=tmp_path, participants=[tmp_path / "p.csv"], out=out)
    scans = pd.read_parquet(out).set_index("scan")
    first = scans.loc["sub-51456_ses-1_task-rest_run-1"]
    assert first["repetition_time"] == pytest.approx(2.2) and first["session"] == "ses-1"
    assert np.isnan(scans["repetition_time"].iloc[1])
    save(tmp_path / "51456/session_1/rest_1/rest.nii.gz", 2.2, "unknown", np.eye(4))
    with pytest.raises(UserError, match="states the repetition time"):
        index(stage, data=tmp_path, participants=[tmp_path / "p.csv"], out=out)

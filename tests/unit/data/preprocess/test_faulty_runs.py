"""Raw runs with faults are excluded with a reason before anything is registered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from semantoks.config import Dataset, Preprocessing
from semantoks.data.index.shards import read_shard
from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.gate import Gate
from tests.conftest import run_index

AFFINE = np.diag([4.0, 4, 4, 1])


def write_raw(root: Path, participant: str, session: str = "", **sidecar: Any) -> Path:
    """Write a raw run; return its image."""
    entity = f"_{session}" if session else ""
    func = root / f"sub-{participant}" / session / "func"
    func.mkdir(parents=True, exist_ok=True)
    bold = func / f"sub-{participant}{entity}_task-rest_bold.nii.gz"
    data = np.random.default_rng(0).normal(100, 5, (6, 6, 6, 20)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, AFFINE), bold)
    if sidecar:
        bold.with_name(bold.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return bold


def test_faulty_raw_runs_fail_with_a_reason(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    write_raw(root, "01", RepetitionTime=0)
    write_raw(root, "02", RepetitionTime=2200)
    write_raw(root, "03")  # no sidecar at all
    cut = write_raw(root, "04", RepetitionTime=2)
    cut.write_bytes(cut.read_bytes()[:3000])
    annexed = write_raw(root, "05", RepetitionTime=2)
    annexed.unlink()
    annexed.symlink_to("../../.git/annex/nothing")
    twice = write_raw(root, "06", RepetitionTime=2)
    nib.save(nib.load(twice), twice.with_suffix(""))
    flat = write_raw(root, "07", RepetitionTime=2)
    nib.save(nib.Nifti1Image(np.ones((6, 6, 6)), AFFINE), flat)
    holes = write_raw(root, "08", RepetitionTime=2)
    data = np.asarray(nib.load(holes).dataobj).copy()
    data[..., 3] = np.nan
    nib.save(nib.Nifti1Image(data, AFFINE), holes)
    write_raw(root, "09", "ses-1", RepetitionTime=2)
    write_raw(root, "09", RepetitionTime=2)  # without the `ses` entity, although other runs have it
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    rows = "".join(f"sub-{n:02d}\t30\n" for n in range(1, 10))
    (root / "participants.tsv").write_text(f"participant_id\tage\n{rows}")
    run_index(root, root / "participants.tsv", Dataset(path=str(root)), tmp_path / "index")
    scans = read_shard(tmp_path / "index/shard-0000.tsv")
    done = preprocess_shard(scans, Gate(root), tmp_path / "out", Preprocessing(), threads=1)
    expected = {
        "sub-01": "RepetitionTime is 0 in the sidecars",
        "sub-02": "(is it in milliseconds?)",
        "sub-03": "no RepetitionTime in",
        "sub-04": "may be truncated",
        "sub-05": "link to a file that is not here",
        "sub-06": "several files of one scan",
        "sub-07": "a run needs four dimensions",
        "sub-08": "1 of 20 volumes of sub-08_task-rest_bold.nii.gz are NaN throughout",
        "sub-09": "no T1w image of this person|no brain found",
    }
    assert done["scan"].tolist()[-2:] == ["sub-09_ses-1_task-rest", "sub-09_task-rest"]
    assert (done["status"] == "failed").all()
    for participant, reason in zip(done["participant_id"], done["reason"], strict=True):
        assert any(part in reason for part in expected[participant].split("|")), (
            f"{participant}: {reason}"
        )

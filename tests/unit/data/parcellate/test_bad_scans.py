"""Whatever is wrong with a scan is its reason, and the rest of the cohort finishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import read_shard
from semantoks.artifacts.timeseries import read_scan_table
from semantoks.config import Dataset, Origin, Parcellation, Preprocessing
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.stage import parcellate_shard
from semantoks.data.preprocess.stage import preprocess_shard
from semantoks.errors import UserError
from tests.conftest import run_index

AFFINE = np.diag([4.0, 4, 4, 1])
SHAPE = (10, 10, 10)
VOLUMES = 80
SPACE = "space-MNI152NLin6Asym_res-2"


class Run:
    """A good run in fMRIPrep's layout, to be spoilt."""

    def __init__(self, root: Path, person: str) -> None:
        self.func = root / f"sub-{person}" / "func"
        self.func.mkdir(parents=True)
        self.stem = f"sub-{person}_task-rest"
        self.bold = self.func / f"{self.stem}_{SPACE}_desc-preproc_bold.nii.gz"
        self.mask = self.func / f"{self.stem}_{SPACE}_desc-brain_mask.nii.gz"
        self.sidecar = self.func / f"{self.stem}_{SPACE}_desc-preproc_bold.json"
        self.table = self.func / f"{self.stem}_desc-confounds_timeseries.tsv"
        rng = np.random.default_rng(int(person))
        self.data = rng.normal(1000, 10, (*SHAPE, VOLUMES)).astype(np.float32)
        names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
        columns = [*names, "csf", "white_matter", "framewise_displacement"]
        self.confounds = pd.DataFrame(rng.uniform(0, 0.2, (VOLUMES, len(columns))), columns=columns)
        self.write(self.data)
        nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), self.mask)
        self.say(RepetitionTime=2.0)
        self.table.with_suffix(".json").write_text("{}")
        self.tabulate(self.confounds)

    def write(self, data: np.ndarray, affine: np.ndarray | None = AFFINE) -> None:
        image = nib.Nifti1Image(data, affine)
        if affine is None:
            image.header["sform_code"] = image.header["qform_code"] = 0
        nib.save(image, self.bold)

    def say(self, **content: Any) -> None:
        self.sidecar.write_text(json.dumps(content))

    def tabulate(self, confounds: pd.DataFrame) -> None:
        confounds.to_csv(self.table, sep="\t", index=False, na_rep="n/a")

    def cut(self) -> None:
        self.bold.write_bytes(self.bold.read_bytes()[:-20000])

    def holes(self) -> None:
        data = self.data.copy()
        data[..., 7] = np.nan
        self.write(data)

    def annexed(self) -> None:
        self.bold.unlink()
        self.bold.symlink_to("../.git/annex/objects/nothing")

    def elsewhere(self) -> None:
        for path in list(self.func.glob("*_space-*")):
            path.rename(path.with_name(path.name.replace("NLin6Asym", "NLin2009cAsym")))

    def twice(self) -> None:
        nib.save(nib.load(self.bold), self.bold.with_suffix(""))


# Each with what the reason must say; "" for what is odd but fine.
FAULTS: dict[str, tuple[Callable[[Run], Any], str]] = {
    "truncated": (Run.cut, "damaged or cut short"),
    "fewer rows of confounds": (
        lambda r: r.tabulate(r.confounds[:70]),
        "the image has 80 volumes, its confounds table 70 rows",
    ),
    "NaN volumes": (Run.holes, "1 of 80 volumes have values that are not numbers"),
    "3-D": (lambda r: r.write(r.data[..., 0]), "4-D is needed"),
    "TR 0": (lambda r: r.say(RepetitionTime=0), "RepetitionTime is 0 in the sidecar"),
    "TR in ms": (lambda r: r.say(RepetitionTime=2000), "is it in milliseconds?"),
    "TR in words": (lambda r: r.say(RepetitionTime="two"), "a number is needed"),
    "no TR": (lambda r: r.say(TaskName="rest"), "has no RepetitionTime"),
    "no sidecar": (lambda r: r.sidecar.unlink(), "there is no sub-09_task-rest_space"),
    "broken sidecar": (lambda r: r.sidecar.write_text("{"), "not readable JSON"),
    "no mask": (lambda r: r.mask.unlink(), "brain_mask.nii.gz is missing"),
    "no confounds": (lambda r: r.table.unlink(), "no confounds table beside"),
    "no motion columns": (
        lambda r: r.tabulate(r.confounds[["csf", "white_matter"]]),
        "confounds 'simple' cannot be loaded",
    ),
    "annexed": (Run.annexed, "is a link to a file that is not here"),
    "another space": (Run.elsewhere, "images are in MNI152NLin2009cAsym, the atlas toy"),
    "too short": (
        lambda r: (r.write(r.data[..., :40]), r.tabulate(r.confounds[:40])),
        "80 s of data, at least 120 needed",
    ),
    "motion": (
        lambda r: r.tabulate(r.confounds.assign(framewise_displacement=2.0)),
        "mean framewise displacement 2.00 mm",
    ),
    "nothing changes": (
        lambda r: r.write(np.full((*SHAPE, VOLUMES), 7, np.int16)),
        "no region changes over time",
    ),
    "no orientation": (lambda r: r.write(r.data, None), "has no orientation"),
    "far away": (
        lambda r: r.write(
            r.data, np.array([[4, 0, 0, 400], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1.0]])
        ),
        "only 0% of the atlas lies where the run has a brain",
    ),
    "compressed and not": (Run.twice, "several files of one scan"),
    "infinite confounds": (
        lambda r: r.tabulate(r.confounds.assign(csf=np.inf)),
        "cannot be loaded (Input X contains infinity",
    ),
    "good": (lambda _: None, ""),
}


@pytest.fixture
def atlas() -> Atlas:
    labels = np.zeros(SHAPE, np.int16)
    labels[1:4, 1:9, 1:9], labels[6:9, 1:9, 1:9] = 1, 2
    regions = pd.DataFrame({"index": [1, 2], "name": ["a", "b"], "network": ["A", "B"]})
    return Atlas("toy", nib.Nifti1Image(labels, AFFINE), regions, "MNI152NLin6Asym", "0" * 64)


def test_each_fault_is_a_reason_and_the_rest_finishes(tmp_path: Path, atlas: Atlas) -> None:
    root = tmp_path / "Données de l'étude (v2)"  # what folders are called
    for number, (spoil, _) in enumerate(FAULTS.values(), 1):
        spoil(Run(root, f"{number:02d}"))
    people = "".join(f"sub-{n:02d}\t30\n" for n in range(1, len(FAULTS) + 1))
    (root / "participants.tsv").write_text(f"participant_id\tage\n{people}")
    dataset = Dataset(source="fmriprep", path=str(root))
    run_index(root, root / "participants.tsv", dataset, tmp_path / "index")
    scans = read_shard(tmp_path / "index/shard-0000.tsv")
    settings = Parcellation(min_dof=1, motion="basic")
    parcellate_shard(
        scans, root, atlas, settings, Origin(source="fmriprep"), tmp_path / "t.parquet"
    )
    reasons = read_scan_table([tmp_path / "t.parquet"])["reason"].tolist()
    assert len(reasons) == len(FAULTS) >= 20
    for (name, (_, expected)), reason in zip(FAULTS.items(), reasons, strict=True):
        assert (expected in reason) if expected else reason == "", f"{name}: {reason}"
        assert "\n" not in reason and len(reason) < 300, name


def raw(root: Path, person: str, session: str = "", **sidecar: Any) -> Path:
    """Write a raw run; return its image."""
    entity = f"_{session}" if session else ""
    func = root / f"sub-{person}" / session / "func"
    func.mkdir(parents=True, exist_ok=True)
    bold = func / f"sub-{person}{entity}_task-rest_bold.nii.gz"
    data = np.random.default_rng(0).normal(100, 5, (6, 6, 6, 20)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, AFFINE), bold)
    if sidecar:
        bold.with_name(bold.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return bold


def test_raw_runs_are_judged_before_anything_is_registered(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    raw(root, "01", RepetitionTime=0)
    raw(root, "02", RepetitionTime=2200)
    raw(root, "03")  # no sidecar at all
    cut = raw(root, "04", RepetitionTime=2)
    cut.write_bytes(cut.read_bytes()[:3000])
    annexed = raw(root, "05", RepetitionTime=2)
    annexed.unlink()
    annexed.symlink_to("../../.git/annex/nothing")
    twice = raw(root, "06", RepetitionTime=2)
    nib.save(nib.load(twice), twice.with_suffix(""))
    flat = raw(root, "07", RepetitionTime=2)
    nib.save(nib.Nifti1Image(np.ones((6, 6, 6)), AFFINE), flat)
    holes = raw(root, "08", RepetitionTime=2)
    data = np.asarray(nib.load(holes).dataobj).copy()
    data[..., 3] = np.nan
    nib.save(nib.Nifti1Image(data, AFFINE), holes)
    raw(root, "09", "ses-1", RepetitionTime=2)
    raw(root, "09", RepetitionTime=2)  # no session next to sessions
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    rows = "".join(f"sub-{n:02d}\t30\n" for n in range(1, 10))
    (root / "participants.tsv").write_text(f"participant_id\tage\n{rows}")
    run_index(root, root / "participants.tsv", Dataset(path=str(root)), tmp_path / "index")
    scans = read_shard(tmp_path / "index/shard-0000.tsv")
    done = preprocess_shard(scans, root, tmp_path / "out", Preprocessing(), threads=1)
    expected = {
        "sub-01": "RepetitionTime is 0 in the sidecars",
        "sub-02": "is it in milliseconds?",
        "sub-03": "has no RepetitionTime",
        "sub-04": "may be truncated",
        "sub-05": "link to a file that is not here",
        "sub-06": "several files of one scan",
        "sub-07": "a run needs four dimensions",
        "sub-08": "1 of 20 volumes of sub-08_task-rest_bold.nii.gz are NaN throughout",
        "sub-09": "no T1w image for this participant|no brain found",
    }
    assert done["scan"].tolist()[-2:] == ["sub-09_ses-1_task-rest", "sub-09_task-rest"]
    assert (done["status"] == "failed").all()
    for person, reason in zip(done["participant_id"], done["reason"], strict=True):
        assert any(part in reason for part in expected[person].split("|")), f"{person}: {reason}"


@pytest.mark.parametrize(
    ("table", "settings", "sentence"),
    [
        ("", {}, "has no rows under a column participant_id"),
        ("participant_id\tage\n", {}, "has no rows under a column participant_id"),
        ("id\tage\nsub-01\t3\n", {}, r"columns: id, age.*`participant_column` names"),
        ("participant_id\tage\nsub-01\t3\nsub-01\t4\n", {}, "lists sub-01 more than once"),
        ("participant_id\tage\nS7\t3\n", {}, "Nobody with a scan is in"),
        (
            "participant_id\tage\n01\t3\n",
            {"repetition_time": "tr"},
            "the column 'tr', which is not",
        ),
        ("participant_id\tage\n01\t3\n", {"task": "faces"}, "no files of task 'faces'"),
        ("participant_id\tage\n01\t3\n", {"template": "{participant}.nii"}, "no files named"),
    ],
)
def test_what_stops_a_data_set_is_one_sentence(
    tmp_path: Path, table: str, settings: dict[str, Any], sentence: str
) -> None:
    Run(tmp_path / "data", "01")
    people = tmp_path / "data/participants.tsv"
    people.write_text(table)
    dataset = Dataset(source="fmriprep", path=str(people.parent), **settings)
    with pytest.raises(UserError, match=sentence):
        run_index(people.parent, people, dataset, tmp_path / "index")

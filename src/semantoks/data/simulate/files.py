"""The files of the simulated data set and of the truth; each appears complete or not at all."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.artifacts.files import atomic, write_json
from semantoks.config import Simulation
from semantoks.data.simulate.activity import Regions
from semantoks.data.simulate.motion import COLUMNS, framewise_displacement
from semantoks.data.simulate.people import Person
from semantoks.data.simulate.protocol import Protocol
from semantoks.errors import UserError

TASK = "rest"
GENERATOR = "semantoks simulate"
README = """Made-up resting-state fMRI, written by Semantoks to test itself.

No person was scanned. `group` and `trait` in participants.tsv shape the brain activity,
`null` shapes nothing.
"""
PARTICIPANTS = {
    "age": {"Description": "Age", "Units": "year"},
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
    "group": {
        "Description": "Planted in the coherence of one network and its coupling to another",
        "Levels": {"control": "low coherence", "patient": "high coherence"},
    },
    "trait": {"Description": "Planted in the spectrum of one network (mean 50, SD 10)"},
    "null": {
        "Description": "A coin, planted nowhere",
        "Levels": {"heads": "one side", "tails": "the other side"},
    },
}
MOTION = {
    "Description": "Rigid motion of the head: x is moved to Rx·Ry·Rz·(x − c) + c + t in scanner "
    "mm (RAS), relative to the first volume; c is the middle of the BOLD grid",
    **{c: {"Units": "mm" if c.startswith("trans") else "rad"} for c in COLUMNS},
}


def start(bids: Path, truth: Path, settings: Simulation, regions: Regions, images: bool) -> None:
    """Clear what an earlier simulation left, and describe the new one.

    Raises
    ------
    UserError
        When there are files that no simulation wrote: they may be somebody's data.
    """
    description = bids / "dataset_description.json"
    if bids.is_dir() and any(bids.iterdir()):
        if not description.is_file() or GENERATOR not in description.read_text():
            raise UserError(
                f"A simulated data set was to be written to {bids}, but that folder holds other "
                "files. Name another folder under `path`, or remove `simulate`, in config.yaml."
            )
        for old in bids.glob("sub-*"):
            shutil.rmtree(old)
    shutil.rmtree(truth, ignore_errors=True)
    what, kind = ("images", "raw") if images else ("regional time series", "derivative")
    generated = [{"Name": GENERATOR, "Description": f"Simulated {what}"}]
    about = {"Name": "Simulated resting state", "BIDSVersion": "1.9.0", "DatasetType": kind}
    write_json(
        description,
        {**about, "License": "CC0", "Authors": ["Nobody", "No one"], "GeneratedBy": generated},
    )
    (bids / "README").write_text(README)
    write_json(truth / "settings.json", settings.model_dump())
    write_json(truth / "motion.json", MOTION)
    table = pd.DataFrame(regions.centres, columns=["x", "y", "z"])
    _table(truth / "regions.tsv", table.assign(radius=regions.radii, network=regions.networks))


def finish(bids: Path, truth: Path, people: list[Person]) -> None:
    """Write the tables of people; participants.tsv last, as the sign that all is there."""
    rows = [{"participant_id": p.label, **{c: getattr(p, c) for c in PARTICIPANTS}} for p in people]
    planted = [
        {
            "fault": p.fault,
            "sessions": ",".join(filter(None, p.sessions)),
            "coupling": p.coupling,
            **{f"coherence_{n}": x for n, x in p.coherence.items()},
            **{f"centre_hz_{n}": x for n, x in p.centre_hz.items()},
        }
        for p in people
    ]
    _table(truth / "participants.tsv", pd.DataFrame(rows).join(pd.DataFrame(planted)))
    write_json(bids / "participants.json", PARTICIPANTS)
    _table(bids / "participants.tsv", pd.DataFrame(rows))


@dataclass(frozen=True)
class Place:
    """Where one session of one person is written."""

    bids: Path
    truth: Path
    participant: str
    session: str  # "ses-1", or "" for none

    @property
    def _stem(self) -> str:
        return "_".join(filter(None, [self.participant, self.session]))

    @property
    def scan(self) -> str:
        """Name of the run: its file name without the suffix."""
        return f"{self._stem}_task-{TASK}"

    def _folder(self, kind: str) -> Path:
        return self.bids / self.participant / self.session / kind

    def write_t1w(self, image: np.ndarray, affine: np.ndarray) -> None:
        """Write the anatomy and its sidecar."""
        path = self._folder("anat") / f"{self._stem}_T1w.nii.gz"
        nifti = nib.Nifti1Image(image, affine)
        nifti.header.set_xyzt_units("mm", "sec")
        _image(path, nifti)
        write_json(_sidecar(path), {"Modality": "MR", "MagneticFieldStrength": 3})

    def write_bold(
        self, image: np.ndarray, protocol: Protocol, settings: Simulation, truncated: bool
    ) -> None:
        """Write the run and its sidecar; a truncated file ends in the middle."""
        nifti = nib.Nifti1Image(image, protocol.grid.affine)
        nifti.header.set_zooms((*nifti.header.get_zooms()[:3], settings.repetition_time))
        nifti.header.set_xyzt_units("mm", "sec")
        path = self._folder("func") / f"{self.scan}_bold.nii.gz"
        _image(path, nifti, keep=0.5 if truncated else 1.0)
        sidecar = {
            "TaskName": TASK,
            "RepetitionTime": settings.repetition_time,
            "EchoTime": 0.03,
            "FlipAngle": 80,
            "MagneticFieldStrength": 3,
            "SliceEncodingDirection": "k",
            "SliceTiming": [round(float(t), 4) for t in protocol.slice_times],
        }
        write_json(_sidecar(path), sidecar)

    def write_timeseries(self, series_TC: np.ndarray, settings: Simulation) -> None:
        """Write the time series of the regions (volumes, regions), and their sidecar."""
        path = self._folder("func") / f"{self.scan}_timeseries.npy"
        _array(path, series_TC)
        write_json(path.with_suffix(".json"), {"RepetitionTime": settings.repetition_time})

    def write_truth(self, motion: np.ndarray, activity: np.ndarray) -> None:
        """Write motion (volumes, 6) and activity (regions, volumes) at mid-volume."""
        table = pd.DataFrame(motion, columns=COLUMNS)
        table["framewise_displacement"] = np.r_[np.nan, framewise_displacement(motion)]
        _table(self.truth / f"{self.scan}_motion.tsv", table)
        _array(self.truth / f"{self.scan}_activity.npy", activity)


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.replace(".nii.gz", ".json"))


def _table(path: Path, table: pd.DataFrame) -> None:
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")


def _array(path: Path, values: np.ndarray) -> None:
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, values.astype(np.float32))


def _image(path: Path, image: nib.Nifti1Image, keep: float = 1.0) -> None:
    # No time in the gzip header: the same images give the same bytes.
    content = gzip.compress(image.to_bytes(), 1, mtime=0)
    with atomic(path) as temporary:
        temporary.write_bytes(content[: int(len(content) * keep)])

"""Files of a simulated data set and of its ground truth, each written atomically."""

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
from semantoks.data.simulate.participants import Participant
from semantoks.data.simulate.scanner.motion import COLUMNS, framewise_displacement
from semantoks.data.simulate.scanner.protocol import Protocol
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


def prepare(bids: Path, truth: Path, settings: Simulation, regions: Regions, images: bool) -> None:
    """Remove an earlier simulation, and write the descriptions of the new one.

    Raises
    ------
    UserError
        When the folder contains files that were not simulated.
    """
    _remove_earlier_simulation(bids)
    shutil.rmtree(truth, ignore_errors=True)
    write_json(bids / "dataset_description.json", _description(images))
    (bids / "README").write_text(README)
    write_json(truth / "settings.json", settings.model_dump())
    write_json(truth / "motion.json", MOTION)
    table = pd.DataFrame(regions.centres, columns=["x", "y", "z"])
    _write_table(
        truth / "regions.tsv", table.assign(radius=regions.radii, network=regions.networks)
    )


def _remove_earlier_simulation(bids: Path) -> None:
    if not bids.is_dir() or not any(bids.iterdir()):
        return
    # Deletes only what this generator wrote, never a data set of the user.
    description = bids / "dataset_description.json"
    if not description.is_file() or GENERATOR not in description.read_text():
        raise UserError(
            f"The simulated data set cannot be written to {bids}, because that folder holds other "
            "files. Choose another folder under `path`, or remove `simulate`, in config.yaml."
        )
    for folder in bids.glob("sub-*"):
        shutil.rmtree(folder)


def _description(images: bool) -> dict[str, object]:
    """Return the content of dataset_description.json."""
    content, dataset_type = ("images", "raw") if images else ("regional time series", "derivative")
    return {
        "Name": "Simulated resting state",
        "BIDSVersion": "1.9.0",
        "DatasetType": dataset_type,
        "License": "CC0",
        "Authors": ["Nobody", "No one"],
        "GeneratedBy": [{"Name": GENERATOR, "Description": f"Simulated {content}"}],
    }


def write_participants(bids: Path, truth: Path, participants: list[Participant]) -> None:
    """Write the tables of participants; `participants.tsv` comes last and marks completion."""
    phenotypes = pd.DataFrame(
        [
            {"participant_id": p.label, **{column: getattr(p, column) for column in PARTICIPANTS}}
            for p in participants
        ]
    )
    effects = pd.DataFrame([_effects(p) for p in participants])
    _write_table(truth / "participants.tsv", phenotypes.join(effects))
    write_json(bids / "participants.json", PARTICIPANTS)
    _write_table(bids / "participants.tsv", phenotypes)


def _effects(participant: Participant) -> dict[str, str | float]:
    """Return the ground truth of a participant, by column."""
    return {
        "fault": participant.fault,
        "sessions": ",".join(filter(None, participant.sessions)),
        "coupling": participant.coupling,
        **{f"coherence_{n}": x for n, x in participant.coherence.items()},
        **{f"centre_hz_{n}": x for n, x in participant.centre_hz.items()},
    }


@dataclass(frozen=True)
class SessionFiles:
    """Writer of the files of one session.

    Attributes
    ----------
    bids, truth : Path
        Folders of the data set and of the ground truth.
    participant : str
        Such as ``sub-001``.
    session : str
        Such as ``ses-1``, or empty without sessions.
    """

    bids: Path
    truth: Path
    participant: str
    session: str

    @property
    def _stem(self) -> str:
        return "_".join(filter(None, [self.participant, self.session]))

    @property
    def scan(self) -> str:
        """File name of the run without its suffix."""
        return f"{self._stem}_task-{TASK}"

    def _folder(self, datatype: str) -> Path:
        return self.bids / self.participant / self.session / datatype

    def write_t1w(self, image: np.ndarray, affine: np.ndarray) -> None:
        """Write a T1w image (x, y, z) and its sidecar."""
        path = self._folder("anat") / f"{self._stem}_T1w.nii.gz"
        nifti = nib.Nifti1Image(image, affine)
        nifti.header.set_xyzt_units("mm", "sec")
        _write_image(path, nifti)
        write_json(_sidecar(path), {"Modality": "MR", "MagneticFieldStrength": 3})

    def write_bold(
        self, image: np.ndarray, protocol: Protocol, settings: Simulation, truncated: bool
    ) -> None:
        """Write a BOLD run (x, y, z, volumes) and its sidecar; optionally half of its bytes."""
        nifti = nib.Nifti1Image(image, protocol.grid.affine)
        # An affine has no time: without this the header would state a TR of 1 s.
        nifti.header.set_zooms((*nifti.header.get_zooms()[:3], settings.repetition_time))
        nifti.header.set_xyzt_units("mm", "sec")
        path = self._folder("func") / f"{self.scan}_bold.nii.gz"
        _write_image(path, nifti, fraction=0.5 if truncated else 1.0)
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
        """Write regional time series (volumes, regions) and their sidecar."""
        path = self._folder("func") / f"{self.scan}_timeseries.npy"
        _write_array(path, series_TC)
        write_json(path.with_suffix(".json"), {"RepetitionTime": settings.repetition_time})

    def write_truth(self, motion: np.ndarray, activity: np.ndarray) -> None:
        """Write motion (volumes, 6), and activity (regions, volumes) at mid-volume."""
        table = pd.DataFrame(motion, columns=COLUMNS)
        table["framewise_displacement"] = np.r_[np.nan, framewise_displacement(motion)]
        _write_table(self.truth / f"{self.scan}_motion.tsv", table)
        _write_array(self.truth / f"{self.scan}_activity.npy", activity)


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.replace(".nii.gz", ".json"))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")


def _write_array(path: Path, values: np.ndarray) -> None:
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, values.astype(np.float32))


def _write_image(path: Path, image: nib.Nifti1Image, fraction: float = 1.0) -> None:
    """Write the first `fraction` of the bytes of a compressed image."""
    # Without a time in the gzip header, equal images give equal bytes.
    content = gzip.compress(image.to_bytes(), 1, mtime=0)
    with atomic(path) as temporary:
        temporary.write_bytes(content[: int(len(content) * fraction)])

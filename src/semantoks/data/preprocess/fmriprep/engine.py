"""The engine `fmriprep`: a shard in calls of a few people, each verified, none done twice.

Beside the shard's folder, in which Snakemake keeps nothing of a run that was killed, lies one
of the same name and ``_work``::

    done/sub-01/      what a person has, complete, and `rows.json`, written last
    calls/<name>/out  what the call at work writes
    calls/<name>/work fMRIPrep's own memory; with it, it goes on where it was
    logs/             one file per call

At the end everything is moved into the shard's folder. Only calls that failed leave theirs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from semantoks.artifacts.files import read_json, write_json
from semantoks.config import Fmriprep
from semantoks.data.preprocess.fmriprep.command import Call, check, command
from semantoks.data.preprocess.fmriprep.guarded import run_guarded
from semantoks.data.preprocess.fmriprep.outputs import (
    freesurfer_of,
    measure,
    merge,
    move_person,
    root_of,
)
from semantoks.errors import ScanError

log = logging.getLogger(__name__)

Row = dict[str, Any]
# What says how fMRIPrep is run, and not what it makes.
RUNNING = {"license", "participants_per_call"}
NO_T1W = "no T1w image of this person, and fMRIPrep needs one"


def preprocess_with_fmriprep(
    scans: pd.DataFrame,
    bids: Path,
    out: Path,
    folder: Path,
    settings: Fmriprep,
    threads: int,
    memory: int,
) -> list[Row]:
    """Preprocess the scans of a shard with fMRIPrep.

    Parameters
    ----------
    scans
        Rows of the index.
    bids, out
        Raw data set, and the empty folder of the shard.
    folder
        Where calls work and what is done is kept until all are.
    settings
        How.
    threads, memory
        For each call, one after another; memory in MB, 0 when it is not known.

    Returns
    -------
    list of dict
        One row of the status table for each scan.

    Raises
    ------
    UserError
        When fMRIPrep cannot be started; before anything is run.
    """
    bids, out = bids.absolute(), out.absolute()
    license = check(settings, (bids, folder)) if len(scans) else Path()
    shard = Shard(scans, bids, folder, license, settings, threads, memory)
    shard.forget_others()
    rows = [row for number in range(len(shard.groups)) for row in shard.finish(number)]
    shard.assemble(out)
    return rows + shard.rows_without_t1w()


class Shard:
    """People of a shard in groups, one for each call."""

    def __init__(
        self,
        scans: pd.DataFrame,
        bids: Path,
        folder: Path,
        license: Path,
        settings: Fmriprep,
        threads: int,
        memory: int,
    ) -> None:
        self.bids, self.folder, self.license = bids, folder, license
        self.settings, self.threads, self.memory = settings, threads, memory
        self.scans: dict[str, list[Row]] = {}
        for scan in scans.to_dict("records"):
            self.scans.setdefault(scan["participant_id"], []).append(scan)
        tasks = {scan.get("task") for scan in scans.to_dict("records")}
        self.task = tasks.pop() or None if len(tasks) == 1 else None
        people = [person for person in self.scans if self._has_t1w(person)]
        size = settings.participants_per_call
        self.groups = [people[first : first + size] for first in range(0, len(people), size)]

    def _has_t1w(self, person: str) -> bool:
        return any(scan["t1w"] for scan in self.scans[person])

    def rows_without_t1w(self) -> list[Row]:
        """Rows of people whom fMRIPrep would refuse, and with them the rest of their call."""
        failed = [person for person in self.scans if not self._has_t1w(person)]
        return [_row(scan, NO_T1W, 0.0) for person in failed for scan in self.scans[person]]

    def finish(self, number: int) -> list[Row]:
        """Run one group, without those who are done; those who failed are tried alone, once."""
        group = self.groups[number]
        rows = {person: kept for person in group if (kept := self._done(person))}
        left = [person for person in group if person not in rows]
        if left:
            folder = self.folder / "calls" / self._name(group)
            where = f"call {number + 1} of {len(self.groups)}"
            status, found = self._call(folder, left, where)
            lacking = [person for person in left if not _complete(found[person])]
            if status and len(left) > 1:
                for person in lacking:
                    found |= self._call(folder, [person], f"{where}, again")[1]
            self._tidy(folder, [person for person in left if not _complete(found[person])])
            rows |= found
        return [row for person in group for row in rows[person]]

    def _call(
        self, folder: Path, people: list[str], where: str
    ) -> tuple[int, dict[str, list[Row]]]:
        """Run fMRIPrep once; the exit status and everybody's rows. Who is complete is kept."""
        name = people[0] if len(people) == 1 else f"{people[0]}+{len(people) - 1}"
        path = self.folder / "logs" / f"{name}.log"
        for made in (folder / "out", folder / "work", path.parent):
            made.mkdir(parents=True, exist_ok=True)
        _unlock_surfaces(folder / "out")
        log.info("%s: %s, see %s", where, ", ".join(people), path)
        started = time.monotonic()
        arguments = command(self._describe(folder, people), self.settings)
        mounted = folder / "out" if self.settings.runner == "docker" else None
        status = run_guarded(arguments, path, mounted)
        seconds = time.monotonic() - started
        share = seconds / sum(len(self.scans[person]) for person in people)
        run = Outcome(folder / "out", self.settings.output_space, status, path.name, share)
        rows = {person: [run.row(scan) for scan in self.scans[person]] for person in people}
        complete = [person for person in people if _complete(rows[person])]
        for person in complete:
            self._keep(folder, person, rows[person])
        log.info(
            "%s: %s, %d of %d people complete, exit status %d, %.1f min",
            *(where, ", ".join(people), len(complete), len(people), status),
            seconds / 60,
        )
        return status, rows

    def _describe(self, folder: Path, people: list[str]) -> Call:
        return Call(
            participants=tuple(people),
            bids=self.bids,
            out=folder / "out",
            work=folder / "work",
            license=self.license,
            threads=self.threads,
            memory=self.memory,
            task=self.task,
            user=f"{os.getuid()}:{os.getgid()}",
        )

    def _name(self, people: list[str]) -> str:
        """Name that is another when people, their images or the settings are others."""
        settings = self.settings.model_dump(exclude=RUNNING)
        about = [str(self.bids), settings, [self.scans[person] for person in people]]
        digest = hashlib.sha1(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
        return f"{people[0]}+{len(people) - 1}-{digest[:12]}"

    def _keep(self, folder: Path, person: str, rows: list[Row]) -> None:
        target = self.folder / "done" / person
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        move_person(folder / "out", person, target)
        # What fMRIPrep remembers of it refers to files that are no longer there.
        label = person.removeprefix("sub-")
        for pattern in (f"*_{label}_wf", f"*_{label}_ses_*_wf"):
            for path in (folder / "work").glob(f"fmriprep*/{pattern}"):
                shutil.rmtree(path)
        write_json(target / "rows.json", {"of": self._name([person]), "rows": rows})

    def _done(self, person: str) -> list[Row] | None:
        """Rows of a person whose outputs were verified, and still are there."""
        folder = self.folder / "done" / person
        kept = read_json(folder / "rows.json") if (folder / "rows.json").exists() else {}
        try:
            if kept.get("of") == self._name([person]):
                for scan in self.scans[person]:
                    measure(folder, scan, self.settings.output_space)
                rows: list[Row] = kept["rows"]
                return rows
        except ScanError as missing:
            log.warning("%s is done again: %s", person, missing)
        shutil.rmtree(folder, ignore_errors=True)
        return None

    def _tidy(self, folder: Path, failed: list[str]) -> None:
        if not failed:
            shutil.rmtree(folder)
            return
        log.warning(
            "%s failed; %s is kept, so that fMRIPrep goes on from it if this is run again. Delete "
            "it if it is not",
            ", ".join(failed),
            folder,
        )

    def forget_others(self) -> None:
        """Remove what calls left that are no longer wanted: other people, images or settings."""
        wanted = {self._name(group) for group in self.groups}
        for folder in (self.folder / "calls").glob("*"):
            if folder.name not in wanted:
                shutil.rmtree(folder)

    def assemble(self, out: Path) -> None:
        """Move everything into the shard's folder."""
        for group in self.groups:
            left = self.folder / "calls" / self._name(group) / "out"
            for person in group:
                done = self.folder / "done" / person
                if (done / "rows.json").exists():
                    (done / "rows.json").unlink()
                    merge(done, out)
                elif any(root_of(left).glob(f"{person}/**/*_desc-preproc_bold.nii.gz")):
                    # Some scans may be of use; the surfaces stay, fMRIPrep goes on from them.
                    move_person(left, person, out, surfaces=False)
        if (self.folder / "logs").is_dir():
            merge(self.folder / "logs", out / "logs")
        if not (out / "dataset_description.json").exists():  # all failed: no version to tell
            about = {"Name": "fMRIPrep", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}
            made_by = {"GeneratedBy": [{"Name": "fMRIPrep"}]}
            write_json(out / "dataset_description.json", about | made_by)
        shutil.rmtree(self.folder / "done", ignore_errors=True)
        for folder in (self.folder / "calls", self.folder):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


@dataclass(frozen=True)
class Outcome:
    """One call that has ended: where it wrote, how it ended, and seconds per scan."""

    out: Path
    output_space: str
    status: int
    log: str
    seconds: float

    def row(self, scan: Row) -> Row:
        """Row of the status table for one scan."""
        try:
            found = measure(root_of(self.out), scan, self.output_space)
        except ScanError as missing:
            reason = f"fMRIPrep wrote {missing} (exit status {self.status}; see logs/{self.log})"
            return _row(scan, reason, self.seconds)
        return _row(scan, "", self.seconds) | found


def _row(scan: Row, reason: str, seconds: float) -> Row:
    about = {key: scan[key] for key in ("scan", "participant_id")}
    status = "failed" if reason else "ok"
    return about | {"status": status, "reason": reason, "seconds": round(seconds, 2)}


def _complete(rows: list[Row]) -> bool:
    return all(row["status"] == "ok" for row in rows)


def _unlock_surfaces(out: Path) -> None:
    """Remove FreeSurfer's sign that it is at work, which a killed run leaves behind.

    Nothing else works in this folder, and FreeSurfer would refuse to.
    """
    for path in freesurfer_of(out).glob("sub-*/scripts/IsRunning*"):
        path.unlink()

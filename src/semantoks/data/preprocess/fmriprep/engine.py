"""The engine `fmriprep`: a shard in calls of a few participants each, every one verified.

Participants whose outputs are complete are stored in a working folder and not preprocessed again
when a run is repeated, see `semantoks.data.preprocess.fmriprep.workspace`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantoks.artifacts.files import write_json
from semantoks.config import Fmriprep
from semantoks.data.index.shards import RawScan
from semantoks.data.layout import split_at_participant
from semantoks.data.preprocess.fmriprep.arranged import arrange
from semantoks.data.preprocess.fmriprep.command import Call, command
from semantoks.data.preprocess.fmriprep.filters import BidsFilters
from semantoks.data.preprocess.fmriprep.groups import (
    common_task,
    groups_of,
    has_labels,
    participants_of,
)
from semantoks.data.preprocess.fmriprep.outputs import (
    derivatives_folder,
    freesurfer_folder,
    verify_outputs,
)
from semantoks.data.preprocess.fmriprep.prerequisites import check_prerequisites
from semantoks.data.preprocess.fmriprep.supervisor import run_supervised
from semantoks.data.preprocess.fmriprep.workspace import Workspace
from semantoks.data.preprocess.rows import SUCCEEDED, ScanResult
from semantoks.errors import ScanError
from semantoks.gate import Gate

log = logging.getLogger(__name__)

Results = dict[str, list[ScanResult]]  # participant → results of its scans
FILTER_FILE = "bids_filter.json"
NO_T1W = "no T1w image for this participant, which fMRIPrep needs"
NO_LABEL = "the name of the participant or task has more than letters and digits"


def preprocess_with_fmriprep(
    scans: Sequence[RawScan],
    gate: Gate,
    out: Path,
    settings: Fmriprep,
    *,
    work: Path,
    threads: int,
    memory: int,
    filters: BidsFilters,
) -> list[ScanResult]:
    """Preprocess the scans of a shard with fMRIPrep.

    Parameters
    ----------
    scans : sequence of RawScan
    gate : Gate
        Of the raw data set.
    out : Path
        The empty folder for the derivatives.
    settings : Fmriprep
    work : Path
        Working folder, which is kept while participants are incomplete.
    threads, memory : int
        For each call, one after another; memory in MB, 0 if unknown.
    filters : dict
        See `bids_filters`; without them fMRIPrep would take images that `index` has left out.

    Returns
    -------
    list of ScanResult
        One per scan, grouped by participant.

    Raises
    ------
    UserError
        If fMRIPrep cannot be started; nothing has been run then.
    """
    bids, out, stores = gate.root.absolute(), out.absolute(), gate.stores()
    unnamed = [scan for scan in scans if not has_labels(scan)]
    scans = [scan for scan in scans if has_labels(scan)]
    # A shard without usable scans needs neither a licence nor a container.
    license_file = (
        check_prerequisites(settings, (bids, work, *stores), gate.targets) if scans else Path()
    )
    by_participant = participants_of(scans)
    # fMRIPrep exits on a participant without T1w image, whoever else is in the call.
    with_t1w = [name for name, runs in by_participant.items() if any(run.t1w for run in runs)]
    groups = groups_of(with_t1w, by_participant, settings.participants_per_call)
    workspace = Workspace(work, bids, by_participant, settings, filters)
    workspace.remove_stale_calls(groups)
    runner = CallRunner(workspace, license_file, threads, memory, common_task(scans), stores)
    results = list[ScanResult]()
    for number, group in enumerate(groups, start=1):
        results += runner.process(group, f"call {number} of {len(groups)}")
    workspace.assemble(groups, out)
    without_t1w = (scan for scan in scans if scan.participant_id not in with_t1w)
    results += [ScanResult.failed(scan, NO_T1W, 0.0) for scan in without_t1w]
    return results + [ScanResult.failed(scan, NO_LABEL, 0.0) for scan in unnamed]


@dataclass(frozen=True)
class CallRunner:
    """Runs fMRIPrep on groups of participants and verifies what it wrote.

    Attributes
    ----------
    workspace : Workspace
    license : Path
        FreeSurfer licence file.
    threads, memory : int
        For each call; memory in MB, 0 if unknown.
    task : str or None
        Task to preprocess, None for all.
    stores : tuple of Path
        Folders outside the data set that its links lead to.
    """

    workspace: Workspace
    license: Path
    threads: int
    memory: int
    task: str | None
    stores: tuple[Path, ...] = ()

    def process(self, group: Sequence[str], label: str) -> list[ScanResult]:
        """Return the results of a group, running fMRIPrep for participants not yet stored.

        Parameters
        ----------
        group : sequence of str
            Participants.
        label : str
            Name of the call in log messages.
        """
        stored = {name: self.workspace.load(name) for name in group}
        results: Results = {name: rows for name, rows in stored.items() if rows is not None}
        pending = [name for name in group if name not in results]
        if pending:
            # Named after the whole group, so that those who failed resume in the same folder.
            folder = self.workspace.call_folder(group)
            results |= self._call_and_retry(folder, pending, label)
            failed = [name for name in pending if not _complete(results[name])]
            self.workspace.finish_call(folder, failed)
        return [result for name in group for result in results[name]]

    def _call_and_retry(self, folder: Path, participants: Sequence[str], label: str) -> Results:
        """Run fMRIPrep; if it fails, once more for each incomplete participant alone.

        A crash on one participant ends the call, also for those who would have succeeded.
        """
        status, results = self._call(folder, participants, label)
        if status and len(participants) > 1:
            for name in [name for name in participants if not _complete(results[name])]:
                results |= self._call(folder, [name], f"{label}, retry")[1]
        return results

    def _call(self, folder: Path, participants: Sequence[str], label: str) -> tuple[int, Results]:
        """Run fMRIPrep once and store complete participants; return exit status and results."""
        names, log_file = ", ".join(participants), self.workspace.log_file(participants)
        log.info("%s: %s, see %s", label, names, log_file)
        started = time.monotonic()
        bids, problems = self._bids_of(folder, participants)
        status = self._run(folder, participants, log_file, bids)
        seconds = time.monotonic() - started
        scans = {name: self.workspace.scans[name] for name in participants}
        # fMRIPrep does not report the time of a single scan.
        share = seconds / sum(map(len, scans.values()))
        outcome = _Outcome(
            *(folder / "out", self.workspace.settings.output_space, status, log_file.name, share),
            problems,
        )
        results = {name: [outcome.result(scan) for scan in scans[name]] for name in participants}
        complete = [name for name in participants if _complete(results[name])]
        for name in complete:
            self.workspace.store(folder, name, results[name])
        log.info(
            "%s: %s, %d of %d participants complete, exit status %d, %.1f min",
            *(label, names, len(complete), len(participants), status, seconds / 60),
        )
        return status, results

    def _bids_of(self, folder: Path, participants: Sequence[str]) -> tuple[Path, dict[str, str]]:
        """Return the BIDS data set of participants, and why runs are not in it, by scan."""
        scans = [scan for name in participants for scan in self.workspace.scans[name]]
        if all(scan.is_bids for scan in scans):
            name, _ = split_at_participant(scans[0].bold)
            return self.workspace.bids / name, {}
        return folder / "bids", arrange(scans, self.workspace.bids, folder / "bids")

    def _run(self, folder: Path, participants: Sequence[str], log_file: Path, bids: Path) -> int:
        """Run fMRIPrep on a BIDS data set in the folder of a call; return its exit status."""
        # Links of a part of the data set may lead to other parts, such as its git-annex.
        is_part = self.workspace.bids in bids.parents
        call = Call(
            participants=tuple(participants),
            bids=bids,
            stores=(*self.stores, *((self.workspace.bids.resolve(),) if is_part else ())),
            out=folder / "out",
            work=folder / "work",
            license=self.license,
            threads=self.threads,
            memory=self.memory,
            task=self.task,
            user=f"{os.getuid()}:{os.getgid()}",
            # In the folder that containers mount as their working folder.
            filters=folder / "work" / FILTER_FILE if self.workspace.filters else None,
        )
        for needed in (call.out, call.work, log_file.parent):
            needed.mkdir(parents=True, exist_ok=True)
        if call.filters:
            write_json(call.filters, self.workspace.filters)
        _unlock_surfaces(call.out)
        settings = self.workspace.settings
        # Docker's containers are not child processes; they are found by the folder that they mount.
        mount = call.out if settings.runner == "docker" else None
        return run_supervised(command(call, settings), log_file, mount)


@dataclass(frozen=True)
class _Outcome:
    """How a call ended: its output folder, exit status, log, and seconds per scan.

    `problems` says by scan why fMRIPrep was not given it.
    """

    out: Path
    output_space: str
    status: int
    log: str
    seconds: float
    problems: Mapping[str, str]

    def result(self, scan: RawScan) -> ScanResult:
        """Verify the outputs of a scan, whatever the exit status was."""
        if scan.scan in self.problems:
            return ScanResult.failed(scan, self.problems[scan.scan], self.seconds)
        try:
            measures = verify_outputs(derivatives_folder(self.out), scan, self.output_space)
        except ScanError as missing:
            reason = f"fMRIPrep wrote {missing} (exit status {self.status}; see logs/{self.log})"
            return ScanResult.failed(scan, reason, self.seconds)
        return ScanResult.ok(scan, self.seconds, measures)


def _complete(results: Sequence[ScanResult]) -> bool:
    return all(result.status == SUCCEEDED for result in results)


def _unlock_surfaces(out: Path) -> None:
    """Remove FreeSurfer's lock files, which a killed run leaves behind.

    FreeSurfer refuses to resume while they exist. Only one call at a time uses this folder, so no
    running process can hold them.
    """
    for path in freesurfer_folder(out).glob("sub-*/scripts/IsRunning*"):
        path.unlink()

"""Jobs of this run and of a killed one: how they are recognised, and how they are ended.

Used by the workflow's own process, so nothing here imports pandas or PyTorch.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psutil  # type: ignore[import-untyped]

TOKEN_VARIABLE = "SEMANTOKS_RUN"
TERMINATE_SECONDS = 10
SLURM_CALL_SECONDS = 60  # a controller that is down answers nothing for long
SLURM_SECONDS = 120
# A UUID, after the prefix that a user may choose. squeue would take a comma for several names.
SLURM_NAME = re.compile(r"([A-Za-z0-9_-]{1,50}_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CLOCK_SECONDS = 2  # start times of processes are known to about a hundredth of a second


@dataclass(frozen=True)
class Note:
    """What a run notes of itself for the next one.

    Attributes
    ----------
    host : str
    pid : int
    started : float or None
        When the process started, seconds since the epoch.
    token : str
        Random; jobs carry it in the environment variable `TOKEN_VARIABLE`.
    slurm_name : str or None
        Name of its jobs in Slurm's queue.
    """

    host: str
    pid: int
    started: float | None
    token: str
    slurm_name: str | None = None

    def __post_init__(self) -> None:
        texts = isinstance(self.host, str) and isinstance(self.token, str) and len(self.token) > 8
        started = self.started is None or (
            isinstance(self.started, float) and math.isfinite(self.started)
        )
        name = self.slurm_name is None or bool(SLURM_NAME.fullmatch(str(self.slurm_name)))
        if not (texts and started and name and isinstance(self.pid, int)):
            raise ValueError("not a note of a run")

    def is_running(self) -> bool:
        """Whether its process still runs; its pid may belong to another process by now."""
        try:
            started = float(psutil.Process(self.pid).create_time())
        except (psutil.Error, ValueError, OverflowError):
            return False
        return self.started is None or abs(started - self.started) < CLOCK_SECONDS


def new_token() -> str:
    """Return a token that nobody can guess, nor have in an environment by accident."""
    return secrets.token_hex(16)


def pass_to_jobs(is_main: bool) -> str:
    """Set the environment variables that jobs inherit, also on a cluster; return the token.

    Parameters
    ----------
    is_main : bool
        Whether this process starts a run. Jobs on a cluster parse the workflow again, and keep the
        token of the run that sent them.
    """
    # In each process `python -m` would look for modules in the work folder first.
    os.environ["PYTHONSAFEPATH"] = "1"
    token = new_token() if is_main else os.environ.get(TOKEN_VARIABLE, "")
    os.environ[TOKEN_VARIABLE] = token
    return token


def end_processes_of(note: Note, folder: Path) -> Iterator[str]:
    """End the processes that a killed run left on this machine.

    Yields
    ------
    str
        How many, for the terminal.
    """
    ours = [process for process in psutil.process_iter() if _is_of(process, note, folder)]
    with suppress(psutil.Error):
        family = {psutil.Process(), *psutil.Process().parents()}
        ours = [process for process in ours if process not in family]
    if ours:
        yield f"Ending {len(ours)} processes that a killed run left in this folder"
        end_processes(ours)


def _is_of(process: Any, note: Note, folder: Path) -> bool:
    with suppress(psutil.Error, OSError):  # another user's process, or one that has ended
        return bool(
            process.environ().get(TOKEN_VARIABLE) == note.token
            and process.uids().real == os.getuid()
            and process.create_time() >= (note.started or 0) - CLOCK_SECONDS
            and Path(process.cwd()).is_relative_to(folder.resolve())
        )
    return False


def end_processes(processes: Sequence[Any]) -> None:
    """End processes: first politely, then those that are still there."""
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, processes = psutil.wait_procs(processes, timeout=TERMINATE_SECONDS)


def end_jobs_on_signals() -> None:
    """On SIGTERM or SIGHUP, end the running jobs and then this process, as Ctrl-C does.

    Snakemake would wait for running jobs, which may take days, and the system kills this process
    before. Call it when Snakemake has set its own handler.
    """

    def end(number: int, _: FrameType | None) -> NoReturn:
        print(f"Ending the running jobs ({signal.Signals(number).name})", flush=True)
        end_processes(psutil.Process().children(recursive=True))
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP, and that is to stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def cancel_slurm_jobs(name: str | None, folder: Path) -> Iterator[str]:
    """Cancel the jobs of a killed run that are left in Slurm's queue, and wait for their end.

    Parameters
    ----------
    name : str or None
        Name of its jobs, which Snakemake's executor draws at random for each run.
    folder : Path
        Where the jobs were submitted; everybody can see the names of jobs, and write a note.

    Yields
    ------
    str
        How many, for the terminal.
    """
    jobs = _slurm_jobs(name, folder) if name and shutil.which("squeue") else []
    if not (name and jobs):
        return
    yield f"Cancelling {len(jobs)} Slurm jobs that a killed run left in the queue"
    _call("scancel", *jobs)
    # A cancelled job may still write for a while (Slurm's KillWait).
    deadline = time.monotonic() + SLURM_SECONDS
    while _slurm_jobs(name, folder) and time.monotonic() < deadline:
        time.sleep(1)


def _slurm_jobs(name: str, folder: Path) -> list[str]:
    """Ids of the jobs of this user with a name that work in a folder."""
    # %A: job id, %Z: working directory.
    lines = _call("squeue", "-h", "-u", str(os.getuid()), "--name", name, "-o", "%A %Z")
    jobs = [line.split(" ", 1) for line in lines.splitlines() if " " in line]
    here = os.path.realpath(folder)
    return sorted({job for job, place in jobs if os.path.realpath(place) == here})


def _call(*command: str) -> str:
    """Return what a command of Slurm prints; nothing if it does not answer in time."""
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SLURM_CALL_SECONDS
        )
        return done.stdout
    return ""

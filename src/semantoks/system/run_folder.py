"""The folder in which Snakemake runs: its lock, jobs that a killed run left, and file times.

Used by the workflow's own process, so nothing here imports pandas or PyTorch.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from filelock import FileLock, Timeout

from semantoks.errors import UserError

ENVIRONMENT_VARIABLE = "SEMANTOKS_FOLDER"
SNAKEMAKE_TIMESTAMP = ".snakemake_timestamp"
TERMINATE_SECONDS = 10
SLURM_SECONDS = 120


class RunFolder:
    """The folder of a run.

    Parameters
    ----------
    path : Path
        Where ``.snakemake``, ``results`` and ``resources`` are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FileLock | None = None

    @property
    def identity(self) -> str:
        """Device and inode: recognises the folder whatever path leads to it.

        Jobs carry it in the environment variable `ENVIRONMENT_VARIABLE`.
        """
        status = self.path.stat()
        return f"{status.st_dev}:{status.st_ino}"

    @property
    def _lock_file(self) -> Path:
        return self.path / ".snakemake/semantoks.lock"

    @property
    def _note(self) -> Path:
        return self.path / ".snakemake/semantoks_run.json"

    def require_writable(self) -> None:
        """Refuse a folder in which results cannot be written.

        Raises
        ------
        UserError
        """
        for folder in (self.path / "results", self.path):
            if folder.exists() and not os.access(folder, os.W_OK):
                raise UserError(
                    f"{folder.resolve()} is read-only, or not yours to write to. Choose another "
                    "folder with --directory."
                )

    def acquire(self) -> bool:
        """Lock the folder until `release`, or until this process ends.

        Snakemake's own lock is checked before it is taken, so two runs started at the same moment
        can both get past it, and it stays behind when a run is killed. The operating system
        releases this one however the process ends.

        Returns
        -------
        bool
            False on a file system on which nothing can be locked.

        Raises
        ------
        UserError
            When another process holds the lock.
        """
        self._lock_file.parent.mkdir(exist_ok=True)
        lock = FileLock(self._lock_file, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise UserError(
                "another run has the lock of this folder. Wait for it, or stop it."
            ) from None
        except (OSError, NotImplementedError):  # filelock raises either where flock is missing
            return False
        self._lock = lock  # a FileLock that is garbage-collected lets go
        return True

    def release(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def write_note(self) -> None:
        """Note which process runs here, for `remove_stale_lock` of the next run."""
        pid = os.getpid()
        content = {"host": socket.gethostname(), "pid": pid, "started": _start_time(pid)}
        self._note.write_text(json.dumps(content))

    def remove_stale_lock(self) -> None:
        """Remove Snakemake's lock if a run that was killed on this machine left it behind."""
        # A kill while the note is being written leaves an empty file.
        note = json.loads(self._note.read_text() or "{}") if self._note.exists() else {}
        # The processes of another host cannot be seen from here, so its lock stays.
        if note.get("host") != socket.gethostname() or _is_running(note):
            return
        # A live run may not have written its note yet, but it holds this lock.
        try:
            self.acquire()
        except UserError:
            return
        for file in (self.path / ".snakemake/locks").glob("*.lock"):
            file.unlink(missing_ok=True)
        self.release()

    def end_orphans(self) -> Iterator[str]:
        """End what a killed run left running: it would write into the same files as this one.

        Call it only while holding the lock.

        Yields
        ------
        str
            What is being ended, for the terminal.
        """
        yield from self._cancel_slurm_jobs()
        yield from self._terminate_processes()

    def _terminate_processes(self) -> Iterator[str]:
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        if orphans:
            yield f"Ending {len(orphans)} processes that a killed run left in this folder"
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for process in orphans:
                with suppress(psutil.NoSuchProcess):
                    end(process)
            _, orphans = psutil.wait_procs(orphans, timeout=TERMINATE_SECONDS)

    def _is_ours(self, process: Any) -> bool:
        with suppress(psutil.Error):  # another user's process, or one that has ended
            # Only the shells of jobs set it (common.smk), so this run does not find itself.
            return bool(process.environ().get(ENVIRONMENT_VARIABLE) == self.identity)
        return False

    def _cancel_slurm_jobs(self) -> Iterator[str]:
        jobs = self._slurm_jobs() if shutil.which("squeue") else []
        if jobs:
            yield f"Cancelling {len(jobs)} Slurm jobs that a killed run left in the queue"
            subprocess.run(["scancel", *jobs], check=False)
        # A cancelled job may still write for a while (Slurm's KillWait).
        deadline = time.monotonic() + SLURM_SECONDS
        while jobs and self._slurm_jobs() and time.monotonic() < deadline:
            time.sleep(1)

    def _slurm_jobs(self) -> list[str]:
        """Job ids of Snakemake's jobs of this user that run in this folder."""
        # %A: job id, %k: comment, %Z: working directory, which may itself contain a "|".
        command = ["squeue", "-h", "-u", str(os.getuid()), "-o", "%A|%k|%Z"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        rows = [line.split("|") for line in done.stdout.splitlines()]
        # Snakemake sets the comment of its jobs to `rule_…`; other jobs of the user are left alone.
        return sorted(
            {
                job
                for job, comment, *folder in rows
                if comment.startswith("rule_") and "|".join(folder) == str(self.path)
            }
        )

    def clamp_future_mtimes(self) -> None:
        """Set modification times that lie in the future to now, where a clock has been set back.

        Snakemake refuses an output that looks older than its input.
        """
        now = time.time()
        for path in self._artifacts():
            if os.lstat(path).st_mtime > now + 1:
                # One time for all of them, so that no output gets older than its input.
                os.utime(path, (now, now), follow_symlinks=False)

    def _artifacts(self) -> Iterator[Path]:
        """Files below results and resources; of a folder that is one artifact, its time stamp."""
        roots = (self.path / "results", self.path / "resources")
        for folder, folders, files in itertools.chain(*map(os.walk, roots)):
            if SNAKEMAKE_TIMESTAMP in files:
                # os.walk descends into what remains in this list.
                folders.clear()
                files = [SNAKEMAKE_TIMESTAMP]
            yield from (Path(folder, name) for name in files)

    def drop_incomplete_indices(self) -> None:
        """Remove the table of scans of each data set of which a shard's table is missing.

        The rule `index` cannot declare the shards' tables as outputs, since it does not know their
        number; without this, Snakemake would only report the missing file.
        """
        for scans in (self.path / "results/index").glob("*/scans.parquet"):
            # The suffix is repeated here, since `system` may not import `artifacts`.
            sidecar = scans.with_name(f"{scans.name}.provenance.json")
            with suppress(OSError, ValueError, KeyError, TypeError):
                shards = json.loads(sidecar.read_text())["settings"]["dataset"]["shards"]
                tables = [scans.with_name(f"shard-{number:04d}.tsv") for number in range(shards)]
                if not all(table.exists() for table in tables):
                    scans.unlink()


def _start_time(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _is_running(note: dict[str, Any]) -> bool:
    """Whether the process of a note still runs; its pid may belong to another process by now."""
    started = _start_time(note["pid"])
    same = started is None or abs(started - (note.get("started") or started)) < 2
    return bool(psutil.pid_exists(note["pid"])) and same

"""The folder in which Snakemake runs: its lock, the note of its last run, and file times.

Used by the workflow's own process, so nothing here imports pandas or PyTorch.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from filelock import FileLock, Timeout

from semantoks.errors import UserError
from semantoks.system.orphans import Note, cancel_slurm_jobs, end_processes_of

SNAKEMAKE_TIMESTAMP = ".snakemake_timestamp"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of file systems without flock
LARGEST_NOTE, LARGEST_SIDECAR = 10_000, 100_000_000  # bytes; settings of a data set can be long


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
        for folder in (self.path / "results", self.path / ".snakemake", self.path):
            if folder.exists() and not os.access(folder, os.W_OK):
                raise _not_writable(folder)

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
            When another process holds the lock, or another user owns it.
        """
        lock = FileLock(self._lock_file, thread_local=False)
        try:
            self._lock_file.parent.mkdir(exist_ok=True)
            lock.acquire(blocking=False)
        except Timeout:
            raise UserError(
                "another run has the lock of this folder. Wait for it, or stop it."
            ) from None
        except PermissionError:
            raise _not_writable(self._lock_file) from None
        except NotImplementedError:  # filelock raises either where flock is missing
            return False
        except OSError as error:
            if error.errno in NO_LOCKS:
                return False
            raise UserError(
                f"{self._lock_file.absolute()} cannot be locked ({error.strerror}). Remove it if "
                "no run is in this folder."
            ) from None
        self._lock = lock  # a FileLock that is garbage-collected lets go
        return True

    def release(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def write_note(self, token: str, slurm_name: str | None = None) -> None:
        """Note which process runs here and how its jobs are recognised, for the next run.

        Parameters
        ----------
        token : str
            Jobs carry it in the environment variable `TOKEN_VARIABLE`.
        slurm_name : str, optional
            Name of the jobs of this run in Slurm's queue.
        """
        pid = os.getpid()
        note = Note(socket.gethostname(), pid, _start_time(pid), token, slurm_name)
        # Atomic: a kill in between would leave a file that no later run can read. And private,
        # because whoever knows the token can make a process look like ours.
        handle, temporary = tempfile.mkstemp(dir=self._note.parent, prefix=self._note.name)
        with os.fdopen(handle, "w") as file:
            json.dump(vars(note), file)
        Path(temporary).replace(self._note)

    def _read_note(self) -> Note | None:
        """Return the note of the last run; None if there is none that can be read."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            return Note(**json.loads(_read_own(self._note, LARGEST_NOTE)))
        return None

    def running(self) -> int | None:
        """Return the process id of the run in this folder; None if this machine has none."""
        note = self._read_note()
        if note is None or note.host != socket.gethostname() or not note.is_running():
            return None
        return note.pid

    def remove_stale_lock(self) -> None:
        """Remove Snakemake's lock if a run that was killed on this machine left it behind."""
        note = self._read_note()
        # The processes of another host cannot be seen from here, so its lock stays.
        if note is None or note.host != socket.gethostname() or self.running() is not None:
            return
        # A live run may not have written its note yet, but it holds this lock. Where nothing can be
        # locked, such a run may be on another host, so its lock stays, too.
        try:
            if not self.acquire():
                return
        except UserError:
            return
        locks = self.path / ".snakemake/locks"
        # A link that came with somebody's folder could lead to files of ours.
        if not locks.is_symlink():
            for file in locks.glob("*.lock"):
                file.unlink(missing_ok=True)
        self.release()

    def end_orphans(self) -> Iterator[str]:
        """End what a killed run left running: it would write into the same files as this one.

        Call it only while holding the lock, and before `write_note`.

        Yields
        ------
        str
            What is being ended, for the terminal.
        """
        note = self._read_note()
        if note is not None:
            yield from cancel_slurm_jobs(note.slurm_name, self.path)
            yield from end_processes_of(note, self.path)

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
            with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
                content = json.loads(_read_own(sidecar, LARGEST_SIDECAR))
                numbers = range(content["settings"]["dataset"]["shards"])
                tables = (scans.with_name(f"shard-{number:04d}.tsv") for number in numbers)
                # Folders of data sets are made by `index`; a link leads to files of another run.
                if not scans.parent.is_symlink() and not all(table.exists() for table in tables):
                    scans.unlink()


def _read_own(path: Path, most: int) -> bytes:
    """Read a small regular file of this user, and nothing else: a pipe would block the run.

    Raises
    ------
    OSError, ValueError
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
            raise ValueError(f"{path} is no file of this user")
        if status.st_size > most:
            raise ValueError(f"{path} has {status.st_size} bytes")
        return file.read()


def _not_writable(path: Path) -> UserError:
    owner = f" (it belongs to {path.owner()})" if path.exists() else ""
    return UserError(
        f"{path.absolute()} is read-only, or not yours to write to{owner}. Choose another folder "
        "with --directory."
    )


def _start_time(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None

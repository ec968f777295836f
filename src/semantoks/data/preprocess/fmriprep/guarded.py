"""A program that does not outlive whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from pathlib import Path

GRACE = 10.0  # seconds between asking a program to end and ending it


def run_guarded(command: Sequence[str], log: Path, mounted: Path | None = None) -> int:
    """Run a program and wait for it; it is ended when this process ends, even by `kill -9`.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File that its output is added to.
    mounted
        A folder that only this program's docker containers mount: containers are children of
        the docker service, not ours, and are found by it.

    Returns
    -------
    int
        Exit status, 128 + signal when a signal ended it.
    """
    if mounted is not None:
        kill_containers(mounted)  # of a run whose guard was killed as well
    # A process of its own, since nothing within a killed one could still act.
    guard = get_context("fork").Process(target=_guard, args=(command, log, mounted), daemon=True)
    guard.start()
    guard.join()
    return int(guard.exitcode if guard.exitcode is not None else 1)


def _guard(command: Sequence[str], log: Path, mounted: Path | None) -> None:
    os.setsid()  # Ctrl-C reaches the parent alone, whose end is the sign
    with log.open("ab") as stream:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    ending = threading.Event()

    def end(*_: object) -> None:
        ending.set()
        _end_group(program)
        if mounted is not None:
            kill_containers(mounted)
        os._exit(1)

    def end_with_parent() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            end()

    signal.signal(signal.SIGTERM, end)
    watcher = threading.Thread(target=end_with_parent, daemon=True)
    watcher.start()
    status = program.wait()
    if ending.is_set():
        watcher.join()  # the program is gone, its container may not be
    os._exit(status if status >= 0 else 128 - status)


def _end_group(program: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(program.pid, number)
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            program.poll()  # else its remains would count as alive
            try:
                os.killpg(program.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def kill_containers(mounted: Path) -> None:
    """End the docker containers that mount a folder."""
    # For a folder of the host, docker takes its path for the name of the volume.
    listing = ["docker", "ps", "--quiet", "--filter", f"volume={mounted}"]
    found = subprocess.run(listing, capture_output=True, text=True, check=False).stdout.split()
    if found:
        subprocess.run(["docker", "kill", *found], capture_output=True, check=False)

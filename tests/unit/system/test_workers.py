"""Worker processes: their results, their failures, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from semantoks.errors import UserError
from semantoks.system.workers import completed

ORPHANS = r"""
import os, time
from semantoks.system.workers import completed
def work(item):
    os.write(1, b"%d\n" % os.getpid())  # a single write: two workers share the pipe
    time.sleep(60)
list(completed(work, [1, 2], 2))
"""


def square(x: int) -> int:
    return x * x


def kill_worker(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_of_all_items_are_yielded() -> None:
    assert sorted(completed(square, range(5), 2)) == [0, 1, 4, 9, 16]


def test_killed_worker_raises_with_the_likely_cause() -> None:
    with pytest.raises(UserError, match="memory ran out"):
        list(completed(kill_worker, [1], 1))


def kill_at_three(x: int) -> int:
    time.sleep(0.01)
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def test_a_killed_item_gets_its_result_and_the_others_go_on() -> None:
    results = list(completed(kill_at_three, [3, 1, 2, 3, *range(4, 30)], 3, lambda x: -x))
    assert sorted(results) == [-3, -3, 1, 2, *range(4, 30)]


def kill_beside_others(item: int) -> int:
    """Stand for a lack of memory: it is only killed while others run as well."""
    time.sleep(0.05)
    siblings = psutil.Process(os.getppid()).children()
    alive = [process for process in siblings if process.status() != psutil.STATUS_ZOMBIE]
    if item == 2 and len(alive) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_an_item_that_is_only_killed_beside_others_succeeds_alone() -> None:
    assert sorted(completed(kill_beside_others, range(6), 3, lambda _: -1)) == list(range(6))


def test_workers_exit_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        deadline = time.monotonic() + 10
        while any(is_running(pid) for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not any(is_running(pid) for pid in workers)


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

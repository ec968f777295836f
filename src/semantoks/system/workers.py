"""A pool of worker processes that end with their parent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from semantoks.errors import UserError

T = TypeVar("T")
R = TypeVar("R")


def completed(work: Callable[[T], R], items: Sequence[T], processes: int) -> Iterator[R]:
    """Call `work` on every item and yield the results as they complete, in any order.

    Parameters
    ----------
    work : callable
        A module-level function, or a partial of one, so that it can be pickled.
    items : sequence
        Arguments of the calls.
    processes : int
        Number of worker processes; each uses one core.

    Raises
    ------
    UserError
        If the operating system kills a worker.
    """
    # Forked workers share the memory of what the parent has imported and loaded.
    pool = ProcessPoolExecutor(processes, get_context("fork"), initializer=_start_worker)
    with pool:
        try:
            for job in as_completed([pool.submit(work, item) for item in items]):
                yield job.result()
        except BrokenProcessPool as error:
            raise UserError(
                f"The operating system killed one of {processes} worker processes, most likely "
                "because memory ran out. Run the same command again with fewer cores or more "
                "memory."
            ) from error


def _start_worker() -> None:
    # Numerical libraries would otherwise start one thread per core in every worker.
    threadpool_limits(1)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exit when the parent is killed; the worker would otherwise wait for jobs forever."""
    parent = parent_process()
    if parent is not None:
        # Waits on a pipe, which the system closes however the parent ends.
        parent.join()
        # `sys.exit` would end only this thread.
        os._exit(1)

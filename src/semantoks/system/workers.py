"""Share work among processes."""

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
    """Call `work` on every item and yield the results as they come, in no particular order.

    Parameters
    ----------
    work
        A function of a module (it is sent to the processes by its name), or a partial of one.
    items
        What to call it on.
    processes
        How many processes, each of which uses one core.

    Raises
    ------
    UserError
        When the system ends one of the processes.
    """
    # Forked, so that what the parent has imported and loaded is shared.
    pool = ProcessPoolExecutor(processes, get_context("fork"), initializer=_begin)
    with pool:
        try:
            for job in as_completed([pool.submit(work, item) for item in items]):
                yield job.result()
        except BrokenProcessPool as error:
            raise UserError(
                f"The system ended one of {processes} worker processes, most likely because memory "
                "ran out. Run the same command again with fewer cores or more memory."
            ) from error


def _begin() -> None:
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the parent is killed; else the worker would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

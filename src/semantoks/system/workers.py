"""A pool of worker processes that end with their parent."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from semantoks.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


def completed(
    work: Callable[[T], R],
    items: Sequence[T],
    processes: int,
    after_kill: Callable[[T], R] | None = None,
) -> Iterator[R]:
    """Call `work` on every item and yield the results as they complete, in any order.

    If the operating system kills a process, Python ends the others of its pool as well. The items
    that were begun are then tried again, each alone in a process of its own, and the others in a
    new pool.

    Parameters
    ----------
    work : callable
        A module-level function, or a partial of one, so that it can be pickled.
    items : sequence
        Arguments of the calls.
    processes : int
        Number of worker processes; each uses one core.
    after_kill : callable, optional
        Returns the result of an item whose process is killed even if it is alone.

    Raises
    ------
    UserError
        If the operating system kills a worker, and `after_kill` is not given or cannot help.
    """
    # Only the workers know which items they have begun.
    begun = get_context("fork").RawArray("b", max(len(items), 1))
    left = list(range(len(items)))
    while left:
        try:
            for number, result in _pooled(work, items, left.copy(), begun, processes):
                left.remove(number)
                yield result
        except BrokenProcessPool as error:
            suspects = [number for number in left if begun[number]]
            if after_kill is None or not suspects:
                raise UserError(
                    f"The operating system killed one of {processes} worker processes, most likely "
                    "because memory ran out. Run the same command again with fewer cores or more "
                    "memory."
                ) from error
            log.warning("A process was killed; what was begun is tried again, one by one")
            for number in suspects:
                left.remove(number)
                yield _alone(work, items[number], after_kill)


def _pooled(
    work: Callable[[T], R], items: Sequence[T], numbers: Sequence[int], begun: Any, processes: int
) -> Iterator[tuple[int, R]]:
    """Work on some of the items in a new pool; yield their numbers and results.

    Raises
    ------
    BrokenProcessPool
        If a worker was killed, after all results that there are.
    """
    # Forked workers share the memory of what the parent has imported and loaded.
    context = get_context("fork")
    broken: BrokenProcessPool | None = None
    with ProcessPoolExecutor(processes, context, _start_worker, (begun,)) as pool:
        jobs = {pool.submit(_begin, number, work, items[number]): number for number in numbers}
        for job in as_completed(jobs):
            error = job.exception()
            if isinstance(error, BrokenProcessPool):
                broken = error
            else:
                yield jobs[job], job.result()
    if broken is not None:
        raise broken


def _alone(work: Callable[[T], R], item: T, after_kill: Callable[[T], R]) -> R:
    begun = get_context("fork").RawArray("b", 1)
    try:
        [(_, result)] = _pooled(work, [item], [0], begun, 1)
    except BrokenProcessPool:
        return after_kill(item)
    return result


_begun: Any = None  # in a worker: what it shares with its parent


def _begin(number: int, work: Callable[[T], R], item: T) -> R:
    _begun[number] = 1
    return work(item)


def _start_worker(begun: Any) -> None:
    global _begun
    _begun = begun
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

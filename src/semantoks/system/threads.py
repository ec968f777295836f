"""Work on a stream of items in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def mapped(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Call `work` on each item in threads, and yield the results in the order of the items.

    Unlike `Executor.map`, it takes only as many items ahead as there are threads, so that few of
    them are in memory.

    Parameters
    ----------
    work : callable
        Should spend its time outside of Python's lock, as NumPy and PyTorch do.
    items : iterable
        Read in the calling thread.
    threads : int
    """
    with ThreadPoolExecutor(threads) as pool:
        begun = deque[Future[R]]()
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) > threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()

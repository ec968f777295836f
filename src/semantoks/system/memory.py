"""How this process gets its memory from the system, and what it says when there is no more."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from semantoks.errors import UserError

# Names of glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4


def keep_freed_memory() -> None:
    """Let freed memory be used again instead of going back to the system.

    A training step frees and asks for the same hundreds of megabytes again and again. By default
    Linux takes each large block back and hands it out anew, page by page and zeroed: a third of
    the time of a step of a small model. Elsewhere than on Linux with glibc nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)


@contextmanager
def advice_when_memory_ends(advice: str) -> Iterator[None]:
    """Say in one sentence that memory ran out, on a GPU or not, and what to do.

    PyTorch says so by a `RuntimeError`, of which its error for GPUs is a kind.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in words or "allocate" in words:
            first = str(error).strip().split("\n")[0][:200]
            raise UserError(f"Memory ran out ({first}). {advice}") from error
        raise

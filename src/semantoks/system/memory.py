"""Settings of the memory allocator, and advice when memory runs out."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from semantoks.errors import UserError

# M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4


def keep_freed_memory() -> None:
    """Reuse freed memory instead of returning it to the operating system.

    A training step frees and allocates the same hundreds of megabytes over and over. By default
    glibc returns large blocks to Linux, which hands them out again page by page and zeroed: these
    page faults take a third of a small model's step. Without glibc this does nothing.
    """
    try:
        # macOS and musl have no mallopt (AttributeError); Windows refuses CDLL(None) (TypeError).
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):
        return
    # Without mmap large blocks come from the heap, which is never trimmed with a threshold of -1.
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)


@contextmanager
def advise_when_out_of_memory(advice: str) -> Iterator[None]:
    """Turn an out-of-memory error, of the CPU or a GPU, into a `UserError` with advice.

    PyTorch raises a bare `RuntimeError` on the CPU, so it is recognised by its message; its error
    for GPUs is a subclass.

    Parameters
    ----------
    advice : str
        What to do, as a sentence.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # CPU: "DefaultCPUAllocator: can't allocate memory"; GPU: "CUDA out of memory".
        message = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in message or "allocate" in message:
            first_line = str(error).strip().split("\n")[0][:200]
            raise UserError(f"Out of memory ({first_line}). {advice}") from error
        raise

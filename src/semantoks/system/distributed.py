"""Several processes that train one model, started by ``torchrun``; alone, nothing happens.

Every process holds the whole model and takes its share of each batch. What is summed here makes
the result the one of a single process with the whole batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Process:
    """One of several processes.

    Attributes
    ----------
    rank, count : int
        Which one, of how many.
    """

    rank: int
    count: int

    @property
    def first(self) -> bool:
        """Whether this process writes files and progress."""
        return self.rank == 0

    def share(self, rows_B: Tensor) -> Tensor:
        """Return the rows that are this process's; the number must be divisible."""
        return rows_B.chunk(self.count)[self.rank]


@contextmanager
def joined(device: str | None = None) -> Iterator[tuple[Process, str]]:
    """Join the processes that ``torchrun`` started, and leave them at the end.

    Parameters
    ----------
    device : str, optional
        Which device to use (default: the GPU, of several processes each its own, or the CPU).

    Yields
    ------
    Process
        Which one this is.
    str
        The device it should use.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Process(0, 1), device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Process(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()


def count() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def sum_over_processes(part: Tensor) -> Tensor:
    """Sum a tensor over processes; the gradient flows back into every one of them."""
    if count() == 1:
        return part
    total: Tensor = _Sum.apply(part)  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    """A sum over processes; what each contributed gets the gradients of all of them."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        return _summed(part)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(part: Tensor) -> Tensor:
    total = part.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


def wait() -> None:
    """Wait until every process is here."""
    if count() > 1:
        dist.barrier()


@torch.no_grad()
def average(tensors: Sequence[Tensor]) -> None:
    """Replace tensors by their mean over processes, all in one message."""
    if count() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= count()
    means = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))

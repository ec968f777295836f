"""Data-parallel training in several processes; in a single one, everything here is a no-op.

Every process holds the whole model and takes an equal share of each batch. With the all-reduces
below the result is that of a single process with the whole batch.
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
from torch.distributed import FileStore  # type: ignore[attr-defined]

from semantoks.system.ranks import SHARING_VARIABLE, STORE_VARIABLE


@dataclass(frozen=True)
class Process:
    """A process among those that train the model together.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    world_size : int
        Number of processes.
    """

    rank: int
    world_size: int

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which alone writes files and logs progress."""
        return self.rank == 0

    def share(self, rows_B: Tensor) -> Tensor:
        """Return this process's rows; their number must be a multiple of the world size."""
        return rows_B.chunk(self.world_size)[self.rank]


@contextmanager
def process_group(device: str | None = None) -> Iterator[tuple[Process, str]]:
    """Join the process group that `semantoks.system.ranks` started, and leave it at the end.

    Parameters
    ----------
    device : str, optional
        Device to use (default: the GPU with the number of the local rank, else the CPU).

    Yields
    ------
    Process
        This process.
    str
        The device that it should use.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        yield Process(0, 1), device
        return
    if device == "cuda":
        # LOCAL_RANK counts within a node, RANK over all nodes.
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        # Without this, NCCL would put every process's buffers on GPU 0.
        torch.cuda.set_device(device)
    file, rank = os.environ.get(STORE_VARIABLE), int(os.environ["RANK"])
    dist.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo",
        # Without a store, PyTorch takes address and port from the environment.
        store=FileStore(file, processes) if file else None,
        rank=rank,
        world_size=processes,
    )
    try:
        yield Process(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()


def threads_of_process(threads: int) -> int:
    """Return how many of the CPU threads of a job this process has, if ranks share them."""
    return max(1, threads // int(os.environ.get(SHARING_VARIABLE, "1")))


def world_size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def sum_over_processes(part: Tensor) -> Tensor:
    """Sum a tensor over processes; the gradient flows back to each of them."""
    if world_size() == 1:
        return part
    total: Tensor = _AllReduceSum.apply(part)  # type: ignore[no-untyped-call]
    return total


class _AllReduceSum(torch.autograd.Function):
    """An all-reduce with a gradient, which is the sum of the gradients of all processes."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        return _all_reduced(part)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        # The loss of every process depends on the total; `average_over_processes` later averages.
        return _all_reduced(gradient)


def _all_reduced(part: Tensor) -> Tensor:
    # `all_reduce` works in place and needs contiguous memory.
    total = part.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


def barrier() -> None:
    """Wait until every process has reached this point."""
    if world_size() > 1:
        dist.barrier()


@torch.no_grad()
def average_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over processes, in place."""
    if world_size() == 1 or not tensors:
        return
    # One message for all tensors: hundreds of small all-reduces would be limited by latency.
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= world_size()
    means = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))

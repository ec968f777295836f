"""Measure pretraining and embedding on a GPU, and print one table.

    python -m speed.gpu
    python -m speed.gpu --device cpu --size small --batch 16 --steps 2 --curve 4    # a trial

Measured are a step in bfloat16 (with and without `torch.compile`, and in float32), the peak memory
of the device, the time to compile, the difference of the loss from float32 over some steps of the
same training, windows per second of the teacher, and whether a step waits for the device
(`torch.cuda.set_sync_debug_mode`). The time of an epoch of 40,000 scans follows from the first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import Any

import torch

from semantoks.model.pretrain.step import train_step
from speed.pretrain import timed
from speed.training_setup import Setup

SCANS = 40_000


@dataclass(frozen=True)
class Timing:
    """What was measured of one way to train."""

    pairs_per_second: float
    first_steps: float  # s, of one step of each kind, with compilation
    gigabytes: float
    windows_per_second: float


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=("paper", "small"), default="paper")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each kind")
    parser.add_argument("--curve", type=int, default=200, help="steps of the loss curves")
    return parser.parse_args()


def setup_of(chosen: argparse.Namespace, precision: str, *, is_compiled: bool) -> Setup:
    """Build a model and its data on the device."""
    return Setup(
        argparse.Namespace(
            size=chosen.size,
            batch=chosen.batch,
            device=chosen.device,
            precision=precision,
            compile=is_compiled,
        )
    )


def measure(chosen: argparse.Namespace, precision: str, *, is_compiled: bool) -> Timing:
    """Time steps, half of them masked."""
    if chosen.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    setup = setup_of(chosen, precision, is_compiled=is_compiled)
    begun = time.perf_counter()
    for masked in (True, False):
        timed(lambda m=masked: setup.fast(m), chosen)
    first = time.perf_counter() - begun
    for masked in (True, False) * 2:  # allocators settle
        setup.fast(masked)
    seconds = {
        masked: [timed(lambda m=masked: setup.fast(m), chosen) for _ in range(chosen.steps)]
        for masked in (True, False)
    }
    peak = torch.cuda.max_memory_allocated() if chosen.device.startswith("cuda") else 0
    embedding = statistics.median(timed(setup.embed, chosen) for _ in range(5))
    return Timing(
        2 * chosen.batch / sum(map(statistics.median, seconds.values())),
        first,
        peak / 1e9,
        chosen.batch / embedding,
    )


def losses(chosen: argparse.Namespace, precision: str) -> list[float]:
    """Return the loss of each step of a training from the same start."""
    setup, values = setup_of(chosen, precision, is_compiled=False), []
    state = setup.state
    for _ in range(chosen.curve):
        state.sums.zero_()
        train_step(state, setup.scan_B, setup.packed, setup.schedule, setup.settings, setup.process)
        values.append(float(state.sums[0]))
    return values


def waits_for_device(chosen: argparse.Namespace) -> str:
    """Say whether a step synchronises the host with the device."""
    if not chosen.device.startswith("cuda"):
        return "not on a GPU"
    setup = setup_of(chosen, "bfloat16", is_compiled=False)
    for masked in (True, False):
        setup.fast(masked)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for masked in (True, False):
            setup.fast(masked)
    except RuntimeError as error:
        return f"yes: {str(error).splitlines()[0]}"
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return "no"


def report(chosen: argparse.Namespace) -> str:
    """Measure everything and format it as Markdown."""
    ways: dict[str, tuple[str, bool]] = {
        "bfloat16, compiled": ("bfloat16", True),
        "bfloat16": ("bfloat16", False),
        "float32": ("float32", False),
    }
    if not chosen.device.startswith("cuda"):
        del ways["bfloat16, compiled"]  # needs a C++ compiler on a CPU
    name: Any = torch.cuda.get_device_name() if chosen.device.startswith("cuda") else "CPU"
    lines = [
        f"{name}, {chosen.size} size, batch {chosen.batch}",
        "",
        "| step | pairs/s | first steps, s | peak GB | windows/s embedded | min per epoch of "
        f"{SCANS:,} |",
        "|---|---|---|---|---|---|",
    ]
    for way, (precision, is_compiled) in ways.items():
        timing = measure(chosen, precision, is_compiled=is_compiled)
        lines.append(
            f"| {way} | {timing.pairs_per_second:.4g} | {timing.first_steps:.3g} "
            f"| {timing.gigabytes:.1f} | {timing.windows_per_second:.4g} "
            f"| {SCANS / timing.pairs_per_second / 60:.3g} |"
        )
    both = [losses(chosen, precision) for precision in ("float32", "bfloat16")]
    differences = [abs(a - b) for a, b in zip(*both, strict=True)]
    lines += [
        "",
        f"Loss of {chosen.curve} steps, bfloat16 against float32: largest difference "
        f"{max(differences):.3g}, last loss {both[1][-1]:.4f} and {both[0][-1]:.4f}.",
        f"Does a step wait for the device? {waits_for_device(chosen)}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(arguments()))

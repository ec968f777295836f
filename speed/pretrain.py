"""Time a training step against plain PyTorch, and against matrix products of the same device.

    python -m speed.pretrain --size paper
    python -m speed.pretrain --size small --precision bfloat16

The variants alternate, each in a separate process, and matrix products are timed between the
steps, so that other load on the machine affects all of them alike. Half of the steps are masked.
FLOPs are those of the model definition (45.3 GFLOP per pair of views at the size of the paper),
including those that the fast code avoids: masked tokens, and all outputs of the last block except
[CLS] where only [CLS] is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from semantoks.system.memory import keep_freed_memory

VARIANTS = ("plain", "fast")
LAPS = 3  # of each variant
# Untimed steps of each kind: the first ones are slower because they allocate memory.
WARM_UP = {"paper": 1, "small": 3}


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", choices=("paper", "small"), default="paper")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--batch", type=int, help="default: 32 (paper) or 256; on a GPU 512")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, default=4, help="timed steps of each kind and lap")
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain variant")
    parser.add_argument("--lap", choices=VARIANTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.batch is None:
        on_cpu = 32 if chosen.size == "paper" else 256
        chosen.batch = on_cpu if chosen.device == "cpu" else 512
    return chosen


def flops_per_pair(model: Any) -> float:
    """Count the FLOPs of a pair of views.

    The forward pass counts once for the teacher, and three times for the student (forward and
    backward).
    """
    sizes = model.student.architecture
    tokenizer, width = sizes.tokenizer, sizes.width
    length = 1 + len(model.student.order) * (sizes.window // sizes.patch)
    per_volume = 0
    for part in model.student.tokenizers:
        heads, regions = part.structured.skip_HC.shape
        dense = regions * tokenizer.dense_kernel * tokenizer.dense_channels
        kernel = part.structured.kernel().shape[-1]
        per_volume += dense + heads * regions * (kernel + tokenizer.structured_channels)
    block = length * (12 * width**2 + 2 * length * width)
    macs_per_view = sizes.window * per_volume + sizes.depth * block
    return 2 * macs_per_view * 2 * 4


def lap(chosen: argparse.Namespace) -> dict[str, Any]:
    """Time the steps of a variant, and matrix products between them."""
    if chosen.lap == "fast":
        keep_freed_memory()
    # After `keep_freed_memory`, which configures the allocator before torch uses it.
    import torch

    from speed.training_setup import Setup

    torch.set_num_threads(chosen.threads)
    setup = Setup(chosen)
    step = setup.fast if chosen.lap == "fast" else setup.plain
    rate = matmul_rate(chosen, torch)
    for masked in (True, False) * WARM_UP[chosen.size]:
        step(masked)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    rates = [rate()]
    for _ in range(chosen.steps):
        for masked in (True, False):
            seconds[masked].append(timed(lambda m=masked: step(m), chosen))
        rates.append(rate())
    result = {
        "masked": statistics.median(seconds[True]),
        "unmasked": statistics.median(seconds[False]),
        "matmul": statistics.median(rates),
        "flops": flops_per_pair(setup.state.model),
        "parameters": sum(p.numel() for p in setup.state.model.student.parameters()),
    }
    if chosen.lap == "fast":
        result["data"] = statistics.median(timed(setup.data, chosen) for _ in range(5))
        result["embed"] = statistics.median(timed(setup.embed, chosen) for _ in range(3))
    if chosen.device != "cpu":
        result["gigabytes"] = torch.cuda.max_memory_allocated() / 1e9
    return result


def timed(work: Callable[[], object], chosen: argparse.Namespace) -> float:
    """Return the wall time of a call in seconds, with the device synchronised before and after."""
    import torch

    wait = torch.cuda.synchronize if chosen.device != "cpu" else lambda: None
    wait()
    begun = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begun


def matmul_rate(chosen: argparse.Namespace, torch: Any) -> Callable[[], float]:
    """Return a function that measures the FLOP/s of the fastest of three large matrix products."""
    dtype = getattr(torch, chosen.precision)
    rows = 2944 if chosen.device == "cpu" else 47104
    shapes = ((rows, 768, 3072), (rows, 3072, 768), (4096, 4096, 4096))
    pairs = [
        (
            torch.randn(m, k, device=chosen.device, dtype=dtype),
            torch.randn(n, k, device=chosen.device, dtype=dtype),
        )
        for m, k, n in shapes
    ]

    def rate() -> float:
        best = 0.0
        for (m, k, n), (a, b) in zip(shapes, pairs, strict=True):
            torch.nn.functional.linear(a, b)
            seconds = min(
                timed(lambda a=a, b=b: torch.nn.functional.linear(a, b), chosen) for _ in range(3)
            )
            best = max(best, 2 * m * k * n / seconds)
        return best

    return rate


def medians(laps: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of every measurement over the laps."""
    return {key: statistics.median(lap[key] for lap in laps) for key in laps[0]}


def pairs_per_second(batch: int, lap: dict[str, Any]) -> float:
    """Return the throughput of training, with as many masked as unmasked steps."""
    return 2 * batch / (lap["masked"] + lap["unmasked"])


def row(variant: str, batch: int, laps: list[dict[str, Any]]) -> str:
    """Format the row of a variant."""
    middle = medians(laps)
    speed = pairs_per_second(batch, middle)
    # Load on the machine changes between laps, so the share is taken within each lap.
    share = statistics.median(
        pairs_per_second(batch, lap) * lap["flops"] / lap["matmul"] for lap in laps
    )
    return (
        f"| {variant} | {middle['masked']:.3g} | {middle['unmasked']:.3g} "
        f"| {speed:.4g} | {speed * middle['flops'] / 1e9:.4g} "
        f"| {middle['matmul'] / 1e9:.4g} GFLOP/s | {share:.2f} |"
    )


def table(chosen: argparse.Namespace, laps: dict[str, list[dict[str, Any]]]) -> str:
    """Format the results as Markdown."""
    fast, batch = medians(laps["fast"]), chosen.batch
    speed = pairs_per_second(batch, fast)
    lines = [
        f"{chosen.size} size, batch {batch}, {chosen.precision}, {chosen.device}, "
        f"{chosen.threads} threads; {fast['parameters'] / 1e6:.2f} M parameters, "
        f"{fast['flops'] / 1e9:.2f} GFLOP per pair; medians over {LAPS} laps",
        "",
        "| step | s (masked) | s (unmasked) | pairs/s | model GFLOP/s | matrix products | share |",
        "|---|---|---|---|---|---|---|",
        *(row(variant, batch, results) for variant, results in laps.items()),
    ]
    if "plain" in laps:
        ratio = speed / pairs_per_second(batch, medians(laps["plain"]))
        lines += ["", f"The fast step is {ratio:.2f} × as fast as the plain one."]
    drawn = batch / fast["data"]
    lines += [
        f"Views are drawn at {drawn:.4g} pairs/s, {drawn / speed:.3g} × the rate of training. "
        f"The teacher embeds {batch / fast['embed']:.4g} windows/s.",
    ]
    if "gigabytes" in fast:
        lines.append(f"Peak memory of the device: {fast['gigabytes']:.1f} GB.")
    return "\n".join(lines)


def main() -> None:
    """Run the laps of all variants in alternation, or a single lap."""
    chosen = arguments()
    if chosen.lap:
        print(json.dumps(lap(chosen)))
        return
    variants = VARIANTS[1:] if chosen.no_plain else VARIANTS
    laps: dict[str, list[dict[str, Any]]] = {variant: [] for variant in variants}
    for number in range(LAPS):
        for variant in variants:
            print(f"lap {number + 1} of {LAPS}, {variant}", file=sys.stderr)
            command = [sys.executable, "-m", "speed.pretrain", *sys.argv[1:], "--lap", variant]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            laps[variant].append(json.loads(done.stdout.splitlines()[-1]))
    print(table(chosen, laps))


if __name__ == "__main__":
    main()

"""How fast a training step is, against the device's own matrix products and against plain code.

    python -m speed.pretrain --size paper
    python -m speed.pretrain --size small --precision bfloat16

Each variant runs in a process of its own, in turns, and measures the rate of matrix products
between its steps, so that a machine that is busy for a while does not favour one of them. Half of
the steps are masked. Work is counted as the model is defined (MODEL: 45.3 GFLOP per pair of views
at the size of the paper), whatever the code leaves out: the last block computes [CLS] alone where
nothing else is asked for, and masked tokens are not computed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semantoks.system.memory import keep_freed_memory

NETWORK_SIZES = (61, 77, 46, 47, 26, 52, 91, 50, 7)
VOLUMES = 300
VARIANTS = ("plain", "fast")
LAPS = 3  # of each variant
# Steps of each kind before the first timed one: the process asks for ever less new memory.
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
    """Count the work of a training pair: two views, student (three times a forward) and teacher."""
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
    """Time the steps of one variant, with matrix products between them."""
    if chosen.lap == "fast":
        keep_freed_memory()
    import torch

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
    found = {
        "masked": statistics.median(seconds[True]),
        "unmasked": statistics.median(seconds[False]),
        "matmul": statistics.median(rates),
        "flops": flops_per_pair(setup.state.model),
        "parameters": sum(p.numel() for p in setup.state.model.student.parameters()),
    }
    if chosen.lap == "fast":
        found["data"] = statistics.median(timed(setup.data, chosen) for _ in range(5))
        found["embed"] = statistics.median(timed(setup.embed, chosen) for _ in range(3))
    if chosen.device != "cpu":
        found["gigabytes"] = torch.cuda.max_memory_allocated() / 1e9
    return found


def timed(work: Callable[[], object], chosen: argparse.Namespace) -> float:
    """Return the seconds that something takes, the device's queue included."""
    import torch

    wait = torch.cuda.synchronize if chosen.device != "cpu" else lambda: None
    wait()
    begun = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begun


def matmul_rate(chosen: argparse.Namespace, torch: Any) -> Callable[[], float]:
    """Return a function that measures FLOP/s of large matrix products, the best of three kinds."""
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


class Setup:
    """A model, its data, and one step of each variant."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        import numpy as np
        import torch

        from semantoks.config import Architecture, Pretraining, Tokenizer, Training
        from semantoks.model.pretrain.packed import PackedScans
        from semantoks.model.pretrain.schedule import Schedule
        from semantoks.model.pretrain.state import initial_state
        from semantoks.system.distributed import Process

        small = Architecture(
            tokenizer=Tokenizer(dense_channels=64, structured_channels=64), depth=4
        )
        self.settings = Pretraining(
            architecture=Architecture() if chosen.size == "paper" else small,
            training=Training(
                batch_size=chosen.batch,
                precision=chosen.precision,
                compile="always" if chosen.compile else "never",
            ),
        )
        networks = [str(n) for n, size in enumerate(NETWORK_SIZES) for _ in range(size)]
        rng = np.random.default_rng(0)
        scans = (rng.normal(size=(len(networks), VOLUMES)) for _ in range(chosen.batch))
        with tempfile.TemporaryDirectory() as folder:
            PackedScans.write(Path(folder), scans)
            self.packed = PackedScans.open(Path(folder)).to(chosen.device)
        self.schedule = Schedule.plan(self.settings.training, 100 * chosen.batch)
        self.state = initial_state(self.settings, networks, chosen.device)
        self.scan_B = torch.arange(chosen.batch, device=chosen.device)
        self.process = Process(0, 1)
        late = range(self.schedule.steps // 2, self.schedule.steps)  # without the regulariser
        self.steps = {
            True: iter([step for step in late if self.schedule.masked(step)]),
            False: iter([step for step in late if not self.schedule.masked(step)]),
        }
        model = self.state.model
        students = [*model.student.parameters(), *model.projector.parameters()]
        self.plain_optimizer = torch.optim.AdamW(students, lr=1e-4)

    def fast(self, masked: bool) -> None:
        """Train as `semantoks pretrain` does."""
        from semantoks.model.pretrain.step import train_step

        self.state.step = next(self.steps[masked])
        train_step(self.state, self.scan_B, self.packed, self.schedule, self.settings, self.process)

    def plain(self, masked: bool) -> None:
        """Train as one would write it down first; the views are drawn by the same code."""
        import torch

        from speed import plain

        model, views = self.state.model, self._views(masked)
        masks = None if views.mask_WNP is None else views.mask_WNP.chunk(2)
        with torch.autocast(
            self.scan_B.device.type, self.state.precision, self.state.precision is not None
        ):
            losses = plain.losses(model, views.views_WCT.chunk(2), masks)
        self.plain_optimizer.zero_grad()
        losses["total"].backward()
        group = self.plain_optimizer.param_groups[0]
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
        self.plain_optimizer.step()
        plain.update_teacher(model, 0.99)

    def data(self) -> object:
        """Draw the views and masks of a batch."""
        return self._views(masked=True)

    def embed(self) -> object:
        """Embed a batch of windows with the teacher."""
        import torch

        views_WCT = self._views(masked=False).views_WCT[: len(self.scan_B)]
        with torch.inference_mode():
            return self.state.model.teacher.embed(views_WCT)

    def _views(self, masked: bool) -> Any:
        from semantoks.model.pretrain.step import chunk_generators
        from semantoks.model.pretrain.views import draw_views

        networks = len(NETWORK_SIZES) if masked else None
        seeds = chunk_generators(self.schedule, self.state.step, self.scan_B.device, self.process)
        return draw_views(self.packed, self.scan_B, self.settings, networks, seeds)


def table(chosen: argparse.Namespace, laps: dict[str, list[dict[str, Any]]]) -> str:
    """Write what was found as Markdown."""
    lines = [
        f"{chosen.size} size, batch {chosen.batch}, {chosen.precision}, {chosen.device}, "
        f"{chosen.threads} threads; {laps['fast'][0]['parameters'] / 1e6:.2f} M parameters, "
        f"{laps['fast'][0]['flops'] / 1e9:.2f} GFLOP per pair; medians over {LAPS} laps",
        "",
        "| step | s (masked) | s (unmasked) | pairs/s | model GFLOP/s | matrix products | share |",
        "|---|---|---|---|---|---|---|",
    ]
    speed = {}
    for variant, found in laps.items():
        middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
        speed[variant] = 2 * chosen.batch / (middle["masked"] + middle["unmasked"])
        share = statistics.median(
            2 * chosen.batch * one["flops"] / (one["masked"] + one["unmasked"]) / one["matmul"]
            for one in found
        )
        lines.append(
            f"| {variant} | {middle['masked']:.3g} | {middle['unmasked']:.3g} "
            f"| {speed[variant]:.4g} | {speed[variant] * middle['flops'] / 1e9:.4g} "
            f"| {middle['matmul'] / 1e9:.4g} GFLOP/s | {share:.2f} |"
        )
    if "plain" in speed:
        lines += ["", f"The fast step is {speed['fast'] / speed['plain']:.2f} × the plain one."]
    data = chosen.batch / middle["data"]
    lines += [
        f"The data path alone draws {data:.4g} pairs/s, {data / speed['fast']:.3g} × what the "
        f"model consumes. The teacher embeds {chosen.batch / middle['embed']:.4g} windows/s.",
    ]
    if "gigabytes" in middle:
        lines.append(f"Memory of the device: {middle['gigabytes']:.1f} GB at most.")
    return "\n".join(lines)


def main() -> None:
    """Run the laps of all variants in turns, or one lap."""
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

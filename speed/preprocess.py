"""CPU time and memory of the built-in engine for a realistic run, part by part.

    python -m speed.preprocess --out /tmp/run

Simulates runs of 200 volumes at 3.5 mm (64 × 64 × 37 voxels) and 2 s, with a T1w image of 1 mm, and
preprocesses one at 2 mm with registration at 2 mm, the defaults for real data. Printed are CPU
seconds of each part, the time per volume after registration, ANTs' quick SyN (as antspyx runs it)
on the same T1w image, and the largest memory of the process.
Run with OMP_NUM_THREADS=1, since each process of the workflow has one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ants

from semantoks.config import Preprocessing, Simulation
from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.minimal import session
from semantoks.data.preprocess.minimal.derivatives import RunFiles
from semantoks.data.preprocess.minimal.reading import read_t1w
from semantoks.data.preprocess.minimal.template import load_template
from semantoks.data.simulate.dataset import write_dataset

SIMULATION = Simulation(
    participants=4,
    two_sessions=0,
    seconds=400,
    repetition_time=2.0,
    voxel_size=3.5,
    anatomy_voxel_size=1.0,
    faults=False,
)
REGISTRATION = ("register_anatomy", "register_bold")
PARTS = (
    *("read_bold", "read_t1w", "bold_mask", "choose_reference", *REGISTRATION, "realign"),
    *("correct_timing", "resample_mask", "resample", "confound_table"),
)
WRITING = ("write_confounds", "write_mask", "write_bold")


def timed(work: Callable[..., Any], seconds: dict[str, float], name: str) -> Callable[..., Any]:
    """Add the CPU time of each call to a table."""

    def measured(*arguments: Any, **keywords: Any) -> Any:
        started = time.process_time()
        result = work(*arguments, **keywords)
        seconds[name] = seconds.get(name, 0.0) + time.process_time() - started
        return result

    return measured


def preprocess(bids: Path, out: Path) -> dict[str, float]:
    """Preprocess the first participant; return the CPU seconds of each part."""
    bold = next(bids.glob("sub-*/func/*_bold.nii.gz"))
    name = bold.name.removesuffix("_bold.nii.gz")
    t1w = next(bold.parents[1].glob("anat/*_T1w.nii.gz"))
    participant = bold.parents[1].name
    sidecar = json.loads(bold.with_name(f"{name}_bold.json").read_text())
    scan = RawScan(
        scan=name,
        participant_id=participant,
        session="",
        task="rest",
        run="",
        bold=str(bold.relative_to(bids)),
        t1w=str(t1w.relative_to(bids)),
        repetition_time=sidecar["RepetitionTime"],
        slice_timing=json.dumps(sidecar["SliceTiming"]),
        slice_encoding_direction="k",
    )
    seconds = dict[str, float]()
    for part in PARTS:
        patch.object(session, part, timed(getattr(session, part), seconds, part)).start()
    for part in WRITING:
        patch.object(RunFiles, part, timed(getattr(RunFiles, part), seconds, part)).start()
    settings = Preprocessing(voxel_size=2.0, registration_voxel_size=2.0)
    started = time.process_time()
    measures = session.Session(bids, out, scan.t1w, settings).preprocess(scan)
    seconds["all"] = time.process_time() - started
    print(f"{measures['n_volumes']} volumes, Dice {measures['dice']}")
    return seconds


def quick_syn(t1w: Path) -> float:
    """Return the CPU seconds of ANTs' quick SyN on a T1w image and the template of 2 mm."""
    image, template = read_t1w(t1w), load_template(2.0)
    fixed = ants.from_numpy(template.t1w, spacing=(2.0, 2.0, 2.0))
    moving = ants.from_numpy(image.data, spacing=(1.0, 1.0, 1.0))
    started = time.process_time()
    ants.registration(fixed, moving, "antsRegistrationSyNQuick[s]")
    return time.process_time() - started


def main() -> None:
    """Simulate, preprocess, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.resolve()
    bids = out / "bids"
    if not (bids / "participants.tsv").exists():
        write_dataset(bids, out / "truth", SIMULATION, 2, images=True)
    (out / "derivatives").mkdir(exist_ok=True)
    seconds = preprocess(bids, out / "derivatives")
    volumes = SIMULATION.seconds / SIMULATION.repetition_time
    print("| part | CPU s |\n|---|---|")
    for part, value in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"| {part} | {value:.1f} |")
    after = seconds["all"] - sum(seconds[part] for part in REGISTRATION)
    print(f"| per volume after registration | {after / volumes:.3f} |")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"largest memory: {memory:.2f} GiB")
    quick = quick_syn(next(bids.glob("sub-*/anat/*_T1w.nii.gz")))
    print(f"ANTs' quick SyN of the same image: {quick:.1f} CPU s")


if __name__ == "__main__":
    main()

"""How fast regional means are made, against nilearn and against reading the file alone.

    python -m speed.parcellate
    python -m speed.parcellate --shape 97 115 97 --volumes 400

A made-up run (int16) with real labels is averaged over 457 regions. Each way works in a process of
its own, in turns; memory is the largest resident set, with what Python and the libraries take.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from isal import igzip

AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
REGIONS = 457
WAYS = ("nilearn", "semantoks", "reading", "reading with ISA-L")
IMPORTS = {"nilearn": "nilearn.maskers", "semantoks": "semantoks.data.parcellate.volumes"}
LAPS = 3


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(91, 109, 91))
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--lap", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    return parser.parse_args()


def make(folder: Path, shape: tuple[int, ...], volumes: int) -> None:
    """Write a run, compressed and not, a brain mask and an atlas of 457 regions.

    As in MNI space at 2 mm, a quarter of the voxels are brain and 65 % of those in a region.
    """
    rng = np.random.default_rng(0)
    centre = (np.array(shape) - 1)[:, None] / 2
    places = np.indices(shape).reshape(3, -1)
    brain = (((places - centre) / (0.39 * np.array(shape)[:, None])) ** 2).sum(0) < 1
    seeds = places[:, rng.choice(np.flatnonzero(brain), REGIONS, replace=False)]
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(seeds.T).query(places[:, brain].T)
    labels = np.zeros(brain.size, np.int16)
    labels[brain] = np.where(distance <= np.quantile(distance, 0.65), nearest + 1, 0)
    data = np.zeros((brain.size, volumes), np.int16)
    base = rng.normal(1000, 150, brain.sum())
    for volume in range(volumes):
        data[brain, volume] = base + rng.normal(0, 15, brain.sum())
    image = nib.Nifti1Image(data.reshape(*shape, volumes), AFFINE)
    for name in ("bold.nii.gz", "bold.nii"):
        nib.save(image, folder / name)
    nib.save(nib.Nifti1Image(brain.reshape(shape).astype(np.uint8), AFFINE), folder / "mask.nii.gz")
    nib.save(nib.Nifti1Image(labels.reshape(shape), AFFINE), folder / "atlas.nii.gz")


def with_semantoks(folder: Path, bold: Path) -> np.ndarray:
    """Average as the workflow does."""
    from semantoks.data.parcellate.volumes import regional_means

    labels = range(1, REGIONS + 1)
    atlas = nib.load(folder / "atlas.nii.gz")
    return regional_means(bold, folder / "mask.nii.gz", atlas, labels, 0.5).means_TC


def with_nilearn(folder: Path, bold: Path) -> np.ndarray:
    """Average as one would with nilearn."""
    from nilearn.maskers import NiftiLabelsMasker

    masker = NiftiLabelsMasker(
        folder / "atlas.nii.gz", mask_img=folder / "mask.nii.gz", standardize=None
    )
    means: np.ndarray = masker.fit_transform(bold)
    return means


def reading(_: Path, bold: Path, unzip: Callable[[Path], Any] = gzip.open) -> np.ndarray:
    """Read the file to its end, and nothing else."""
    with unzip(bold) if bold.suffix == ".gz" else bold.open("rb") as file:
        buffer = bytearray(1 << 21)
        while file.readinto(buffer):
            pass
    return np.zeros(0)


def lap(chosen: argparse.Namespace) -> dict[str, float]:
    """Time one way in this process, its imports left out."""
    ways = (with_nilearn, with_semantoks, reading, partial(reading, unzip=igzip.open))
    work = dict(zip(WAYS, ways, strict=True))[chosen.lap]
    if chosen.lap in IMPORTS:  # imports are not what is timed
        __import__(IMPORTS[chosen.lap])
    imported = peak_mib()
    before, wall = time.process_time(), time.perf_counter()
    means = work(chosen.folder, chosen.folder / chosen.file)
    return {
        "cpu": time.process_time() - before,
        "wall": time.perf_counter() - wall,
        "mib": peak_mib(),
        "imports": imported,
        "sum": float(means.sum()),
    }


def peak_mib() -> float:
    """Largest resident set of this process so far, in MiB."""
    # Not getrusage: its maximum is inherited from the parent, which made the data.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(folder: Path, file: str) -> dict[str, dict[str, float]]:
    """Run all ways in turns; return medians."""
    laps: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(LAPS):
        for way in WAYS:
            command = [sys.executable, "-m", "speed.parcellate", "--lap", way]
            command += ["--folder", str(folder), "--file", file]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            laps[way].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        way: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for way, found in laps.items()
    }


def added(found: dict[str, float]) -> float:
    """Memory that the work itself takes (MiB)."""
    return found["mib"] - found["imports"]


def table(file: str, found: dict[str, dict[str, float]]) -> str:
    """Write what was found as Markdown."""
    ours, theirs, alone = found["semantoks"], found["nilearn"], found["reading"]
    assert np.isclose(ours["sum"], theirs["sum"], rtol=1e-4), "the two disagree"
    lines = [f"| {file} | wall s | CPU s | peak MiB | of which imports |", "|---|---|---|---|---|"]
    lines += [
        f"| {way} | {one['wall']:.2f} | {one['cpu']:.2f} | {one['mib']:.0f} "
        f"| {one['imports']:.0f} |"
        for way, one in found.items()
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"{theirs['wall'] / ours['wall']:.1f} × as fast as NiftiLabelsMasker, "
            f"1/{theirs['mib'] / ours['mib']:.1f} of its peak memory "
            f"(1/{added(theirs) / added(ours):.0f} without the imports), "
            f"{ours['wall'] / alone['wall']:.2f} × the time of reading it (Python's gzip).",
            "",
        ]
    )


def main() -> None:
    """Make the data and compare, or run one lap."""
    chosen = arguments()
    if chosen.lap:
        print(json.dumps(lap(chosen)))
        return
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), tuple(chosen.shape), chosen.volumes)
        for file in ("bold.nii.gz", "bold.nii"):
            print(table(file, measure(Path(name), file)))


if __name__ == "__main__":
    main()

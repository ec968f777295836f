"""Time regional means against nilearn, and against only reading the file.

    python -m speed.parcellate
    python -m speed.parcellate --shape 97 115 97 --volumes 400

A simulated run (int16) is averaged over 457 regions; once as if it were in native space, through a
warp field of FSL of 2 mm. The methods alternate, each in a separate
process; memory is the peak resident set size, including Python and the libraries.
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
METHODS = ("nilearn", "semantoks", "semantoks, by a warp", "reading", "reading with ISA-L")
VOLUMES = "semantoks.data.parcellate.images.volumes"
IMPORTS = {"nilearn": "nilearn.maskers", "semantoks": VOLUMES, "semantoks, by a warp": VOLUMES}
LAPS = 3


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", type=int, nargs=3, default=(91, 109, 91))
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--lap", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    return parser.parse_args()


def make(folder: Path, shape: tuple[int, ...], volumes: int) -> None:
    """Write a run (compressed and uncompressed), a brain mask and an atlas of 457 regions.

    As in MNI space at 2 mm, a quarter of the voxels are brain, and 65 % of these are in a region.
    """
    rng = np.random.default_rng(0)
    centre = (np.array(shape) - 1)[:, None] / 2
    voxels = np.indices(shape).reshape(3, -1)
    brain = (((voxels - centre) / (0.39 * np.array(shape)[:, None])) ** 2).sum(0) < 1
    seeds = voxels[:, rng.choice(np.flatnonzero(brain), REGIONS, replace=False)]
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(seeds.T).query(voxels[:, brain].T)
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
    field = np.moveaxis(3 * np.sin(np.indices((91, 109, 91)) / 12), 0, -1)
    nib.save(nib.Nifti1Image(field.astype(np.float32), AFFINE), folder / "warp.nii.gz")


def with_semantoks(folder: Path, bold: Path, warp: Path | None = None) -> np.ndarray:
    """Compute regional means as the workflow does."""
    from semantoks.data.parcellate.images.volumes import regional_means

    labels = range(1, REGIONS + 1)
    atlas = nib.load(folder / "atlas.nii.gz")
    return regional_means(bold, folder / "mask.nii.gz", atlas, labels, 0.5, warp).means_TC


def by_warp(folder: Path, bold: Path) -> np.ndarray:
    """Compute regional means of a run in native space."""
    return with_semantoks(folder, bold, folder / "warp.nii.gz")


def with_nilearn(folder: Path, bold: Path) -> np.ndarray:
    """Compute regional means with NiftiLabelsMasker."""
    from nilearn.maskers import NiftiLabelsMasker

    masker = NiftiLabelsMasker(
        folder / "atlas.nii.gz", mask_img=folder / "mask.nii.gz", standardize=None
    )
    means: np.ndarray = masker.fit_transform(bold)
    return means


def reading(_: Path, bold: Path, unzip: Callable[[Path], Any] = gzip.open) -> np.ndarray:
    """Read the file to its end."""
    with unzip(bold) if bold.suffix == ".gz" else bold.open("rb") as file:
        buffer = bytearray(1 << 21)
        while file.readinto(buffer):
            pass
    return np.zeros(0)


def lap(chosen: argparse.Namespace) -> dict[str, float]:
    """Time one method in this process, without its imports."""
    functions = (with_nilearn, with_semantoks, by_warp)
    functions += (reading, partial(reading, unzip=igzip.open))
    work = dict(zip(METHODS, functions, strict=True))[chosen.lap]
    if chosen.lap in IMPORTS:
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
    """Return the peak resident set size of this process in MiB."""
    # getrusage would include the peak of the parent process, which simulated the data.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(folder: Path, file: str) -> dict[str, dict[str, float]]:
    """Run the methods in alternation, and return the medians by method."""
    laps: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
    for _ in range(LAPS):
        for method in METHODS:
            command = [sys.executable, "-m", "speed.parcellate", "--lap", method]
            command += ["--folder", str(folder), "--file", file]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            laps[method].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        method: {key: statistics.median(lap[key] for lap in results) for key in results[0]}
        for method, results in laps.items()
    }


def added_memory(result: dict[str, float]) -> float:
    """Return the peak memory on top of the imports in MiB."""
    return result["mib"] - result["imports"]


def table(file: str, results: dict[str, dict[str, float]]) -> str:
    """Format the results as Markdown."""
    ours, theirs, read = results["semantoks"], results["nilearn"], results["reading"]
    assert np.isclose(ours["sum"], theirs["sum"], rtol=1e-4), "the regional means differ"
    lines = [f"| {file} | wall s | CPU s | peak MiB | of which imports |", "|---|---|---|---|---|"]
    lines += [
        f"| {method} | {result['wall']:.2f} | {result['cpu']:.2f} | {result['mib']:.0f} "
        f"| {result['imports']:.0f} |"
        for method, result in results.items()
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"{theirs['wall'] / ours['wall']:.1f} × as fast as NiftiLabelsMasker, "
            f"1/{theirs['mib'] / ours['mib']:.1f} of its peak memory "
            f"(1/{added_memory(theirs) / added_memory(ours):.0f} without the imports), "
            f"{ours['wall'] / read['wall']:.2f} × the time of reading it (Python's gzip).",
            "",
        ]
    )


def main() -> None:
    """Simulate the data and compare all methods, or run a single lap."""
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

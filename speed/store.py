"""Time writing and reading of time series: Parquet as in the workflow, HDF5, a memory map.

    python -m speed.store --scans 2000

Simulated scans of 457 regions × 490 volumes (float32, z-scored noise, which hardly compresses; real
time series compress slightly better) are written in shards of 100 scans as in the workflow, then
read individually in random order, and all in sequence. Times are CPU seconds of this process, with
the files in the page cache as far as they fit; sizes and minutes are extrapolated to 40,000 scans.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import Manifest, find_scan, iter_scans, write_timeseries

REGIONS, VOLUMES, SHARD, TARGET = 457, 490, 100, 40_000
MEGABYTES = REGIONS * VOLUMES * 4 / 1e6  # of a scan


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scans", type=int, default=2000)
    parser.add_argument("--random", type=int, default=200, help="scans to read in random order")
    parser.add_argument("--only", nargs="*", help="measure only stores whose names begin so")
    parser.add_argument("--folder", type=Path, help="folder to write to (36 GB for 40,000 scans)")
    return parser.parse_args()


def scan(number: int) -> np.ndarray:
    """Simulate a scan: smooth, z-scored noise of shape (regions, volumes)."""
    rng = np.random.default_rng(number)
    noise = rng.standard_normal((REGIONS, VOLUMES + 2), np.float32)
    smooth = noise[:, :-2] + 2 * noise[:, 1:-1] + noise[:, 2:]
    return smooth / smooth.std(axis=1, keepdims=True)


class ParquetStore:
    """The format of the workflow: a row and a row group per scan."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, number: int) -> Path:
        return self.folder / f"shard-{number // SHARD:04d}.parquet"

    def write(self, first: int, scans: list[np.ndarray]) -> None:
        """Write a shard."""
        names = [f"sub-{n:06d}" for n in range(first, first + len(scans))]
        table = pd.DataFrame({"scan": names, "participant_id": names})
        table = table.assign(session="", task="rest", run="", status="ok", reason="")
        labels = tuple(f"region {n}" for n in range(REGIONS))
        manifest = Manifest(
            atlas="a", atlas_sha256="", labels=labels, networks=labels, space="", tr=2.0,
            low_pass=0.1, high_pass=0.01, confounds="", engine="",
        )  # fmt: skip
        write_timeseries(self._path(first), table, scans, manifest)

    def read_scan(self, number: int) -> np.ndarray:
        """Read one scan."""
        scan, _ = find_scan(self._path(number), f"sub-{number:06d}")
        assert scan is not None
        return scan.timeseries_CT

    def read_all(self, _: int) -> Iterator[np.ndarray]:
        """Read every scan in order."""
        for scan in iter_scans(sorted(self.folder.glob("*.parquet"))):
            yield scan.timeseries_CT


class Hdf5Store:
    """A single HDF5 file with a chunk per scan, optionally compressed."""

    def __init__(self, folder: Path, compression: str | None) -> None:
        self.path, self.compression = folder / "scans.h5", compression

    def write(self, first: int, scans: list[np.ndarray]) -> None:
        """Append a shard."""
        with h5py.File(self.path, "a") as file:
            if "t" not in file:
                file.create_dataset(
                    "t", (0, REGIONS, VOLUMES), "f4", maxshape=(None, REGIONS, VOLUMES),
                    chunks=(1, REGIONS, VOLUMES), compression=self.compression,
                )  # fmt: skip
            file["t"].resize(first + len(scans), axis=0)
            file["t"][first:] = np.stack(scans)

    def read_scan(self, number: int) -> np.ndarray:
        """Read one scan."""
        with h5py.File(self.path) as file:
            return np.asarray(file["t"][number])

    def read_all(self, scans: int) -> Iterator[np.ndarray]:
        """Read every scan in order."""
        with h5py.File(self.path) as file:
            for number in range(scans):
                yield np.asarray(file["t"][number])


class MapStore:
    """A flat array in a file, without names and manifest: a lower bound."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "scans.f4"

    def write(self, _: int, scans: list[np.ndarray]) -> None:
        """Append a shard."""
        with self.path.open("ab") as file:
            for scan in scans:
                file.write(np.ascontiguousarray(scan).data)

    def _map(self) -> np.ndarray:
        return np.memmap(self.path, np.float32, "r").reshape(-1, REGIONS, VOLUMES)

    def read_scan(self, number: int) -> np.ndarray:
        """Read one scan."""
        return np.array(self._map()[number])

    def read_all(self, scans: int) -> Iterator[np.ndarray]:
        """Read every scan in order."""
        for number in range(scans):
            yield np.array(self._map()[number])


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU time of a call in seconds."""
    before = time.process_time()
    work()
    return time.process_time() - before


def measure(
    store: ParquetStore | Hdf5Store | MapStore, folder: Path, chosen: argparse.Namespace
) -> str:
    """Time a store, and return its row of the table."""
    writing = 0.0
    for first in range(0, chosen.scans, SHARD):
        shard = [scan(n) for n in range(first, min(first + SHARD, chosen.scans))]
        writing += cpu(lambda first=first, shard=shard: store.write(first, shard))
    sample = np.random.default_rng(0).choice(chosen.scans, chosen.random, replace=False)
    assert np.array_equal(store.read_scan(int(sample[0])), scan(int(sample[0])))
    random = cpu(lambda: [store.read_scan(int(number)) for number in sample])
    reading = cpu(lambda: sum(float(x_CT[0, 0]) for x_CT in store.read_all(chosen.scans)))
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    total = chosen.scans * MEGABYTES
    return (
        f"| {size / chosen.scans * TARGET:.1f} | {total / writing:.0f} "
        f"| {1e3 * random / chosen.random:.1f} | {total / reading:.0f} "
        f"| {reading / chosen.scans * TARGET / 60:.1f} |"
    )


def main() -> None:
    """Measure every store and print the table."""
    chosen = arguments()
    print(f"{chosen.scans} scans of {MEGABYTES:.2f} MB; sizes and minutes for {TARGET:,} scans\n")
    print("| store | GB | write, MB/CPU-s | random scan, CPU ms | full read, MB/CPU-s | CPU min |")
    print("|---|---|---|---|---|---|")
    stores = {
        "Parquet, a row group per scan (semantoks)": ParquetStore,
        "HDF5": lambda folder: Hdf5Store(folder, None),
        "HDF5, gzip": lambda folder: Hdf5Store(folder, "gzip"),
        "memory map": MapStore,
    }
    for name, make in stores.items():
        if chosen.only and not name.lower().startswith(tuple(chosen.only)):
            continue
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            row = measure(make(Path(folder)), Path(folder), chosen)
            print(f"| {name} {row}", flush=True)


if __name__ == "__main__":
    main()

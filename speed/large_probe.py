"""Time and memory of the exact probe of a large cohort, in single precision and in double.

    python -m speed.large_probe --people 10000 --out /tmp/large

Simulated features (as many as the connectivity of 300 regions has; a spectrum that falls with
1 / rank, and noise) are written as a representation, read and scored on one split: a number and two
classes, with permutations. The workflow takes single precision from `LARGE` training participants
on; both run in processes of their own, and their scores are compared. With `--single` there is no
comparison, for cohorts whose double precision does not fit. Memory is what the process holds by
itself: features in files are pages that the system reclaims when needed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from experiments.differences import problem_of
from semantoks.artifacts import representations
from semantoks.artifacts.representations import read_participant_features, write_representation
from semantoks.config import Probe
from semantoks.scores.probe import features as probe_features
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features

FACTORS, AT_A_TIME = 1000, 500
METRICS = {"regression": ("pearson_r", "r2"), "classification": ("auroc", "balanced_accuracy")}


def rows(people: int, features: int, values: list[float]) -> Iterator[np.ndarray]:
    """Yield the features of one person after another, and collect a value of each."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((FACTORS, features), np.float32)
    for start in range(0, people, AT_A_TIME):
        number = min(AT_A_TIME, people - start)
        factors = rng.standard_normal((number, FACTORS)) / np.sqrt(np.arange(1, FACTORS + 1))
        values += (factors[:, 10:60].sum(axis=1) + rng.standard_normal(number)).tolist()
        noise = rng.standard_normal((number, features), np.float32)
        yield from factors.astype(np.float32) @ loadings + noise


def simulate(folder: Path, people: int, features: int) -> None:
    """Write the representation and the values of its participants."""
    folder.mkdir(parents=True, exist_ok=True)
    names, values = [f"p{number:06d}" for number in range(people)], list[float]()
    entities = {"scan": names, "participant_id": names, "session": "", "task": "", "run": ""}
    path = folder / "features.parquet"
    write_representation(path, pd.DataFrame(entities), rows(people, features, values))
    (folder / "values.json").write_text(json.dumps(values))


class Memory(threading.Thread):
    """Watch the largest memory of this process that is not backed by a file."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0

    def run(self) -> None:
        """Look at it fifty times a second."""
        while True:
            status = Path("/proc/self/status").read_text()
            anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon"))
            self.peak_kb = max(self.peak_kb, int(anonymous.split()[1]))
            time.sleep(0.02)


def measure(folder: Path, precision: str, splits: int, permutations: int) -> None:
    """Score the simulated cohort, and print seconds, memory and scores as JSON."""
    limit = sys.maxsize if precision == "double" else 1
    patch.object(probe_features, "LARGE", limit).start()
    patch.object(representations, "LARGE_FEATURES", limit).start()
    memory, laps, scores = Memory(), dict[str, float](), dict[str, float]()
    memory.start()
    started = time.perf_counter()
    read = read_participant_features(folder / "features.parquet", scratch=folder)
    laps["read"] = time.perf_counter() - started
    values = np.array(json.loads((folder / "values.json").read_text()))
    settings = Probe(repeats=splits, permutations=permutations, learning_curve=[])
    for kind, metrics in METRICS.items():
        problem = problem_of(values, kind, 0)  # type: ignore[arg-type]
        started = time.perf_counter()
        result = score_features(problem, [Features(read.features_PF)], settings)
        laps[kind] = (time.perf_counter() - started) / splits
        scores |= {metric: float(result.scores[metric].mean()) for metric in metrics}
        if result.permutation_test is not None:
            scores[f"p, {kind}"] = result.permutation_test.p
    print(json.dumps({"GB": memory.peak_kb / 1e6, "seconds": laps, "scores": scores}))


def main() -> None:
    """Simulate the cohort and measure both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=44_850)
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--out", type=Path, required=True, help="folder for the simulated cohort")
    parser.add_argument("--single", action="store_true", help="leave out double precision")
    parser.add_argument("--measure", choices=["single", "double"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.out, chosen.measure, chosen.splits, chosen.permutations)
        return
    simulate(chosen.out, chosen.people, chosen.features)
    for precision in ("single",) if chosen.single else ("single", "double"):
        again = [sys.executable, "-m", "speed.large_probe", *sys.argv[1:], "--measure", precision]
        done = subprocess.run(again, check=True, stdout=subprocess.PIPE, text=True)
        print(precision, done.stdout.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()

"""A cohort as large as one likes: time series of made-up people, and plans of 40,000.

    python -m benchmarks.scale people --out /tmp/scale --people 5000
    snakemake --cores all -d /tmp/scale --configfile /tmp/scale/config.yaml

    python -m benchmarks.scale plan --out /tmp/plan

The first writes a Parquet file per hundred people, as the workflow itself would have (300 regions,
490 volumes at 0.735 s, as UK Biobank), and a configuration. Signals have a common spectrum and a
correlation between regions; `group` is planted in the coherence of ten regions, `trait` in the
spectrum of ten others, `null` nowhere. The second writes the configuration of 40,000 people in 13
data sets with 140 phenotypes and says how long Snakemake plans, and with how much memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.signal import lfilter

REGIONS, VOLUMES, TR = 300, 490, 0.735
PLANTED = 10  # regions that carry a phenotype
ROOT = Path(__file__).resolve().parents[1]


def signals(rng: np.random.Generator, mixing: np.ndarray, group: int, trait: float) -> np.ndarray:
    """Time series (volumes, regions) of one person."""
    sources = lfilter([1], [1, -0.6], rng.standard_normal((VOLUMES, mixing.shape[0])), axis=0)
    x = sources @ mixing + lfilter([1], [1, -0.3], rng.standard_normal((VOLUMES, REGIONS)), axis=0)
    common = lfilter([1], [1, -0.6], rng.standard_normal((VOLUMES, 1)), axis=0)
    x[:, :PLANTED] += (0.6 if group else 0.2) * common
    slow = 0.5 + 0.15 * np.tanh(trait)
    noise = rng.standard_normal((VOLUMES, PLANTED))
    x[:, PLANTED : 2 * PLANTED] += lfilter([1], [1, -slow], noise, axis=0)
    return x.astype(np.float32)


def write_people(out: Path, people: int, epochs: int) -> None:
    """Write a table per person and a configuration."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((20, REGIONS)) / 4
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    names = [f"sub-{number:05d}" for number in range(people)]
    group, trait = rng.integers(0, 2, people), rng.standard_normal(people)
    for number, name in enumerate(names):
        np.save(data / f"{name}.npy", signals(rng, mixing, int(group[number]), trait[number]))
    table = {"participant_id": names, "group": np.where(group, "b", "a"), "trait": trait}
    table |= {"null": rng.standard_normal(people), "age": rng.integers(40, 80, people)}
    pd.DataFrame(table).to_csv(data / "participants.tsv", sep="\t", index=False)
    sizes = {"tokenizer": {"dense_channels": 64, "structured_channels": 64}, "depth": 4}
    dataset = {
        "source": "timeseries",
        "path": "data",
        "template": "{participant}.npy",
        "repetition_time": TR,
        "shards": max(1, people // 100),
        "phenotypes": {
            "group": "classification",
            "trait": "regression",
            "null": "regression",
        },
    }
    model = {
        "cpu_threads": 2,
        "architecture": sizes | {"projector_hidden": 256, "projector_output": 64},
        "training": {"epochs": epochs, "batch_size": 128},
    }
    write_configuration(
        out,
        {
            "datasets": {"cohort": dataset},
            "models": {"semantoks": model},
            "baselines": ["fc", "confounds"],
            "stacked": False,
            "probe": {"repeats": 5, "permutations": 100, "learning_curve": []},
        },
    )


def write_configuration(out: Path, content: dict[str, Any]) -> None:
    """Write the configuration of a run in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def write_plan(out: Path) -> None:
    """Write tables of 40,000 people in 13 data sets, and their configuration."""
    datasets = {}
    for number in range(13):
        name, people = ("ukb", 28_000) if number == 0 else (f"site{number:02d}", 1000)
        phenotypes = [f"p{index:03d}" for index in range(80 if number == 0 else 5)]
        folder = out / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"participant_id": [f"sub-{i:06d}" for i in range(people)]}
        table = pd.DataFrame(columns).assign(**dict.fromkeys(phenotypes, 1))
        table.to_csv(folder / "participants.tsv", sep="\t", index=False)
        datasets[name] = {
            "path": f"data/{name}",
            "shards": people // 100,
            "phenotypes": dict.fromkeys(phenotypes, "regression"),
        }
    models = {"semantoks": {"readouts": ["pooled", "networks"]}}
    write_configuration(out, {"datasets": datasets, "models": models})


def plan(out: Path, *target: str) -> tuple[float, float]:
    """Seconds and MB of a dry run."""
    command = [sys.executable, "-m", "snakemake", *target, "-n", "--quiet", "all"]
    command += ["-s", str(ROOT / "Snakefile"), "--configfile", "config.yaml", "-d", str(out)]
    before = time.perf_counter()
    with subprocess.Popen(command, cwd=out, stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = status
    if status:
        raise SystemExit(f"the plan failed: {' '.join(command)}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def main() -> None:
    """Write people, or write plans and measure them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["people", "plan"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=3)
    chosen = parser.parse_args()
    out = chosen.out.resolve()
    if chosen.what == "people":
        write_people(out, chosen.people, chosen.epochs)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{chosen.people} people in {out}/data, {megabytes:.0f} MB of memory")
        return
    write_plan(out)
    print("| target | s | MB |\n|---|---|---|")
    for target in ((), ("benchmark_site03",), ("benchmark_ukb",)):
        seconds, megabytes = plan(out, *target)
        print(f"| {' '.join(target) or 'all'} | {seconds:.1f} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()

"""Measure cost at the scale of a biobank: simulated cohorts, and plans for 40,000 participants.

    python -m speed.scale people --out /tmp/scale --people 5000
    snakemake --cores all -d /tmp/scale --configfile /tmp/scale/config.yaml

    python -m speed.scale costs --out /tmp/scale

    python -m speed.scale plan --out /tmp/plan

`people` writes the configuration of a simulated cohort of time series (300 regions, 490 volumes at
0.735 s as in UK Biobank, phenotypes as in the demo). `costs` sums up time, memory and disk space of
the jobs of a run, from the provenance sidecars. `plan` writes the configuration of 40,000
participants in 13 data sets with 140 phenotypes, and measures the time that Snakemake needs until
the first job could start, and time and memory of a dry run, which also formats all jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from semantoks.artifacts.provenance import SUFFIX

VOLUMES, TR = 490, 0.735  # as in UK Biobank
ROOT = Path(__file__).resolve().parents[1]
VARIANT, SHARED = "variant.yaml", "shared.yaml"


def write_cohort(out: Path, participants: int, epochs: int) -> None:
    """Write the configuration of a simulated cohort with scans as long as in UK Biobank."""
    simulation = {"participants": participants, "two_sessions": 0, "seconds": VOLUMES * TR}
    dataset = {
        "source": "timeseries",
        "simulate": simulation | {"repetition_time": TR},
        "shards": max(1, participants // 100),
        "phenotypes": {
            "group": "classification",
            "trait": "regression",
            "null": "classification",
        },
    }
    model = {
        "cpu_threads": 2,
        "readouts": ["pooled", "networks"],
        "architecture": {
            "tokenizer": {"dense_channels": 64, "structured_channels": 64},
            "depth": 4,
            "projector_hidden": 256,
            "projector_output": 64,
        },
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
    """Write config.yaml into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def write_plan(out: Path) -> None:
    """Write participants tables and configuration of 40,000 participants in 13 data sets."""
    datasets = {}
    for number in range(13):
        name, participants = ("ukb", 28_000) if number == 0 else (f"site{number:02d}", 1000)
        phenotypes = [f"p{index:03d}" for index in range(80 if number == 0 else 5)]
        folder = out / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"participant_id": [f"sub-{i:06d}" for i in range(participants)]}
        table = pd.DataFrame(columns).assign(**dict.fromkeys(phenotypes, 1))
        table.to_csv(folder / "participants.tsv", sep="\t", index=False)
        datasets[name] = {
            "path": f"data/{name}",
            "shards": participants // 100,
            "phenotypes": dict.fromkeys(phenotypes, "regression"),
        }
    models = {"semantoks": {"readouts": ["pooled", "networks"]}}
    write_configuration(out, {"datasets": datasets, "models": models})
    variants = {"gsr": {"parcellation": {"low_pass": 0.08}}}
    content = {"datasets": datasets, "models": models, "variants": variants}
    for name, splits in ((VARIANT, {}), (SHARED, {"splits": {"shared": True}})):
        text = yaml.safe_dump(content | splits, sort_keys=False)
        (out / name).write_text(text, encoding="utf-8")


def plan(out: Path, *target: str, configuration: str = "config.yaml") -> str:
    """Return time (s) of a plan, time (s) and memory (MB) of a dry run, as cells of a table."""
    common = ["-s", str(ROOT / "Snakefile"), "--configfile", configuration, "-d", str(out)]
    planned, _ = snakemake(out, *target, "--rulegraph", *common)
    dry, memory = snakemake(out, *target, "-n", "--quiet", "all", *common)
    return f"{planned:.1f} | {dry:.1f} | {memory:.0f}"


def snakemake(out: Path, *arguments: str) -> tuple[float, float]:
    """Return wall time (s) and peak memory (MB) of Snakemake."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    before = time.perf_counter()
    with subprocess.Popen(command, cwd=out, stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = status
    if status:
        raise SystemExit(f"Snakemake failed: {' '.join(command)}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def costs(results: Path) -> pd.DataFrame:
    """Sum up time and disk space of the jobs of each stage, and find their peak memory."""
    rows = []
    for path in results.rglob(f"*{SUFFIX}"):
        row, artifact = json.loads(path.read_text()), path.with_name(path.name.removesuffix(SUFFIX))
        row["MB on disk"] = artifact.stat().st_size / 1e6 if artifact.is_file() else 0
        # A job with several artifacts writes the same values into each sidecar.
        row["job"] = str(row["inputs"]), str(row["settings"]), row["seconds"]
        rows.append(row)
    stages = pd.DataFrame(rows).groupby("stage", sort=False)
    jobs = stages.apply(lambda stage: stage.drop_duplicates("job")["seconds"].agg(["size", "sum"]))
    table = jobs.set_axis(["jobs", "s"], axis=1).astype(int)
    table["largest MB"] = stages["peak_memory_mb"].max()
    table["MB on disk"] = stages["MB on disk"].sum().round(1)
    return table


def main() -> None:
    """Write a cohort, sum up its costs, or measure plans."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["people", "costs", "plan"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=3)
    chosen = parser.parse_args()
    out = chosen.out.resolve()
    if chosen.what == "people":
        write_cohort(out, chosen.people, chosen.epochs)
        return
    if chosen.what == "costs":
        print(costs(out / "results").to_string())
        return
    write_plan(out)
    print("| target | plan, s | dry run, s | MB |\n|---|---|---|---|")
    for target in ((), ("benchmark_site03",), ("benchmark_ukb",)):
        print(f"| {' '.join(target) or 'all'} | {plan(out, *target)} |")
    print(f"| all, and a variant of all time series | {plan(out, configuration=VARIANT)} |")
    print(f"| the same with shared splits | {plan(out, configuration=SHARED)} |")


if __name__ == "__main__":
    main()

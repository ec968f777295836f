"""Measure how scores of simulated phenotypes depend on the size of the pretraining cohort.

    python -m experiments.planted --out /tmp/planted
    snakemake --cores all -d /tmp/planted --configfile /tmp/planted/config.yaml

Writes a configuration with the phenotypes and the model of the demo (`config.yaml`), but with
simulated time series instead of images, so that a thousand participants take seconds. The model is
pretrained on cohorts of several sizes for several numbers of steps; every model is scored on the
same separate cohort. Learning curves show how the scores depend on the number of training
participants.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from speed.scale import ROOT, write_configuration

TESTED, SEED = 500, 100
CURVE = [0.05, 0.1, 0.25]  # fractions of the training participants: 20, 40 and 100


def cohort(participants: int, seed: int, phenotypes: dict[str, str]) -> dict[str, Any]:
    """Return the configuration of a simulated data set of time series."""
    return {
        "source": "timeseries",
        "simulate": {"participants": participants, "two_sessions": 0, "seconds": 360, "seed": seed},
        "shards": max(1, participants // 100),
        "phenotypes": phenotypes,
    }


def configuration(sizes: list[int], steps: list[int]) -> dict[str, Any]:
    """Return a configuration with a model for each cohort size and number of steps."""
    demo = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    datasets = {"tested": cohort(TESTED, SEED, demo["datasets"]["demo"]["phenotypes"])}
    datasets |= {f"people{n}": cohort(n, SEED + n, {}) for n in sizes}
    model, models = demo["models"]["semantoks"], {}
    batch = model["training"]["batch_size"]
    for n in sizes:
        for number in steps:
            crops = max(1, batch // n)  # a batch cannot be larger than an epoch
            epochs = round(number / max(1, n * crops // batch))
            training = {"epochs": epochs, "crops_per_epoch": crops, "warmup_epochs": epochs / 10}
            models[f"people{n}steps{number}"] = model | {
                "datasets": [f"people{n}"],
                "training": model["training"] | training,
            }
    untrained = model | {"datasets": ["tested"], "training": {"epochs": 0}}
    return {
        "datasets": datasets,
        "parcellation": demo["parcellation"],
        "models": {"untrained": untrained} | models,
        "baselines": ["fc"],
        "stacked": False,
        "probe": {"repeats": 20, "permutations": 0, "learning_curve": CURVE},
    }


def main() -> None:
    """Write the configuration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, nargs="+", default=[48, 300, 1000])
    parser.add_argument("--steps", type=int, nargs="+", default=[300, 1000, 3000])
    chosen = parser.parse_args()
    write_configuration(chosen.out, configuration(chosen.people, chosen.steps))


if __name__ == "__main__":
    main()

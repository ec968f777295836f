"""How many people does it take? Planted phenotypes, learned from more and more people.

    python -m experiments.planted --out /tmp/planted
    snakemake --cores all -d /tmp/planted --configfile /tmp/planted/config.yaml

Writes a configuration: the people, the model and the probe of the demo (`config.yaml`), but time
series without images, so that a thousand people take seconds. The model is pretrained on cohorts of
several sizes for several numbers of steps, and all are scored on one further cohort, whom none of
them has seen. The learning curves say what is found with how many training people.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from speed.scale import ROOT, write_configuration

TESTED, SEED = 500, 100
CURVE = [0.05, 0.1, 0.25]  # parts of the training people: 20, 40 and 100


def cohort(people: int, seed: int, phenotypes: dict[str, str]) -> dict[str, Any]:
    """Describe a made-up data set of time series."""
    return {
        "source": "timeseries",
        "simulate": {"participants": people, "two_sessions": 0, "seconds": 360, "seed": seed},
        "shards": max(1, people // 100),
        "phenotypes": phenotypes,
    }


def configuration(people: list[int], steps: list[int]) -> dict[str, Any]:
    """Build a configuration with a model for each number of people and of steps."""
    demo = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    datasets = {"tested": cohort(TESTED, SEED, demo["datasets"]["demo"]["phenotypes"])}
    datasets |= {f"people{n}": cohort(n, SEED + n, {}) for n in people}
    model, models = demo["models"]["semantoks"], {}
    batch = model["training"]["batch_size"]
    for n in people:
        for number in steps:
            crops = max(1, batch // n)  # a batch is no larger than an epoch
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
    """Write a configuration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, nargs="+", default=[48, 300, 1000])
    parser.add_argument("--steps", type=int, nargs="+", default=[300, 1000, 3000])
    chosen = parser.parse_args()
    write_configuration(chosen.out, configuration(chosen.people, chosen.steps))


if __name__ == "__main__":
    main()

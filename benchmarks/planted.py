"""How many people does it take? Planted phenotypes, the demo's generator without its images.

    python -m benchmarks.planted --out /tmp/planted --people 1000
    snakemake --cores all -d /tmp/planted --configfile /tmp/planted/config.yaml

The people, their activity and the model are those of `config.yaml`; instead of images there are
regional means with thermal noise, so that a thousand people take a minute. The learning curves of
the scores say what each representation finds with how many of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.scale import ROOT, write_configuration
from semantoks.config import Simulation
from semantoks.simulate.activity import load_regions, region_signals, sample
from semantoks.simulate.people import draw_people

TR = 2.5  # s
NOISE = 0.5  # standard deviation of a region's noise, relative to its activity
CURVE = [0.025, 0.05, 0.1, 0.2, 0.5]  # parts of the training people


def write_people(out: Path, people: int, seconds: float, seed: int) -> None:
    """Write a table per person, and the table of people."""
    regions, data = load_regions(), out / "data"
    data.mkdir(parents=True, exist_ok=True)
    drawn = draw_people(
        Simulation(participants=people, two_sessions=0, faults=False, seed=seed),
        regions.network_names,
    )
    times = np.arange(0, seconds - TR, TR)
    for person in drawn:
        rng = np.random.default_rng([seed, 5, person.index])
        signals_CT = sample(region_signals(rng, person, regions, seconds), times)
        signals_CT += NOISE * rng.standard_normal(signals_CT.shape)
        np.save(data / f"{person.label}.npy", signals_CT.T.astype(np.float32))
    table = {
        "participant_id": [person.label for person in drawn],
        **{key: [getattr(p, key) for p in drawn] for key in ("age", "sex", "group", "trait", "null")},
    }
    pd.DataFrame(table).to_csv(data / "participants.tsv", sep="\t", index=False)


def configuration(people: int, steps: list[int]) -> dict[str, Any]:
    """Take the demo's configuration, with these people and a model for each number of steps."""
    demo = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    dataset = {
        "source": "timeseries",
        "path": "data",
        "template": "{participant}.npy",
        "repetition_time": TR,
        "shards": max(1, people // 100),
        "phenotypes": demo["datasets"]["demo"]["phenotypes"],
    }
    model = demo["models"]["semantoks"]
    batch = model["training"]["batch_size"]
    models = {}
    for number in steps:
        crops = max(1, round(number * batch / people / 10))
        epochs = round(number * batch / people / crops)
        training = model["training"] | {"epochs": epochs, "crops_per_epoch": crops}
        models[f"steps{number}"] = model | {"training": training}
    return {
        "datasets": {"planted": dataset},
        "parcellation": demo["parcellation"] | {"confounds": "none"},
        "models": models,
        "baselines": ["fc"],
        "stacked": False,
        "probe": {"repeats": 10, "permutations": 0, "learning_curve": CURVE},
    }


def main() -> None:
    """Write people and a configuration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=360)
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 300, 3000])
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    write_people(chosen.out, chosen.people, chosen.seconds, chosen.seed)
    write_configuration(chosen.out, configuration(chosen.people, chosen.steps))


if __name__ == "__main__":
    main()

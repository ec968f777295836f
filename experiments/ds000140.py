"""Prepare the heat-pain task of ds000140 as blocks of the workflow.

    python -m experiments.ds000140 ../shared/data --out /tmp/ds000140
    snakemake --cores all -d /tmp/ds000140 --configfile /tmp/ds000140/config.yaml

The first command writes the runs with their events in the layout of BIDS, resting scans of other
people (for pretraining), the table of regions, and a configuration: blocks of 10 s of heat and of
rating; a small model pretrained on the resting scans, the same on the runs of the task, and
untrained; the baselines; heat against rating, high against low temperature, temperature and rating.
Source of the data: Woo et al. 2015, doi:10.1371/journal.pbio.1002036.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

TASK, REST = "ds000140_pain_task_mist122", "rpn_pain_mist122"
TR = 2.0
# Onsets in the files count from the beginning of the session; in every run the first heat comes
# as long after the first volume as in the first run.
FIRST_HEAT = 10.216
# MIST at the level of 7 networks: in the order of the files, by the first region of each.
FIRST_REGIONS = {
    "cerebellum": "CER6_p",
    "default": "POsul_d",
    "frontoparietal": "R_VLPFcor",
    "limbic": "CAUDNH_NACC",
    "motor": "L_MOTnet_dl",
    "ventralattention": "l_PCsul",
    "visual": "PVISnet_l",
}
SIZES = {"tokenizer": {"dense_channels": 64, "structured_channels": 64}, "depth": 4}


def events_of(text: str) -> pd.DataFrame:
    """Return the events of a run: heat with its temperature and the rating that follows, rating."""
    raw = pd.read_csv(io.StringIO(text), sep="\t")
    is_heat = raw["temperature"].notna()
    regulation = raw["regulate-up/down"].astype(object).fillna("passive")
    return pd.DataFrame(
        {
            "onset": (raw["onset"] - raw["onset"].iloc[0] + FIRST_HEAT).round(3),
            "duration": raw["duration"],
            "trial_type": np.where(is_heat, "heat", "rating"),
            "temperature": raw["temperature"],
            "rating": raw["ratings"].shift(-1).where(is_heat),
            "regulation": regulation,
        }
    )


def write_task(source: Path, out: Path) -> list[str]:
    """Write runs, events and people; constant regions become NaN. Return the regions."""
    events = json.loads((source / "events.json").read_text(encoding="utf-8"))
    with np.load(source / "timeseries.npz") as file:
        regions = [str(name) for name in file["regions"]]
        runs = {name: file[name] for name in file if name != "regions"}
    for name, values_TC in runs.items():
        person, number = re.fullmatch(r"(sub-\d+)_run-0*(\d+)", name).groups()  # type: ignore[union-attr]
        folder, stem = out / person / "func", f"{person}_task-pain_run-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        known = np.where(values_TC.std(axis=0) > 0, values_TC, np.nan)
        write_table(pd.DataFrame(known, columns=regions), folder / f"{stem}_timeseries.tsv")
        key = f"{person}_task-heatpainwithregulationandratings_{name[-6:]}_events.tsv"
        write_table(events_of(events[key]), folder / f"{stem}_events.tsv")
    (out / "task-pain_timeseries.json").write_text(json.dumps({"RepetitionTime": TR}))
    people = pd.read_csv(source / "participants.tsv", sep="\t")
    write_table(people, out / "participants.tsv")
    return regions


def write_rest(source: Path, out: Path) -> None:
    """Write the resting scans and their people."""
    out.mkdir(parents=True, exist_ok=True)
    people = pd.read_csv(source / "participants.tsv", sep="\t")
    with np.load(source / "timeseries.npz") as file:
        for person in people["participant_id"]:
            values_TC = file[person].astype(float)
            known = np.where(values_TC.std(axis=0) > 0, values_TC, np.nan)
            write_table(pd.DataFrame(known, columns=file["regions"]), out / f"{person}.tsv")
    write_table(people, out / "participants.tsv")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a TSV."""
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")


def write_atlas(regions: list[str], path: Path) -> None:
    """Write the table of regions with their networks."""
    first = {name: network for network, name in FIRST_REGIONS.items()}
    networks = pd.Series([first.get(name) for name in regions]).ffill()
    index = range(1, len(regions) + 1)
    write_table(pd.DataFrame({"index": index, "name": regions, "network": networks}), path)


def configuration(out: Path, epochs: int, repeats: int) -> dict[str, Any]:
    """Return the configuration of the workflow."""
    temperatures = {"42.3": "low", "43.3": "low", "45.3": "high", "46.3": "high"}
    model = {"architecture": SIZES, "cpu_threads": 2}
    both = {"readouts": ["pooled", "networks"]}
    # Few scans make few steps, so each is larger than by default.
    training = {"epochs": epochs, "batch_size": 16, "warmup_epochs": 2, "learning_rate": 8e-3}
    return {
        "atlas": "mist122",
        "atlases": {"mist122": {"table": str(out / "mist122.tsv")}},
        "datasets": {
            "pain": {
                "source": "timeseries",
                "path": str(out / "pain"),
                # Of equal length, or the length would tell heat from rating.
                "events": {"seconds": 10},
                "phenotypes": {
                    "trial_type": "classification",
                    "high_or_low": {
                        "kind": "classification",
                        "column": "temperature",
                        "values": temperatures,
                    },
                    "temperature": "regression",
                    "rating": "regression",
                },
            },
            "rest": {
                "source": "timeseries",
                "path": str(out / "rest"),
                "template": "{participant}.tsv",
                "repetition_time": "tr",
            },
        },
        "models": {
            "rested": model | both | {"training": training, "datasets": ["rest"]},
            "tasked": model | both | {"training": training, "datasets": ["pain"]},
            "untrained": model | {"training": training | {"epochs": 0}},
        },
        "baselines": ["fc", "fc_gsr", "tangent", "tangent_gsr", "mean_activity", "confounds"],
        "stacked": False,
        "probe": {"repeats": repeats, "learning_curve": [], "permutations": 199},
    }


def main() -> None:
    """Write the data and the configuration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help=f"Folder with {TASK} and {REST}.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=10)
    chosen = parser.parse_args()
    source, out = chosen.source.resolve(), chosen.out.resolve()
    regions = write_task(source / TASK, out / "pain")
    write_rest(source / REST, out / "rest")
    write_atlas(regions, out / "mist122.tsv")
    content = configuration(out, chosen.epochs, chosen.repeats)
    (out / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()

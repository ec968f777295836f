"""Prepare ABIDE I as a data set of the workflow.

    python -m experiments.abide ../shared/data/abide1_cc200 --out /tmp/abide
    snakemake --cores all -d /tmp/abide --configfile /tmp/abide/config.yaml

The first command writes the regional time series of all scans of good quality except duplicates,
each at its original TR, the participants table, and a configuration: a small model, the same model
untrained, all baselines; diagnosis, sex, age and FIQ; random splits and leave-one-site-out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from semantoks.config import CONNECTIVITY

MAX_CONSTANT = 20  # constant regions that a scan may have, of 200
SIZES = {"tokenizer": {"dense_channels": 96, "structured_channels": 96}, "depth": 4}


def good_scans(source: Path) -> pd.DataFrame:
    """Select scans of good quality with few constant regions, without duplicates."""
    table = pd.read_csv(source / "participants.tsv", sep="\t")
    accepted = (table["duplicate_scan"] == 0) & (table["pcp_quality_ok"] == 1)
    return table[accepted & (table["n_const_rois"] <= MAX_CONSTANT)]


def write_data(source: Path, out: Path) -> None:
    """Write time series, region names and participants; constant regions become NaN."""
    participants = good_scans(source)
    names = [f"cc200_{label}" for label in pd.read_csv(source / "rois.tsv", sep="\t")["label"]]
    out.mkdir(parents=True, exist_ok=True)
    with np.load(source / "timeseries.npz") as file:
        volumes, mean, deviation = file["z"], file["mean"], file["sd"]
        number = {name: row for row, name in enumerate(file["participant_id"])}
    for participant in participants.itertuples():
        row = number[participant.participant_id]
        z_TC = volumes[participant.row_start : participant.row_stop].astype(np.float64)
        signals_TC = np.where(deviation[row] > 0, z_TC * deviation[row] + mean[row], np.nan)
        np.save(out / f"{participant.participant_id}.npy", signals_TC.astype(np.float32))
    pd.DataFrame({"name": names}).to_csv(out / "regions.tsv", sep="\t", index=False)
    columns = ["participant_id", "site", "diagnosis", "sex", "age", "fiq", "mean_fd", "tr"]
    participants[columns].to_csv(out / "participants.tsv", sep="\t", index=False, na_rep="n/a")


def configuration(source: Path, data: Path, epochs: int, repeats: int) -> dict[str, Any]:
    """Return the configuration of the workflow."""
    training = {"epochs": epochs, "batch_size": 64}
    readouts = ["pooled", "networks", "full"]
    model = {"architecture": SIZES, "cpu_threads": 2, "readouts": readouts}
    return {
        "atlas": "cc200",
        "atlas_dir": str(source.parents[1] / "atlases"),
        "datasets": {
            "abide": {
                "source": "timeseries",
                "path": str(data),
                "template": "{participant}.npy",
                "regions": str(data / "regions.tsv"),
                "repetition_time": "tr",
                "site_column": "site",
                "shards": 4,
                "phenotypes": {
                    "diagnosis": "classification",
                    "sex": "classification",
                    "age": "regression",
                    "fiq": "regression",
                },
            }
        },
        "parcellation": {"min_dof": 0, "min_seconds": 100},
        "models": {
            "semantoks": model | {"training": training},
            "untrained": model | {"training": training | {"epochs": 0}},
        },
        "baselines": [*CONNECTIVITY, "confounds"],
        # Without learning curves, which would double the run time.
        "probe": {"repeats": repeats, "learning_curve": []},
    }


def main() -> None:
    """Write the data and the configuration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=10)
    chosen = parser.parse_args()
    source, out = chosen.source.resolve(), chosen.out.resolve()
    write_data(source, out / "data")
    content = configuration(source, out / "data", chosen.epochs, chosen.repeats)
    (out / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()

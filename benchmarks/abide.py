"""What a small model learns from real data: ABIDE I, from time series to scores.

    python -m benchmarks.abide ../shared/data/abide1_cc200 --out /tmp/abide

Pretrains on all scans (never on a phenotype), embeds them, and scores diagnosis, sex and age of
the same people with the exact probe, beside plain connectivity: 10 random splits 80/20.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from semantoks.config import Architecture, Model, Probe, Tokenizer, Training
from semantoks.embed import embed_files
from semantoks.memory import keep_freed_memory
from semantoks.pretrain import pretrain
from semantoks.probe import score_split
from semantoks.representations import read_people
from semantoks.signals import clean, fisher_z, resample_time, zscore
from semantoks.store import Manifest, read_scans, write_timeseries

TARGETS = {"diagnosis": "classification", "sex": "classification", "age": "regression"}
SCORES = {"classification": "balanced_accuracy", "regression": "pearson_r"}
TR, LOW_PASS, HIGH_PASS = 2.0, 0.1, 0.01


def read_participants(source: Path) -> pd.DataFrame:
    """Read the people whose scan is good and no duplicate."""
    table = pd.read_csv(source / "participants.tsv", sep="\t")
    return table[(table["duplicate_scan"] == 0) & (table["pcp_quality_ok"] == 1)]


def scans_of(source: Path, people: pd.DataFrame) -> Iterator[np.ndarray]:
    """Yield filtered, resampled, z-scored time series (regions, volumes)."""
    with np.load(source / "timeseries.npz") as file:
        volumes, mean, deviation = file["z"], file["mean"], file["sd"]
        number = {name: row for row, name in enumerate(file["participant_id"])}
    for person in people.itertuples():
        row = number[person.participant_id]
        z_TC = volumes[person.row_start : person.row_stop].astype(np.float64)
        signals_TC = z_TC * deviation[row] + mean[row]
        cleaned_TC = clean(signals_TC, None, person.tr, LOW_PASS, HIGH_PASS)
        cleaned_TC[:, deviation[row] == 0] = 0.0
        yield zscore(resample_time(cleaned_TC, person.tr, TR).T).astype(np.float32)


def write(source: Path, people: pd.DataFrame, out: Path) -> None:
    """Write the time series as `semantoks parcellate` does."""
    regions = pd.read_csv(source / "rois.tsv", sep="\t")
    manifest = Manifest(
        atlas="cc200",
        atlas_sha256="",
        labels=tuple(str(label) for label in regions["label"]),
        networks=tuple(regions["network"]),
        space="MNI152",
        tr=TR,
        low_pass=LOW_PASS,
        high_pass=HIGH_PASS,
        confounds="C-PAC, no global signal",
        engine="cpac",
    )
    arrays = list(scans_of(source, people))
    table = pd.DataFrame(
        {
            "scan": people["participant_id"].to_numpy(),
            "participant_id": people["participant_id"].to_numpy(),
            "session": "",
            "task": "rest",
            "run": "",
            "status": "ok",
            "reason": "",
            "mean_fd": people["mean_fd"].to_numpy(),
            "seconds": [TR * array.shape[1] for array in arrays],
        }
    )
    write_timeseries(out, table, arrays, manifest)


def score(features_PF: np.ndarray, people: pd.DataFrame) -> dict[str, str]:
    """Score each target over ten splits that are the same for every representation."""
    found = {}
    for target, kind in TARGETS.items():
        values = people[target].to_numpy(str if kind == "classification" else float)
        scores = []
        for repeat in range(10):
            strata = values if kind == "classification" else None
            _, held = train_test_split(
                np.arange(len(values)), test_size=0.2, random_state=repeat, stratify=strata
            )
            test = np.isin(np.arange(len(values)), held)
            result = score_split(kind, features_PF, values, test, Probe())
            scores.append(result[SCORES[kind]])
        found[target] = f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}"
    return found


def settings(chosen: argparse.Namespace) -> Model:
    """Return a model of width 192 and 4 blocks."""
    return Model(
        architecture=Architecture(
            tokenizer=Tokenizer(dense_channels=96, structured_channels=96), depth=4
        ),
        training=Training(
            epochs=chosen.epochs,
            batch_size=chosen.batch,
            learning_rate=chosen.learning_rate,
            teacher_momentum=chosen.momentum,
            max_overlap=chosen.max_overlap,
            crops_per_epoch=chosen.crops,
            seed=chosen.seed,
        ),
    )


def main() -> None:
    """Write, pretrain, embed and score; one line per representation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--crops", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=7e-4)
    parser.add_argument("--momentum", type=float, default=0.99)
    parser.add_argument("--max-overlap", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s] %(message)s", datefmt="%H:%M:%S")
    keep_freed_memory()
    people = read_participants(chosen.source).sort_values("participant_id")
    timeseries = chosen.out / "timeseries.parquet"
    if not timeseries.exists():
        write(chosen.source, people, timeseries)
    begun = time.monotonic()
    model = chosen.out / "model"
    pretrain([timeseries], settings(chosen), model, threads=chosen.threads)
    print(f"pretraining: {time.monotonic() - begun:.0f} s for {chosen.epochs} epochs")
    for readout in ("pooled", "networks"):
        features = chosen.out / f"{readout}.parquet"
        embed_files(model, [timeseries], features, readout=readout, threads=chosen.threads)
        print(readout, score(read_people(features).features_PF, people), flush=True)
    connectivity = np.stack([fisher_z(scan.timeseries_CT) for scan in read_scans([timeseries])])
    print("connectivity", score(connectivity, people))


if __name__ == "__main__":
    main()

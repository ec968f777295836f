"""Recognise people of STAGES from one session in the other, by connectivity and by a model.

    python -m experiments.retest ../shared/data

First-episode psychosis, 37 people with a session at baseline and one after three months, Schaefer's
400 regions and 19 others. What is fitted (mean covariances, distilled map) is fitted to the 18
people with one session. Printed are the share of people who are identified, the median ICC of
features, and the ICC of predictions of the change in symptoms, which are made from either session
by probes that other people trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from experiments.representations import ESTIMATORS, mean_of
from semantoks.artifacts.timeseries import Scan
from semantoks.config import BLOCK_WEIGHTS, Probe
from semantoks.connectivity.covariance import shrink
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import from_triangle, to_triangle
from semantoks.model.connectome.distillation import fit_map, halves
from semantoks.model.embed.regional import centred_amplitude, spectrum
from semantoks.scores.card.reliability import icc, retest
from semantoks.scores.linear_models.axes import rotate_blocks
from semantoks.scores.probe.fit import fit_probe
from semantoks.scores.probe.targets import RegressionTargets, inner_folds
from semantoks.scores.represent.connectivity import (
    connectivity,
    connectivity_without_global_signal,
)
from semantoks.scores.represent.tangent import covariances

OUTCOME, FOLDS, STRENGTH = "bprs_change_6m_z", 5, 0.1
EDGES = np.linspace(0.008, 0.08, 5)
BLOCKS = ("coupling", "coupling_gsr", "distilled", "amplitude", "spectrum")


def load(source: Path) -> tuple[list[Scan], pd.DataFrame]:
    """Read the sessions, without regression of the global signal, and their people."""
    folder = source / "stages_fep_schaefer400_7n"
    people = pd.read_csv(folder / "participants.tsv", sep="\t").set_index("session")
    with np.load(folder / "timeseries.npz") as file:
        sessions, tr = [str(name) for name in file["session"]], float(file["tr"])
        series, deviation = file["z_nogsr"].astype(np.float32), file["sd_nogsr"]
    table = people.loc[sessions].reset_index()
    scans = [
        Scan(name, person, session, "rest", "", tr, series_CT, np.log(deviation_C))
        for name, person, session, series_CT, deviation_C in zip(
            sessions, table["participant_id"], table["ses"], series, deviation, strict=True
        )
    ]
    return scans, table


def represent(scans: list[Scan], fitted: np.ndarray) -> dict[str, np.ndarray]:
    """Return all representations, of which some are fitted to the scans in the rows `fitted`."""
    rows = {
        "fc": np.stack(list(connectivity(scans))),
        "fc_gsr": np.stack(list(connectivity_without_global_signal(scans))),
        "amplitude": np.stack([centred_amplitude(scan.amplitude_C) for scan in scans]),
        "spectrum": np.stack([spectrum(scan.timeseries_CT, scan.tr, EDGES) for scan in scans]),
    }
    shrunk = np.stack(
        [to_triangle(shrink(from_triangle(row[:-1]), row[-1])) for row in covariances(scans)]
    )
    rows["tangent"] = log_map(shrunk, whitening_at(shrunk[fitted].mean(axis=0)))
    for name, estimator in ESTIMATORS.items():
        reference = mean_of([scans[row] for row in fitted], estimator)
        rows[name] = np.stack([reference.tangent_vector(scan.timeseries_CT) for scan in scans])
    cut = [halves(scans[row].timeseries_CT, scans[row].tr) for row in fitted]
    vectors = [reference.tangent_vector(half) for pair in cut if pair for half in pair]
    distilled = fit_map(np.stack(vectors).astype(np.float32), 300, 0.3)
    rows["distilled"] = np.stack([distilled(vector) for vector in rows["coupling_gsr"]])
    return rows


def predictions(
    blocks: list[np.ndarray], weights: list[float], pairs: np.ndarray, outcome: np.ndarray
) -> np.ndarray:
    """Predict the outcome from both sessions of each person, without the person; shape (pairs, 2).

    Probes are trained on the first sessions of other people, with a strength that is not chosen:
    symptoms are not predictable here, and the strongest would predict the mean, the same of both
    sessions. Predictions are relative to the mean of the training people of their fold.
    """
    predicted = np.full(pairs.shape, np.nan)
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(pairs):
        first, held = pairs[train, 0], pairs[test].T.ravel()
        targets = RegressionTargets(outcome[first])
        fold_P = inner_folds(targets, None, Probe().inner_folds)
        coordinates = rotate_blocks([(rows[first], rows[held]) for rows in blocks], weights)
        fit = fit_probe(coordinates, targets, fold_P, [STRENGTH])
        predicted[test] = (fit.predicted_HK[:, 0] - outcome[first].mean()).reshape(2, -1).T
    return predicted


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of the shared data")
    scans, table = load(parser.parse_args().source)
    by_person = table.groupby("participant_id").indices
    pairs = np.array([np.sort(rows) for rows in by_person.values() if len(rows) == 2])
    alone = np.array([rows[0] for rows in by_person.values() if len(rows) == 1])
    outcome = table[OUTCOME].to_numpy(float)
    rated = pairs[np.isfinite(outcome[pairs[:, 0]])]
    rows = represent(scans, alone)
    print(f"{len(pairs)} people with two sessions, {len(rated)} of them with {OUTCOME}")
    print("representation  identified  median ICC  ICC of predictions")
    for name, members in ({key: (key,) for key in rows} | {"full": BLOCKS}).items():
        weights = [BLOCK_WEIGHTS.get(key, 1.0) for key in members]  # type: ignore[call-overload]
        # Side by side as the probe takes them; scaled by the sessions of all, without labels.
        values = rotate_blocks([(rows[key], rows[key]) for key in members], weights).train_PR
        side = values if name == "full" else rows[name]
        result = retest(side[pairs[:, 0]], side[pairs[:, 1]])
        predicted = predictions([rows[key] for key in members], weights, rated, outcome)
        of_predictions = float(icc(predicted[:, :1], predicted[:, 1:])[0])
        print(f"{name:15} {result.identification:10.3f} {result.icc:11.3f} {of_predictions:10.3f}")


if __name__ == "__main__":
    main()

"""Predict diagnosis in ABIDE from connectivity, with scikit-learn only.

    OMP_NUM_THREADS=1 python -m experiments.connectivity ../shared/data/abide1_cc200

An independent reference for the scores of the workflow. Pearson correlations, L2-penalised logistic
regression with the penalty selected by five-fold cross-validation on the training participants, 20
random 80/20 splits; with and without Fisher's z, with and without standardised features. It shares
with Semantoks only the selection of scans.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit

from experiments.abide import good_scans

SPLITS = 20


def connectivity(source: Path, participants: pd.DataFrame) -> np.ndarray:
    """Return the correlations of all pairs of regions, 0 for constant regions."""
    pairs = np.triu_indices(200, 1)
    with np.load(source / "timeseries.npz") as file, np.errstate(all="ignore"):
        volumes = file["z"]
        rows = [
            np.nan_to_num(np.corrcoef(volumes[scan.row_start : scan.row_stop].T.astype(float)))
            for scan in participants.itertuples()
        ]
    return np.stack([row[pairs] for row in rows])


def split_score(
    features: np.ndarray, codes: np.ndarray, train: np.ndarray, test: np.ndarray, scaled: bool
) -> float:
    """Return the balanced accuracy in the test participants of a split."""
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0) + 1e-9
    rows = (features - mean) / (deviation if scaled else 1)
    rows /= np.sqrt((rows[train] ** 2).sum(axis=1).mean())
    # The weights lie in the span of the training rows; projecting onto it is faster and exact.
    squares, vectors = np.linalg.eigh(rows[train] @ rows[train].T)
    nonzero = squares > 1e-8 * squares.max()
    rows = rows @ (rows[train].T @ (vectors[:, nonzero] / np.sqrt(squares[nonzero])))
    model = LogisticRegressionCV(
        Cs=np.logspace(-3, 4, 8),
        cv=5,
        class_weight="balanced",
        scoring="neg_log_loss",
        max_iter=1000,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    ).fit(rows[train], codes[train])
    return float(balanced_accuracy_score(codes[test], model.predict(rows[test])))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path)
    source = parser.parse_args().source
    participants = good_scans(source)
    codes = (participants["diagnosis"] == participants["diagnosis"].iloc[0]).to_numpy(int)
    pearson = connectivity(source, participants)
    shuffle = StratifiedShuffleSplit(SPLITS, test_size=0.2, random_state=0)
    splits = list(shuffle.split(pearson, codes))
    print(f"{len(participants)} scans\n")
    print(f"| Fisher z | scaled | first 10 splits | {SPLITS} splits | sd |")
    print("|---|---|---|---|---|")
    for fisher, scaled in itertools.product((True, False), repeat=2):
        features = np.arctanh(np.clip(pearson, -0.999, 0.999)) if fisher else pearson
        scores = [split_score(features, codes, *split, scaled) for split in splits]
        means = f"{np.mean(scores[:10]):.3f} | {np.mean(scores):.3f} | {np.std(scores):.3f}"
        print(f"| {fisher} | {scaled} | {means} |", flush=True)


if __name__ == "__main__":
    main()

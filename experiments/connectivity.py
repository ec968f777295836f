"""Diagnosis from plain connectivity on ABIDE, with scikit-learn alone: what a careful person gets.

    OMP_NUM_THREADS=1 python -m experiments.connectivity ../shared/data/abide1_cc200

Pearson correlations, L2 logistic regression, its strength chosen over five folds of the training
part, 20 random splits of 80/20: with and without Fisher's z, with and without features scaled to
the same variance. Nothing of Semantoks takes part but the choice of scans.
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


def connectivity(source: Path, people: pd.DataFrame) -> np.ndarray:
    """Correlate all pairs of regions; a region that never changes has none."""
    pairs = np.triu_indices(200, 1)
    with np.load(source / "timeseries.npz") as file, np.errstate(all="ignore"):
        volumes = file["z"]
        rows = [
            np.nan_to_num(np.corrcoef(volumes[scan.row_start : scan.row_stop].T.astype(float)))
            for scan in people.itertuples()
        ]
    return np.stack([row[pairs] for row in rows])


def one_split(
    features: np.ndarray, codes: np.ndarray, train: np.ndarray, test: np.ndarray, scaled: bool
) -> float:
    """Balanced accuracy of one split."""
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0) + 1e-9
    rows = (features - mean) / (deviation if scaled else 1)
    rows /= np.sqrt((rows[train] ** 2).sum(axis=1).mean())
    # Weights lie in the span of the training rows: its axes give the same fit, faster.
    squares, vectors = np.linalg.eigh(rows[train] @ rows[train].T)
    kept = squares > 1e-8 * squares.max()
    rows = rows @ (rows[train].T @ (vectors[:, kept] / np.sqrt(squares[kept])))
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
    people = good_scans(source)
    codes = (people["diagnosis"] == people["diagnosis"].iloc[0]).to_numpy(int)
    plain = connectivity(source, people)
    splits = list(StratifiedShuffleSplit(SPLITS, test_size=0.2, random_state=0).split(plain, codes))
    print(f"{len(people)} scans\n\n| Fisher z | scaled | first 10 splits | {SPLITS} splits | sd |")
    print("|---|---|---|---|---|")
    for fisher, scaled in itertools.product((True, False), repeat=2):
        features = np.arctanh(np.clip(plain, -0.999, 0.999)) if fisher else plain
        scores = [one_split(features, codes, *split, scaled) for split in splits]
        means = f"{np.mean(scores[:10]):.3f} | {np.mean(scores):.3f} | {np.std(scores):.3f}"
        print(f"| {fisher} | {scaled} | {means} |", flush=True)


if __name__ == "__main__":
    main()

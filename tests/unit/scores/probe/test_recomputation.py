"""The exact protocol against scikit-learn alone, on the splits that the product writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax
from scipy.stats import pearsonr
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from semantoks.artifacts.tables import write_table
from semantoks.config import Kind, Phenotype, Probe, Splitting
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.row_files import read_problem
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION, codes_table

SETTINGS = Probe(repeats=3, permutations=0, learning_curve=[])


def splits_file(path: Path, target: np.ndarray, kind: Kind) -> pd.DataFrame:
    """Write a table of splits as the stage `split` does, and return it."""
    ids = pd.Index([f"sub-{i:03d}" for i in range(len(target))], name="participant_id")
    people = pd.DataFrame({"target": target, "site": None, "group": None}, ids)
    splits = draw(people, Phenotype(kind=kind), Splitting())
    table = pd.concat([people, codes_table(splits, ids)], axis=1)
    records = [split.record() for split in splits]
    metadata = {"phenotype": "x", "kind": kind, "bins": None, "splits": records, "left_out": {}}
    write_table(path, table.reset_index(), metadata)
    return table


def scaled(train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = StandardScaler().fit(train)
    width = np.sqrt(train.shape[1])
    return scaler.transform(train) / width, scaler.transform(held) / width


def logits(train: np.ndarray, classes: np.ndarray, held: np.ndarray, strength: float) -> np.ndarray:
    """One logit per class from scikit-learn, the first of two being zero."""
    model = LogisticRegression(
        C=1 / (strength * len(train)), class_weight="balanced", tol=1e-10, max_iter=20_000
    ).fit(train, classes)
    values = model.decision_function(held)
    return np.c_[np.zeros(len(held)), values] if values.ndim == 1 else values


def offsets_of(inner: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Numbers per class, of least balanced log loss, and that loss."""
    weight = (len(codes) / len(np.unique(codes)) / np.bincount(codes))[codes]

    def loss(free: np.ndarray) -> float:
        chances = log_softmax(inner + np.r_[0, free], axis=1)
        return float(-(weight * chances[np.arange(len(codes)), codes]).mean())

    start = -np.median(inner, axis=0)
    fit = minimize(loss, (start - start[0])[1:], method="Nelder-Mead", tol=1e-13)
    return np.r_[0, fit.x], float(fit.fun)


def reference_classes(
    train: np.ndarray, codes: np.ndarray, held: np.ndarray, strengths: list[float]
) -> tuple[np.ndarray, float]:
    """Scores of the test participants, and the strength that inner folds choose."""
    train, held = scaled(train, held)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(train, codes))
    best = (np.inf, np.empty(0), 0.0)
    for strength in sorted(strengths, reverse=True):
        inner = np.empty((len(train), len(np.unique(codes))))
        for outside, inside in folds:
            inner[inside] = logits(train[outside], codes[outside], train[inside], strength)
        offsets, loss = offsets_of(inner, codes)
        if loss < best[0] - 1e-9:
            best = loss, offsets, strength
    return logits(train, codes, held, best[2]) + best[1], best[2]


@pytest.mark.parametrize("effect", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shares", [(0.15, 0.85), (0.5, 0.5), (0.1, 0.3, 0.6)])
def test_classifications_are_those_of_scikit_learn(
    shares: tuple[float, ...], effect: float, tmp_path: Path
) -> None:
    """Also uneven classes with hardly any effect: their threshold rests on tiny logits."""
    rng = np.random.default_rng(len(shares) + int(100 * shares[0]))
    codes = rng.choice(len(shares), 130, p=shares)
    features = rng.standard_normal((130, 200))
    features[:, :8] += effect * codes[:, None]
    table = splits_file(tmp_path / "s.parquet", np.array(list("abc"))[codes], "classification")
    problem = read_problem(tmp_path / "s.parquet")
    scores = score_features(problem, [Features(features)], SETTINGS).scores
    for row in scores.itertuples():
        part = table[row.split].to_numpy()
        train, test = np.isin(part, (TRAIN, VALIDATION)), part == TEST
        held, strength = reference_classes(
            features[train], codes[train], features[test], list(SETTINGS.strengths)
        )
        chances = np.exp(log_softmax(held, axis=1))
        truth = codes[test]
        aurocs = [roc_auc_score(truth == k, chances[:, k]) for k in range(len(shares))]
        assert row.strength == pytest.approx(strength)
        expected = balanced_accuracy_score(truth, held.argmax(axis=1))
        assert row.balanced_accuracy == pytest.approx(expected, abs=1e-6)
        assert row.auroc == pytest.approx(np.mean(aurocs), abs=1e-6)


def test_regressions_are_those_of_scikit_learn(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    features = rng.standard_normal((120, 70))
    target = features[:, :5].sum(axis=1) + 2 * rng.standard_normal(120)
    table = splits_file(tmp_path / "s.parquet", target, "regression")
    problem = read_problem(tmp_path / "s.parquet")
    scores = score_features(problem, [Features(features)], SETTINGS).scores
    for row in scores.itertuples():
        part = table[row.split].to_numpy()
        is_train, test = np.isin(part, (TRAIN, VALIDATION)), part == TEST
        train, held = scaled(features[is_train], features[test])
        values = target[is_train]
        losses = {}
        for strength in sorted(SETTINGS.strengths, reverse=True):
            # The product keeps the penalty of all training participants within inner folds.
            model = Ridge(alpha=strength * len(train))
            errors = [
                model.fit(train[a], values[a]).predict(train[b]) - values[b]
                for a, b in KFold(5, shuffle=True, random_state=0).split(train)
            ]
            losses[strength] = float((np.concatenate(errors) ** 2).mean())
        best = min(losses, key=losses.__getitem__)
        predicted = Ridge(alpha=best * len(train)).fit(train, values).predict(held)
        assert row.strength == pytest.approx(best)
        assert row.pearson_r == pytest.approx(pearsonr(predicted, target[test])[0], abs=1e-6)

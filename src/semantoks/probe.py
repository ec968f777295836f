"""Score one representation against one phenotype with an exactly solved linear probe.

One row per person; L2-penalised logistic or ridge regression; the strength of the penalty is
chosen inside the training part only. One singular value decomposition of the training part
serves every strength and every inner fold: L2 solutions lie in the span of the training rows.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold

from semantoks.config import Kind, Probe
from semantoks.errors import UserError
from semantoks.representations import People, read_people
from semantoks.statistics import classification_scores, regression_scores
from semantoks.store import read_metadata, read_table, write_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rotation:
    """Standardisation and rotation onto the span of the training people, fitted on them alone."""

    mean_F: np.ndarray
    scale_F: np.ndarray
    basis_FR: np.ndarray

    @classmethod
    def fit(cls, features_PF: np.ndarray) -> Rotation:
        """Fit on the training part; unknown values count as the mean, constants as zero."""
        known = np.isfinite(features_PF)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, features_PF, 0).sum(axis=0) / count
        centred = np.where(known, features_PF - mean, 0)
        deviation = np.sqrt((centred**2).sum(axis=0) / count)
        # The square root of the number of features makes strengths comparable over representations.
        scale = np.where(deviation > 1e-9, deviation, np.inf) * np.sqrt(
            max(features_PF.shape[1], 1)
        )
        _, values, basis = np.linalg.svd(centred / scale, full_matrices=False)
        return cls(mean, scale, basis[values > 1e-9 * max(values.max(initial=0), 1e-9)].T)

    def __call__(self, features_PF: np.ndarray) -> np.ndarray:
        """Rotate people, shape (people, features), into shape (people, rank)."""
        centred = np.where(np.isfinite(features_PF), features_PF - self.mean_F, 0)
        rotated: np.ndarray = (centred / self.scale_F) @ self.basis_FR
        return rotated


def _predict(
    kind: Kind, train_PR: np.ndarray, target: np.ndarray, test_PR: np.ndarray, strength: float
) -> np.ndarray:
    """Fit at one strength; predicted values, or probabilities in the order of sorted classes."""
    if train_PR.shape[1] == 0:  # no features: chance
        train_PR, test_PR = np.zeros((len(train_PR), 1)), np.zeros((len(test_PR), 1))
    if kind == "regression":
        ridge = Ridge(alpha=strength * len(train_PR), solver="svd").fit(train_PR, target)
        values: np.ndarray = ridge.predict(test_PR)
        return values
    model = LogisticRegression(
        C=1 / (strength * len(train_PR)),
        class_weight="balanced",
        solver="newton-cholesky",
        tol=1e-8,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probabilities: np.ndarray = model.fit(train_PR, target).predict_proba(test_PR)
    return probabilities


def _loss(kind: Kind, target: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> float:
    """Loss that the strength is chosen by: squared error, or log loss with balanced classes."""
    if kind == "regression":
        return float(((target - predicted) ** 2).mean())
    likelihood = predicted[np.arange(len(target)), np.searchsorted(classes, target)]
    losses = -np.log(np.maximum(likelihood, 1e-12))
    return float(np.mean([losses[target == name].mean() for name in np.unique(target)]))


def choose_strength(kind: Kind, train_PR: np.ndarray, target: np.ndarray, settings: Probe) -> float:
    """Strength with the least loss over inner folds; the stronger one where two are equal."""
    kinds = {"classification": StratifiedKFold, "regression": KFold}
    folds = kinds[kind](settings.inner_folds, shuffle=True, random_state=0)
    classes, strengths = np.unique(target), sorted(settings.strengths, reverse=True)
    losses = np.zeros(len(strengths))
    for fit, held in folds.split(train_PR, target):
        for index, strength in enumerate(strengths):
            predicted = _predict(kind, train_PR[fit], target[fit], train_PR[held], strength)
            losses[index] += _loss(kind, target[held], predicted, classes)
    return float(strengths[int(losses.argmin())])


def check_folds(kind: Kind, target: np.ndarray, phenotype: str, folds: int) -> None:
    """Refuse a training part too small for its inner folds."""
    smallest = np.unique(target, return_counts=True)[1].min() if kind == "classification" else 0
    available = int(smallest) if kind == "classification" else len(target) // 2
    if available < folds:
        raise UserError(
            f"Phenotype '{phenotype}': a training part has {available} people "
            f"{'in its smallest class' if kind == 'classification' else 'per two'}, "
            f"{folds} are needed for probe.inner_folds: {folds}. Lower it or add people."
        )


def score_split(
    kind: Kind, features_PF: np.ndarray, target: np.ndarray, test: np.ndarray, settings: Probe
) -> dict[str, float]:
    """Fit on the people outside `test`, score on those in it."""
    rotate = Rotation.fit(features_PF[~test])
    train, held = rotate(features_PF[~test]), rotate(features_PF[test])
    if kind == "regression":
        mean, deviation = target[~test].mean(), target[~test].std()
        standard = (target[~test] - mean) / deviation
        strength = choose_strength(kind, train, standard, settings)
        predicted = _predict(kind, train, standard, held, strength) * deviation + mean
        return regression_scores(target[test], predicted) | {"strength": strength}
    strength = choose_strength(kind, train, target[~test], settings)
    predicted = _predict(kind, train, target[~test], held, strength)
    scores = classification_scores(target[test], predicted, list(np.unique(target[~test])))
    return scores | {"strength": strength}


def without_target(people: People, phenotype: str) -> People:
    """Drop the features that are the phenotype itself."""
    if not people.names:
        return people
    kept = [i for i, name in enumerate(people.names) if name.split("=")[0] != phenotype]
    names = [people.names[i] for i in kept]
    return People(people.participant_id, people.features_PF[:, kept], names)


def align(people: People, ids: Sequence[str], phenotype: str) -> np.ndarray:
    """Rows of the people in `ids`, in that order, without the phenotype's own features."""
    row = {person: index for index, person in enumerate(people.participant_id)}
    absent = [person for person in ids if person not in row]
    if absent:
        raise UserError(
            f"{len(absent)} people of the splits are not in the representation ({absent[0]}, …). "
            "Make both from the same time series."
        )
    features: np.ndarray = without_target(people, phenotype).features_PF[[row[p] for p in ids]]
    return features


def probe(representation: Path, splits: Path, name: str, settings: Probe, out: Path) -> None:
    """Write the scores of one representation for one phenotype, split by split."""
    about = read_metadata(splits)
    kind, phenotype = about["kind"], about["phenotype"]
    table, people = read_table(splits), read_people(representation)
    table = table[table["repeat"] < settings.repeats]
    first = table[table["repeat"] == 0]
    features = align(people, list(first["participant_id"]), phenotype)
    target = first["target"].to_numpy(str if kind == "classification" else float)
    for _, part in table.groupby("repeat"):
        check_folds(kind, target[~part["test"].to_numpy(bool)], phenotype, settings.inner_folds)
    rows = []
    for repeat, part in table.groupby("repeat"):
        rows.append(score_split(kind, features, target, part["test"].to_numpy(bool), settings))
        log.info("%d of %d splits", int(str(repeat)) + 1, settings.repeats)
    tested = int(first["test"].sum())
    scores = pd.DataFrame(rows).to_dict("list")
    content = about | {
        "representation": name,
        "people": len(target),
        "test_people": tested,
        "features": features.shape[1],
        "classes": pd.Series(target).value_counts().sort_index().to_dict()
        if kind == "classification"
        else None,
        "scores": scores,
    }
    write_json(out, content)

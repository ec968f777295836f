"""Fit on the training people of every split, score those tested, and list what was predicted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.metrics import classification_scores, regression_scores, within_sites_r
from semantoks.scores.probe.exact import Truth, check_folds, fit_together, inner_folds
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.permutation import Permutations, Shuffled
from semantoks.scores.probe.problem import Job, Problem

log = logging.getLogger(__name__)


def score(
    problem: Problem, features: Sequence[Features], settings: Probe
) -> tuple[pd.DataFrame, pd.DataFrame, Shuffled | None]:
    """Score a representation, or several stacked, with the exact protocol.

    Returns
    -------
    scores : DataFrame
        One row per fit.
    predictions : DataFrame
        One row per split and tested person, of the fits with everybody.
    shuffled : Shuffled or None
        None for what is stacked, for chance, and without permutations.
    """
    _check(problem, settings)
    rows, predictions = list[dict[str, Any]](), list[pd.DataFrame]()
    shuffled = _permutations(problem, features, settings)
    jobs = [job for job in problem.jobs(settings) if job.fraction == 1 or _plain(features)]
    for number, job in enumerate(jobs, 1):
        rotations = [one.rotated(job.train, job.test) for one in features]
        truth, names = _truth(problem, job, settings)
        found = fit_together(rotations, truth, settings)
        row, table = scored(problem, job, found.held_HK, names)
        rows.append(row | {"strength": found.strength})
        if job.fraction == 1:
            predictions.append(table)
            if shuffled is not None and job.scheme != "site":
                shuffled.add(rotations[0], problem.people[job.split].to_numpy(), truth.fold_P)
        if number % max(1, len(jobs) // 10) == 0:
            log.info("%d of %d fits", number, len(jobs))
    by_chance = None if shuffled is None else shuffled.result()
    return pd.DataFrame(rows), pd.concat(predictions, ignore_index=True), by_chance


def scored(
    problem: Problem, job: Job, held_HK: np.ndarray, names: list[str]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Score the predictions of one fit, and list them person by person.

    Parameters
    ----------
    problem, job
    held_HK : ndarray
        Probabilities (tested, classes), or numbers (tested, 1).
    names : list of str
        Classes; none in a regression.
    """
    values = problem.values(job.train)[0][job.test]
    table = pd.DataFrame({"split": job.split, "participant_id": problem.people.index[job.test]})
    if names:
        truth = np.asarray(names)[values]
        scores = classification_scores(truth, held_HK, names)
        table["target"], table["predicted"] = truth, np.asarray(names)[held_HK.argmax(axis=1)]
        table["probabilities"] = list(held_HK)
    else:
        scores = regression_scores(values, held_HK[:, 0])
        site = problem.people["site"].to_numpy(object)[job.test]
        known = np.array([isinstance(name, str) for name in site])
        scores["pearson_r_within_sites"] = within_sites_r(
            values[known], held_HK[known, 0], site[known].astype(str)
        )
        table["target"], table["predicted"] = values, held_HK[:, 0]
    about = {key: getattr(job, key) for key in ("split", "scheme", "held_out", "fraction")}
    return {**about, "train_people": len(job.train), "test_people": len(job.test), **scores}, table


def _truth(problem: Problem, job: Job, settings: Probe) -> tuple[Truth, list[str]]:
    values, names = problem.values(job.train)
    own, groups = values[job.train], problem.groups(job.train)
    folds = inner_folds(problem.kind, own, groups, settings.inner_folds)
    return Truth(problem.kind, own, len(names), folds), names


def _plain(features: Sequence[Features]) -> bool:
    """Say whether learning curves are cheap and asked for: one representation, nothing fitted."""
    return len(features) == 1 and not features[0].fitted and features[0].values_PF.shape[1] > 0


def _check(problem: Problem, settings: Probe) -> None:
    """Refuse training parts that the inner folds are too many for."""
    phenotype = problem.about["phenotype"]
    fits = [job for job in problem.jobs(settings) if job.fraction == 1]
    if not fits:
        raise UserError(f"Phenotype '{phenotype}' has no split to score.")
    for job in fits:
        own = problem.values(job.train)[0][job.train]
        check_folds(problem.kind, own, phenotype, settings.inner_folds)


def _permutations(
    problem: Problem, features: Sequence[Features], settings: Probe
) -> Permutations | None:
    """Begin a permutation test, where there is one."""
    # Relatives are alike, so single people must not be shuffled.
    everybody = np.arange(len(problem.people))
    alone = len(features) == 1 and features[0].values_PF.shape[1] > 0
    if not (settings.permutations and alone and problem.groups(everybody) is None):
        return None
    values, names = problem.values(everybody)
    return Permutations(values, len(names), settings)

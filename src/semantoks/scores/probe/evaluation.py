"""Scores of the predictions of one fit."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from semantoks.scores.metrics import classification_scores, regression_scores, within_sites_r
from semantoks.scores.probe.permutation import PermutationTest
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, Targets

ScoreRow: TypeAlias = dict[str, str | float]


class ProbeResult(NamedTuple):
    """Scores of a representation.

    Attributes
    ----------
    scores : DataFrame
        One row per fit.
    predictions : DataFrame
        One row per split and test participant, of the fits with all training participants.
    permutation_test : PermutationTest or None
    """

    scores: pd.DataFrame
    predictions: pd.DataFrame
    permutation_test: PermutationTest | None = None


def evaluate(
    problem: Problem,
    partition: Partition,
    targets: Targets,
    predicted_HK: np.ndarray,
    *,
    is_balanced: bool,
) -> tuple[ScoreRow, pd.DataFrame]:
    """Score the predictions of one fit.

    Parameters
    ----------
    problem : Problem
    partition : Partition
    targets : Targets
        Of all participants.
    predicted_HK : ndarray
        Probabilities (test participants, classes), or numbers (test participants, 1).
    is_balanced : bool
        Whether all classes had equal weights in the fit, whatever their frequency.

    Returns
    -------
    row : dict
        The split and its scores.
    predictions : DataFrame
        One row per test participant.
    """
    split = partition.split
    if isinstance(targets, ClassificationTargets):
        counts_K = targets.take(partition.train).counts if is_balanced else None
        scores, columns = _evaluate_classes(targets.take(partition.test), predicted_HK, counts_K)
    else:
        site = problem.participants["site"].to_numpy(object)[partition.test]
        scores, columns = _evaluate_numbers(targets.take(partition.test), predicted_HK[:, 0], site)
    row: ScoreRow = {
        "split": split.name,
        "scheme": split.scheme,
        "held_out": split.held_out,
        "fraction": partition.fraction,
        # Counts of participants; these names are part of the file format.
        "train_people": len(partition.train),
        "test_people": len(partition.test),
        **scores,
    }
    ids = problem.participants.index[partition.test]
    return row, pd.DataFrame({"split": split.name, "participant_id": ids, **columns})


def _evaluate_classes(
    test: ClassificationTargets, probabilities_HK: np.ndarray, counts_K: np.ndarray | None
) -> tuple[dict[str, float], dict[str, object]]:
    """Metrics of a classification, and the columns of its predictions."""
    names = np.asarray(test.class_names)
    truth = names[test.codes_P]
    columns = {
        "target": truth,
        "predicted": names[probabilities_HK.argmax(axis=1)],
        "probabilities": list(probabilities_HK),
    }
    return classification_scores(truth, probabilities_HK, test.class_names, counts_K), columns


def _evaluate_numbers(
    test: RegressionTargets, predicted_H: np.ndarray, site_H: np.ndarray
) -> tuple[dict[str, float], dict[str, object]]:
    """Metrics of a regression, and the columns of its predictions."""
    scores = regression_scores(test.values_P, predicted_H)
    # A missing site is not a site: its participants would be centred as if scanned together.
    known = np.array([isinstance(name, str) for name in site_H])
    scores["pearson_r_within_sites"] = within_sites_r(
        test.values_P[known], predicted_H[known], site_H[known].astype(str)
    )
    return scores, {"target": test.values_P, "predicted": predicted_H}

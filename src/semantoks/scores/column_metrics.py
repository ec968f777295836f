"""Metrics of many phenotypes at once, such as the permutations of one: one column each.

Legend: H test participants, M columns.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.metrics import varying


def balanced_accuracy(predicted_HM: np.ndarray, code_HM: np.ndarray) -> np.ndarray:
    """Mean recall over the classes that each column of `code_HM` has."""
    recalls = []
    for code in np.unique(code_HM):
        inside_HM = code_HM == code
        count_M = inside_HM.sum(axis=0)
        right_M = (inside_HM & (predicted_HM == code)).sum(axis=0)
        recalls.append(np.where(count_M > 0, right_M / np.maximum(count_M, 1), np.nan))
    return np.asarray(np.nanmean(recalls, axis=0))


def pearson(predicted_HM: np.ndarray, truth_HM: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column; 0 where a column is constant."""
    predicted = predicted_HM - predicted_HM.mean(axis=0)
    truth = truth_HM - truth_HM.mean(axis=0)
    varies = varying(predicted_HM) & varying(truth_HM)
    norm = np.linalg.norm(predicted, axis=0) * np.linalg.norm(truth, axis=0)
    return np.where(varies, (predicted * truth).sum(axis=0) / np.where(varies, norm, 1), 0.0)


def auroc(predicted_HM: np.ndarray, positive_HM: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column, from ranks; ½ where a class is missing."""
    # Imported here: it takes a second.
    from scipy.stats import rankdata

    # Mann-Whitney U over the number of pairs; mean ranks count a tie as half.
    ranks = rankdata(predicted_HM, axis=0)
    positives = positive_HM.sum(axis=0)
    negatives = len(positive_HM) - positives
    above = (ranks * positive_HM).sum(axis=0) - positives * (positives + 1) / 2
    pairs = positives * negatives
    return np.where(pairs > 0, above / np.maximum(pairs, 1), 0.5)

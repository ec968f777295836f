"""Scores, their intervals over repeated splits, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats
from sklearn import metrics

CLASSIFICATION = ("balanced_accuracy", "auroc", "accuracy")
REGRESSION = ("pearson_r", "r2", "mae")
RANGES = {
    "balanced_accuracy": (0.0, 1.0),
    "auroc": (0.0, 1.0),
    "accuracy": (0.0, 1.0),
    "pearson_r": (-1.0, 1.0),
    "r2": (-np.inf, 1.0),
    "mae": (0.0, np.inf),
}


def classification_scores(
    truth: np.ndarray, probability_PK: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Score predicted probabilities.

    Parameters
    ----------
    truth : ndarray of str, shape (people,)
    probability_PK : ndarray, shape (people, classes)
    classes : sequence of str
        Sorted; in the order of the columns.

    Returns
    -------
    dict
        ``balanced_accuracy``, ``accuracy`` and ``auroc`` (one versus rest, macro mean over the
        classes that the test part holds).
    """
    predicted = np.asarray(classes)[probability_PK.argmax(axis=1)]
    present = [k for k, name in enumerate(classes) if 0 < (truth == name).sum() < len(truth)]
    curves = [metrics.roc_auc_score(truth == classes[k], probability_PK[:, k]) for k in present]
    recalls = [(predicted[truth == name] == name).mean() for name in np.unique(truth)]
    return {
        "balanced_accuracy": float(np.mean(recalls)),
        "auroc": float(np.mean(curves)) if curves else float("nan"),
        "accuracy": float((predicted == truth).mean()),
    }


def regression_scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predicted values: Pearson r (0 where the prediction is constant), R², MAE."""
    constant = np.std(predicted) < 1e-12 or np.std(truth) < 1e-12
    r = 0.0 if constant else float(np.corrcoef(truth, predicted)[0, 1])
    return {
        "pearson_r": r,
        "r2": float(metrics.r2_score(truth, predicted)),
        "mae": float(np.abs(truth - predicted).mean()),
    }


def corrected_error(values: np.ndarray, test_to_train: float) -> float:
    """Estimate the standard error of a mean over repeated random splits, which share people.

    Source: Nadeau & Bengio 2003, doi:10.1023/A:1024068626366.
    """
    repeats = len(values)
    if repeats < 2:
        return float("nan")
    return float(np.sqrt((1 / repeats + test_to_train) * np.var(values, ddof=1)))


def summary(
    values: Sequence[float],
    test_to_train: float,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> dict[str, float]:
    """Mean, standard deviation over repeats, and corrected 95 % interval within `limits`."""
    scores = np.asarray(values, float)
    error = corrected_error(scores, test_to_train)
    margin = error * float(stats.t.ppf(0.975, max(len(scores) - 1, 1)))
    mean = float(scores.mean())
    deviation = float(scores.std(ddof=1)) if len(scores) > 1 else float("nan")
    low, high = np.clip([mean - margin, mean + margin], *limits).tolist()
    return {"mean": mean, "sd": deviation, "low": low, "high": high}


def paired_difference(
    first: Sequence[float], second: Sequence[float], test_to_train: float
) -> dict[str, float]:
    """Difference of two representations over the same splits, with a corrected two-sided p.

    Returns
    -------
    dict
        ``mean`` (first − second), ``low``, ``high`` (95 %) and ``p``.
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    result = summary(difference.tolist(), test_to_train)
    error = corrected_error(difference, test_to_train)
    if not error > 0:
        p = float("nan") if np.isnan(error) else float(result["mean"] == 0)
    else:
        p = float(2 * stats.t.sf(abs(result["mean"]) / error, len(difference) - 1))
    return {key: result[key] for key in ("mean", "low", "high")} | {"p": p}

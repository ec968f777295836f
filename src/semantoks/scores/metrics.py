"""Metrics of predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn import metrics

CLASSIFICATION = ("balanced_accuracy", "auroc", "accuracy", "macro_f1", "ece")
REGRESSION = ("pearson_r", "r2", "mae")
RANGES = {
    "balanced_accuracy": (0.0, 1.0),
    "auroc": (0.0, 1.0),
    "accuracy": (0.0, 1.0),
    "macro_f1": (0.0, 1.0),
    "ece": (0.0, 1.0),
    "pearson_r": (-1.0, 1.0),
    "pearson_r_within_sites": (-1.0, 1.0),
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
        ``balanced_accuracy``, ``accuracy``, ``macro_f1``, ``auroc`` (one versus rest, macro mean
        over the classes that the test part holds) and ``ece``.
    """
    predicted = np.asarray(classes)[probability_PK.argmax(axis=1)]
    present = [k for k, name in enumerate(classes) if 0 < (truth == name).sum() < len(truth)]
    curves = [metrics.roc_auc_score(truth == classes[k], probability_PK[:, k]) for k in present]
    recalls = [(predicted[truth == name] == name).mean() for name in np.unique(truth)]
    return {
        "balanced_accuracy": float(np.mean(recalls)),
        "auroc": float(np.mean(curves)) if curves else float("nan"),
        "accuracy": float((predicted == truth).mean()),
        "macro_f1": float(
            metrics.f1_score(truth, predicted, labels=np.unique(truth), average="macro")
        ),
        "ece": calibration_error(predicted == truth, probability_PK.max(axis=1)),
    }


def calibration_error(correct: np.ndarray, confidence: np.ndarray, bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over bins of confidence (Guo et al. 2017)."""
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (number == b).mean() * abs(correct[number == b].mean() - confidence[number == b].mean())
        for b in np.unique(number)
    ]
    return float(np.sum(gaps))


def regression_scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predicted values: Pearson r (0 where the prediction is constant), R², MAE."""
    constant = np.std(predicted) < 1e-12 or np.std(truth) < 1e-12
    r = 0.0 if constant else float(np.corrcoef(truth, predicted)[0, 1])
    return {
        "pearson_r": r,
        "r2": float(metrics.r2_score(truth, predicted)),
        "mae": float(np.abs(truth - predicted).mean()),
    }


def within_sites_r(truth: np.ndarray, predicted: np.ndarray, site: np.ndarray) -> float:
    """Pearson r after the mean of each site is taken from truth and prediction; NaN with one site.

    What is left when a phenotype cannot be guessed from where somebody was scanned.
    """
    names, number = np.unique(site, return_inverse=True)
    if len(names) < 2:
        return float("nan")
    count = np.bincount(number)
    centred = [x - (np.bincount(number, x) / count)[number] for x in (truth, predicted)]
    norms = [float(np.linalg.norm(x)) for x in centred]
    return float(centred[0] @ centred[1] / (norms[0] * norms[1])) if min(norms) > 1e-9 else 0.0

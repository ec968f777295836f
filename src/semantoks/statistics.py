"""Scores, their intervals over repeated splits, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats
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


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979); NaN stays NaN and is not counted."""
    p = np.asarray(p_values, float)
    order = [int(i) for i in np.argsort(p, kind="stable") if p[i] == p[i]]
    adjusted, highest = np.full(len(p), np.nan), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(p[place])))
        adjusted[place] = highest
    return [float(value) for value in adjusted]


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
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return dict.fromkeys(("mean", "sd", "low", "high"), float("nan"))
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


def identification(first_PF: np.ndarray, second_PF: np.ndarray) -> float:
    """Share of people whose two sessions correlate most with each other, mean of both directions.

    Source: Finn et al. 2015, doi:10.1038/nn.4135. Features that anybody lacks are left out.
    """
    known = np.isfinite(first_PF).all(axis=0) & np.isfinite(second_PF).all(axis=0)
    parts = []
    for rows in (first_PF[:, known], second_PF[:, known]):
        centred = rows - rows.mean(axis=1, keepdims=True)
        parts.append(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12))
    alike = parts[0] @ parts[1].T
    own = np.arange(len(alike))
    return float(np.mean([(alike.argmax(axis=axis) == own).mean() for axis in (0, 1)]))


def icc(first_PF: np.ndarray, second_PF: np.ndarray) -> np.ndarray:
    """ICC(3,1) of each feature over two sessions: consistency of single measurements.

    Source: Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420. NaN where nothing varies.
    """
    people = len(first_PF)
    total = np.stack([first_PF, second_PF])
    between = 2 * total.mean(axis=0).var(axis=0, ddof=1)
    residual = total - total.mean(axis=1, keepdims=True) - (total.mean(axis=0) - total.mean((0, 1)))
    within = (residual**2).sum(axis=(0, 1)) / (people - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((between - within) / (between + within))

"""Metrics of the predictions of a probe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantoks.config import MIN_TESTED

# The first metric of each kind is the primary one, which representations are compared by.
CLASSIFICATION = ("balanced_accuracy", "auroc", "accuracy", "macro_f1", "ece")
REGRESSION = ("pearson_r", "r2", "mae")
WITHIN_SITES = "pearson_r_within_sites"
CORRELATIONS = ("pearson_r", WITHIN_SITES)
# Of fewer, the calibration error of a perfectly calibrated probe is about 0.1 and more: each of ten
# bins compares a mean confidence with the share of a few participants.
MIN_TESTED_FOR_CALIBRATION = 100
ROUNDING = 1e-12  # of the largest value: smaller spreads are rounding errors
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
    truth: np.ndarray,
    probability_PK: np.ndarray,
    classes: Sequence[str],
    frequency_K: np.ndarray | None = None,
) -> dict[str, float]:
    """Score predicted probabilities.

    Parameters
    ----------
    truth : ndarray of str, shape (participants,)
    probability_PK : ndarray, shape (participants, classes)
    classes : sequence of str
        Class names in alphabetical order, which is that of the columns.
    frequency_K : ndarray, optional
        Frequency or number of each class in the training part, if all classes had equal weights in
        the fit. Its probabilities are those of equally frequent classes, so calibration is judged
        after a correction by the frequencies. Source: Saerens et al. 2002,
        doi:10.1162/089976602753284446.

    Returns
    -------
    dict
        ``balanced_accuracy``, ``accuracy``, ``macro_f1``, ``auroc`` (one versus rest, averaged
        over the classes of the test part) and ``ece``.
    """
    # Imported here: it takes two seconds, and many stages need no more than the names above.
    from sklearn import metrics

    predicted = np.asarray(classes)[probability_PK.argmax(axis=1)]
    # The AUROC of a class needs test participants inside and outside of the class.
    present = [k for k, name in enumerate(classes) if 0 < (truth == name).sum() < len(truth)]
    aurocs = [metrics.roc_auc_score(truth == classes[k], probability_PK[:, k]) for k in present]
    # A class without test participants has no recall; a held-out site may lack classes.
    recalls = [(predicted[truth == name] == name).mean() for name in np.unique(truth)]
    corrected_PK = probability_PK if frequency_K is None else probability_PK * frequency_K
    corrected_PK = corrected_PK / corrected_PK.sum(axis=1, keepdims=True)
    likeliest = np.asarray(classes)[corrected_PK.argmax(axis=1)]
    return {
        "balanced_accuracy": float(np.mean(recalls)),
        "auroc": float(np.mean(aurocs)) if aurocs else float("nan"),
        "accuracy": float((predicted == truth).mean()),
        "macro_f1": float(
            metrics.f1_score(truth, predicted, labels=np.unique(truth), average="macro")
        ),
        "ece": calibration_error(likeliest == truth, corrected_PK.max(axis=1)),
    }


def calibration_error(correct: np.ndarray, confidence: np.ndarray, bins: int = 10) -> float:
    """Compute the expected calibration error.

    Source: Guo et al. 2017, arXiv 1706.04599.

    Parameters
    ----------
    correct : ndarray of bool, shape (participants,)
        Whether each prediction is right.
    confidence : ndarray, shape (participants,)
        Probability of the predicted class.
    bins : int
        Number of bins of equal width.
    """
    # A confidence of 1 belongs to the last bin, not to one beyond it.
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (number == b).mean() * abs(correct[number == b].mean() - confidence[number == b].mean())
        for b in np.unique(number)
    ]
    return float(np.sum(gaps))


def varying(values: np.ndarray) -> np.ndarray:
    """Return whether values (or columns) vary by more than rounding, whatever their unit."""
    return np.asarray(np.ptp(values, axis=0) > ROUNDING * np.abs(values).max(axis=0))


def regression_scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predicted numbers.

    Parameters
    ----------
    truth, predicted : ndarray, shape (participants,)

    Returns
    -------
    dict
        ``pearson_r`` (NaN where either is constant), ``r2`` (coefficient of determination, NaN
        where the truth is constant) and ``mae`` (mean absolute error, in the unit of the
        phenotype).
    """
    from sklearn import metrics

    has_r2 = bool(varying(truth))
    # corrcoef divides by zero for a constant, such as the prediction of chance.
    has_r = has_r2 and bool(varying(predicted))
    return {
        "pearson_r": float(np.corrcoef(truth, predicted)[0, 1]) if has_r else float("nan"),
        "r2": float(metrics.r2_score(truth, predicted)) if has_r2 else float("nan"),
        "mae": float(np.abs(truth - predicted).mean()),
    }


def within_sites_r(truth: np.ndarray, predicted: np.ndarray, site: np.ndarray) -> float:
    """Pearson correlation after subtracting the mean of each site from truth and prediction.

    A prediction that rests on differences between sites alone has a correlation of zero.

    Parameters
    ----------
    truth, predicted : ndarray, shape (participants,)
    site : ndarray of str, shape (participants,)

    Returns
    -------
    float
        NaN with fewer than two sites, with fewer degrees of freedom than the r of `MIN_TESTED`
        participants, and where truth or prediction is constant within sites.
    """
    names, number = np.unique(site, return_inverse=True)
    # Each mean that is subtracted takes a degree of freedom: r of 12 participants of 10 sites says
    # next to nothing.
    if len(names) < 2 or len(truth) - len(names) < MIN_TESTED - 1:
        return float("nan")
    count = np.bincount(number)
    centred = [x - (np.bincount(number, x) / count)[number] for x in (truth, predicted)]
    limits = [ROUNDING * np.abs(x).max() for x in (truth, predicted)]
    if any(np.ptp(x) <= limit for x, limit in zip(centred, limits, strict=True)):
        return float("nan")
    norms = [float(np.linalg.norm(x)) for x in centred]
    return float(centred[0] @ centred[1] / (norms[0] * norms[1]))


def with_enough_tested(rows: pd.DataFrame) -> pd.DataFrame:
    """Remove correlations and calibration errors of fits with too few test participants."""
    needed = dict.fromkeys((*CORRELATIONS, "r2"), MIN_TESTED) | {"ece": MIN_TESTED_FOR_CALIBRATION}
    columns = {
        name: rows[name].where(rows["test_people"] >= least)
        for name, least in needed.items()
        if name in rows
    }
    return rows.assign(**columns)

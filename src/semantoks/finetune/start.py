"""The head that training starts from: the linear probe of the encoder as it is.

A random head would first distort what the encoder has learned. Source: Kumar et al. 2022, "Fine-
tuning can distort pretrained features", arXiv 2202.10054.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from semantoks.config import CardProbe
from semantoks.scores.linear_models.axes import CONSTANT, rotate
from semantoks.scores.probe.fit import fit_probe
from semantoks.scores.probe.targets import ClassificationTargets, Targets


def linear_start(
    embedded_PF: np.ndarray, targets: Targets, fold_P: np.ndarray, settings: CardProbe
) -> dict[str, np.ndarray]:
    """Fit the probe to embeddings, its strength chosen over inner folds.

    Parameters
    ----------
    embedded_PF : ndarray
        Of the training participants.
    targets : Targets
        Theirs.
    fold_P : ndarray of int
        Inner folds.
    settings : CardProbe

    Returns
    -------
    dict of str to ndarray
        ``mean_F``, ``deviation_F``, ``head.weight`` and ``head.bias`` of a `Predictor`.
    """
    embedded_PF = embedded_PF.astype(float)
    mean_F, deviation_F = embedded_PF.mean(axis=0), embedded_PF.std(axis=0)
    deviation_F = np.where(deviation_F > CONSTANT * np.abs(mean_F), deviation_F, 1.0)
    standard_PF = (embedded_PF - mean_F) / deviation_F
    coordinates = rotate(embedded_PF, embedded_PF[:1])
    strength = fit_probe(coordinates, targets, fold_P, settings.strengths).strength
    # The probe's features are divided by the root of their number, these are not.
    penalty = strength * standard_PF.size
    if isinstance(targets, ClassificationTargets):
        weight_KF, bias_K = _logistic(standard_PF, targets, penalty)
    else:
        values_P = targets.values_P
        model = Ridge(alpha=penalty).fit(
            standard_PF, (values_P - values_P.mean()) / (values_P.std() or 1.0)
        )
        weight_KF, bias_K = model.coef_[None], np.atleast_1d(model.intercept_)
    return {
        "mean_F": mean_F,
        "deviation_F": deviation_F,
        "head.weight": weight_KF,
        "head.bias": bias_K,
    }


def _logistic(
    standard_PF: np.ndarray, targets: ClassificationTargets, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a class-balanced logistic regression; with two classes each output has half of it."""
    model = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=1000)
    model.fit(standard_PF, targets.codes_P)
    weight_KF, bias_K = model.coef_, model.intercept_
    if len(targets.class_names) == 2:
        return np.vstack([-weight_KF, weight_KF]) / 2, np.append(-bias_K, bias_K) / 2
    return weight_KF, bias_K

"""Exact L2 linear models: one decomposition for all strengths, classes, phenotypes and folds."""

from semantoks.scores.linear_models.axes import Rotated, rotate, standardise
from semantoks.scores.linear_models.logistic import (
    Targets,
    balanced_targets,
    best_offsets,
    fit_logistic,
    logits_of,
    of_every_class,
    with_constant,
)
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds

__all__ = [
    "Rotated",
    "Targets",
    "balanced_targets",
    "best_offsets",
    "fit_logistic",
    "logits_of",
    "of_every_class",
    "ridge",
    "ridge_over_folds",
    "rotate",
    "standardise",
    "with_constant",
]

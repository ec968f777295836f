"""L2 logistic regressions without each inner fold, of several classifications at once.

Legend: P participants, R principal axes and the intercept, T classifications, C columns (a
classification without one of its folds), K logits per regression.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.logistic import fit_logistic
from semantoks.scores.linear_models.logistic_loss import balanced_classes, logits_of


class InnerFolds:
    """Fits without each inner fold, of several classifications at once.

    One column per classification and fold: all fits share each matrix product.

    Parameters
    ----------
    code_PT : ndarray of int
        Class codes of the training participants, one column per classification.
    fold_PT : ndarray of int
        Their inner folds.
    classes : int
    """

    def __init__(self, code_PT: np.ndarray, fold_PT: np.ndarray, classes: int) -> None:
        self.number = int(fold_PT.max()) + 1
        self._fold_PT = fold_PT
        outside_PTF = fold_PT[:, :, None] != np.arange(self.number)
        self._outside_PC = outside_PTF.reshape(len(fold_PT), -1)
        code_PC = np.repeat(code_PT, self.number, axis=1)
        self._targets = balanced_classes(code_PC, self._outside_PC, classes)

    def fit(
        self,
        rows_PR: np.ndarray,
        strength_T: np.ndarray,
        start: np.ndarray | None,
        tolerance: float,
    ) -> np.ndarray:
        """Fit every column with the strength of its classification, shape (R, columns, K)."""
        # Per participant of the fit, so a strength means the same with and without a fold.
        penalty_C = np.repeat(strength_T, self.number) * self._outside_PC.sum(axis=0)
        return fit_logistic(rows_PR, self._targets, penalty_C, start=start, tolerance=tolerance)

    def left_out(self, rows_PR: np.ndarray, weights_RCK: np.ndarray) -> np.ndarray:
        """Logits of each participant without their fold, shape (participants, T, K)."""
        of_folds = logits_of(rows_PR, weights_RCK).astype(float)
        of_folds = of_folds.reshape(*self._fold_PT.shape, self.number, -1)
        return np.take_along_axis(of_folds, self._fold_PT[:, :, None, None], axis=2)[:, :, 0]

"""The values of a phenotype that a probe predicts, classes or numbers, and their inner folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from semantoks.errors import UserError
from semantoks.people.intervals import quantile_names


@dataclass(frozen=True)
class ClassificationTargets:
    """Classes of participants.

    Attributes
    ----------
    codes_P : ndarray of int
        Position of each participant's class in `class_names`.
    class_names : list of str
    """

    codes_P: np.ndarray
    class_names: list[str]

    def __len__(self) -> int:
        return len(self.codes_P)

    def take(self, rows: np.ndarray) -> ClassificationTargets:
        """Select participants by row number."""
        return ClassificationTargets(self.codes_P[rows], self.class_names)

    @property
    def counts(self) -> np.ndarray:
        """Number of participants of each class."""
        return np.bincount(self.codes_P, minlength=len(self.class_names))


@dataclass(frozen=True)
class RegressionTargets:
    """Numbers of participants.

    Attributes
    ----------
    values_P : ndarray of float
    """

    values_P: np.ndarray

    def __len__(self) -> int:
        return len(self.values_P)

    def take(self, rows: np.ndarray) -> RegressionTargets:
        """Select participants by row number."""
        return RegressionTargets(self.values_P[rows])


Targets: TypeAlias = ClassificationTargets | RegressionTargets


def classes_of(
    names_P: np.ndarray, class_names: Sequence[str] | None = None
) -> ClassificationTargets:
    """Encode class names, in the order of `class_names`, by default in alphabetical order."""
    if class_names is not None:
        code_of = {name: code for code, name in enumerate(class_names)}
        codes = np.array([code_of[str(name)] for name in names_P], int)
        return ClassificationTargets(codes, list(class_names))
    alphabetical, codes_P = np.unique(names_P, return_inverse=True)
    return ClassificationTargets(codes_P, [str(name) for name in alphabetical])


def quantile_classes(
    values_P: np.ndarray, train: np.ndarray, bins: int, phenotype: str
) -> ClassificationTargets:
    """Bin numbers into classes at the quantiles of the training participants.

    Parameters
    ----------
    values_P : ndarray of float
    train : ndarray of int
        Row numbers of the training participants.
    bins : int
        Number of classes.
    phenotype : str
        Name for the error message.

    Raises
    ------
    UserError
        When ties leave a class without training participants.
    """
    edges = np.quantile(values_P[train], np.arange(1, bins) / bins)
    # A value that equals an edge goes into the upper bin.
    codes_P = np.searchsorted(edges, values_P, side="right")
    if np.bincount(codes_P[train], minlength=bins).min() == 0:
        values, counts = np.unique(values_P[train], return_counts=True)
        raise UserError(
            f"Phenotype '{phenotype}' cannot be binned into {bins} classes: too many participants "
            f"have the value {values[counts.argmax()]:g}. Lower `bins`."
        )
    return ClassificationTargets(codes_P, quantile_names(bins))


def inner_folds(targets: Targets, groups_P: np.ndarray | None, folds: int) -> np.ndarray:
    """Draw the inner folds: stratified by class, families together.

    Parameters
    ----------
    targets : Targets
        Of the training participants.
    groups_P : ndarray of int, or None
        Family of each.
    folds : int
        Reduced to the number of families where there are fewer.

    Returns
    -------
    ndarray of int
        Fold of each training participant.
    """
    # Imported here: it takes two seconds, and `choose` reads fits that exist already.
    from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

    splitter_class, strata = KFold, np.zeros(len(targets), int)
    if isinstance(targets, ClassificationTargets):
        splitter_class, strata = StratifiedKFold, targets.codes_P
    if groups_P is not None:
        splitter_class, folds = StratifiedGroupKFold, min(folds, len(np.unique(groups_P)))
    # Numbers are one stratum: StratifiedGroupKFold then balances the sizes of folds only.
    # The seed is fixed, so that all representations choose their strength on the same folds.
    splitter = splitter_class(folds, shuffle=True, random_state=0)
    fold_P = np.empty(len(targets), int)
    for number, (_, held) in enumerate(splitter.split(strata, strata, groups_P)):
        fold_P[held] = number
    return fold_P


def check_training_part(
    targets: Targets, phenotype: str, folds: int, *, of_site: bool = False
) -> None:
    """Refuse a training part that is too small for its inner folds.

    Parameters
    ----------
    targets : Targets
        Of the training participants.
    phenotype : str
        Name for the error message.
    folds : int
    of_site : bool
        Whether a site is tested. The others may then lack a class, which nobody there has either.

    Raises
    ------
    UserError
    """
    if isinstance(targets, ClassificationTargets):
        counts = targets.counts
        available = int((counts[counts > 0] if of_site else counts).min())
        needed, counted = folds, "in its smallest class"
    else:
        if np.ptp(targets.values_P) == 0:
            raise UserError(
                f"Phenotype '{phenotype}': all participants of a training part have the same "
                "value. Too few participants differ to predict it; remove it from the "
                "configuration."
            )
        available, needed, counted = len(targets), 2 * folds, "in total"
    if available < needed:
        raise UserError(
            f"Phenotype '{phenotype}': a training part has {available} participants {counted}, "
            f"but `probe.inner_folds: {folds}` needs {needed}. Lower it or add participants."
        )

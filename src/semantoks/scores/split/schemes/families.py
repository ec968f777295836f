"""Random splits that never separate the members of a family."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION, Split
from semantoks.scores.split.schemes.stratified import REPEATS, PartSizes, random_name

CANDIDATES = 20  # random splits, of which the one with the best balance of classes is used


def family_codes(participants: pd.DataFrame) -> np.ndarray:
    """Return the number of each participant's family; those without ``group`` are their own."""
    # Prefixes keep a family and a participant of the same name apart.
    singles = pd.Series([f"alone {name}" for name in participants.index], participants.index)
    families = "family " + participants["group"].astype("string")
    return np.unique(families.fillna(singles).to_numpy(str), return_inverse=True)[1]


def family_splits(
    participants: pd.DataFrame, strata: np.ndarray, sizes: PartSizes, seed: int
) -> list[Split]:
    """Draw `REPEATS` random splits by family.

    scikit-learn's StratifiedGroupKFold gives folds, not repeated splits of a wanted size, so each
    split is the best balanced of `CANDIDATES` random ones.

    Parameters
    ----------
    participants : DataFrame
        With a column ``group``.
    strata : ndarray of int, shape (participants,)
    sizes : PartSizes
        Parts may be larger by less than one family.
    seed : int

    Raises
    ------
    UserError
        If no candidate has every stratum in training and test.
    """
    families = family_codes(participants)
    splits = []
    for repeat in range(REPEATS):
        codes = _best_balanced(families, strata, sizes, np.random.default_rng([seed, repeat]))
        splits.append(Split(random_name(repeat), "random", codes))
    return splits


def _best_balanced(
    families: np.ndarray, strata: np.ndarray, sizes: PartSizes, rng: np.random.Generator
) -> np.ndarray:
    """Return the candidate whose parts are closest to the shares of the strata (L1 distance)."""
    n_strata = strata.max() + 1
    shares = np.bincount(strata, minlength=n_strata) / len(strata)
    best, smallest = None, np.inf
    for _ in range(CANDIDATES):
        codes = _fill_parts(families, sizes, rng)
        test = np.bincount(strata[codes == TEST], minlength=n_strata)
        train = np.bincount(strata[codes == TRAIN], minlength=n_strata)
        if test.min() == 0 or train.min() == 0:
            continue
        # Validation chooses a learning rate, so it needs its share of every stratum, too.
        validation = np.bincount(strata[codes == VALIDATION], minlength=n_strata)
        imbalance = sum(
            float(np.abs(part / max(part.sum(), 1) - shares).sum()) for part in (test, validation)
        )
        if imbalance < smallest:
            best, smallest = codes, imbalance
    if best is None:
        raise UserError(
            f"{families.max() + 1} families are too few to have every class (or quantile) in both "
            "training and test. Merge classes, add participants, or remove group_column."
        )
    return best


def _fill_parts(families: np.ndarray, sizes: PartSizes, rng: np.random.Generator) -> np.ndarray:
    """Fill test, validation and training with families in random order; the others are unused."""
    codes = np.full(len(families), UNUSED, np.int8)
    members = _shuffled_families(families, rng)
    # Training comes last, so that it takes the shortfall where large families overfill the others.
    for code, size in ((TEST, sizes.test), (VALIDATION, sizes.validation), (TRAIN, sizes.train)):
        filled = 0
        while filled < size:
            family = next(members, None)
            if family is None:
                return codes
            codes[family] = code
            filled += len(family)
    return codes


def _shuffled_families(families: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Iterate over the row numbers of each family, families in random order."""
    rank = rng.permutation(families.max() + 1)
    # A stable sort keeps the members of a family together and in their original order.
    order = np.argsort(rank[families], kind="stable")
    return iter(np.split(order, np.flatnonzero(np.diff(families[order])) + 1))

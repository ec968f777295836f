"""Random splits that never separate the members of a family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from semantoks.config import PERSON
from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION, Split
from semantoks.scores.split.schemes.stratified import REPEATS, PartSizes, random_name

ROUNDING = 1e-6  # of a sum of shares
CANDIDATES = 20  # random splits, of which the one with the best balance of classes is used


def family_codes(participants: pd.DataFrame) -> np.ndarray:
    """Return the number of each participant's family; those without ``group`` are their own."""
    # Prefixes keep a family and a participant of the same name apart.
    singles = pd.Series([f"alone {name}" for name in participants.index], participants.index)
    families = "family " + participants["group"].astype("string")
    return np.unique(families.fillna(singles).to_numpy(str), return_inverse=True)[1]


def family_splits(
    participants: pd.DataFrame,
    strata: np.ndarray,
    sizes: PartSizes,
    seed: int,
    *,
    is_regression: bool = False,
) -> list[Split]:
    """Draw `REPEATS` random splits by family.

    scikit-learn's StratifiedGroupKFold gives folds, not repeated splits of a wanted size, so each
    split is the best balanced of `CANDIDATES` random ones.

    Parameters
    ----------
    participants : DataFrame
        With a column ``group``; of blocks also ``person``.
    strata : ndarray of int, shape (participants,)
    sizes : PartSizes
        In people. Parts may be larger by less than one family.
    seed : int
    is_regression : bool
        Strata are quantiles of a number, which a part may lack if no candidate has them all.

    Raises
    ------
    UserError
        If no candidate has every class in training and test.
    """
    families, share = family_codes(participants), _shares_of_people(participants)
    splits = []
    for repeat in range(REPEATS):
        rng = np.random.default_rng([seed, repeat])
        candidates = [_fill_parts(families, share, sizes, rng) for _ in range(CANDIDATES)]
        codes = _best_balanced(candidates, strata)
        if codes is None and is_regression and families.max() > 0:
            codes = _best_balanced(candidates, strata, must_have_all=False)
        if codes is None:
            raise UserError(
                f"{families.max() + 1} families are too few to have every class (or quantile) in "
                "both training and test. Merge classes, add participants, or remove group_column. "
                "(Blocks of a person are a family.)"
            )
        splits.append(Split(random_name(repeat), "random", codes))
    return splits


def _shares_of_people(participants: pd.DataFrame) -> np.ndarray:
    """Return which share of a person each row is: all, or one of their blocks."""
    if PERSON not in participants:
        return np.ones(len(participants))
    return 1 / participants.groupby(PERSON)[PERSON].transform("size").to_numpy(float)


def _best_balanced(
    candidates: Sequence[np.ndarray], strata: np.ndarray, *, must_have_all: bool = True
) -> np.ndarray | None:
    """Return the candidate whose parts are closest to the shares of the strata (L1 distance).

    None if no candidate has every stratum in training and test.
    """
    n_strata = strata.max() + 1
    shares = np.bincount(strata, minlength=n_strata) / len(strata)
    best, smallest = None, np.inf
    for codes in candidates:
        test = np.bincount(strata[codes == TEST], minlength=n_strata)
        train = np.bincount(strata[codes == TRAIN], minlength=n_strata)
        fewest = min(test.min(), train.min()) if must_have_all else min(test.sum(), train.sum())
        if fewest == 0:
            continue
        # Validation chooses a learning rate, so it needs its share of every stratum, too.
        validation = np.bincount(strata[codes == VALIDATION], minlength=n_strata)
        imbalance = sum(
            float(np.abs(part / max(part.sum(), 1) - shares).sum()) for part in (test, validation)
        )
        if imbalance < smallest:
            best, smallest = codes, imbalance
    return best


def _fill_parts(
    families: np.ndarray, share: np.ndarray, sizes: PartSizes, rng: np.random.Generator
) -> np.ndarray:
    """Fill test, validation and training with families in random order; the others are unused."""
    codes = np.full(len(families), UNUSED, np.int8)
    members = _shuffled_families(families, rng)
    # Training comes last, so that it takes the shortfall where large families overfill the others.
    for code, size in ((TEST, sizes.test), (VALIDATION, sizes.validation), (TRAIN, sizes.train)):
        filled = 0.0
        while filled < size - ROUNDING:
            family = next(members, None)
            if family is None:
                return codes
            codes[family] = code
            filled += float(share[family].sum())
    return codes


def _shuffled_families(families: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Iterate over the row numbers of each family, families in random order."""
    rank = rng.permutation(families.max() + 1)
    # A stable sort keeps the members of a family together and in their original order.
    order = np.argsort(rank[families], kind="stable")
    return iter(np.split(order, np.flatnonzero(np.diff(families[order])) + 1))

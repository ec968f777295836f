"""Random splits, stratified by the target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION, Split

# All are drawn, and the probe scores the first `probe.repeats`: raising that number adds splits
# without changing the earlier ones.
REPEATS = 100
QUANTILE_BINS = 4


class PartSizes(NamedTuple):
    """Number of participants in each part of a split."""

    train: int
    validation: int
    test: int

    def check(self, n_participants: int, n_strata: int) -> None:
        """Raise a `UserError` if the sizes do not fit the participants or the strata."""
        if sum(self) <= n_participants and min(self.train, self.test) >= n_strata:
            return
        raise UserError(
            f"Splits need {self.train} training, {self.validation} validation and {self.test} test "
            f"participants, but there are {n_participants} in {n_strata} classes (or quantiles), "
            "and training and test need at least one of each. Change the phenotype's train_people, "
            "validation_people and test_people, or splits.test_fraction."
        )


def part_sizes(
    n_participants: int,
    phenotype: Phenotype,
    settings: Splitting,
    smallest_class: int | None = None,
    blocks: int = 1,
) -> PartSizes:
    """Return the sizes of the parts: those of the phenotype, else fractions of everybody.

    Parameters
    ----------
    n_participants : int
    phenotype : Phenotype
    settings : Splitting
    smallest_class, blocks : int
        See `Splitting.test_people`.
    """
    test = phenotype.test_people or settings.test_people(n_participants, smallest_class, blocks)
    validation = phenotype.validation_people
    if validation is None:
        validation = round(n_participants * settings.validation_fraction)
    train = phenotype.train_people or n_participants - test - validation
    return PartSizes(train, validation, test)


def strata_of(target: pd.Series, phenotype: Phenotype, n_test: int) -> np.ndarray:
    """Assign each participant to a class, or to a quantile bin of a numeric target.

    Everybody is in one stratum if the splits of the phenotype are not stratified.

    Parameters
    ----------
    target : Series
    phenotype : Phenotype
    n_test : int
        Size of the test part. There are at most as many bins, so that each has a participant to
        test.

    Returns
    -------
    ndarray of int, shape (participants,)
    """
    if not phenotype.stratified:
        return np.zeros(len(target), int)
    if phenotype.has_fixed_classes:
        return np.unique(target.to_numpy(str), return_inverse=True)[1]
    bins = max(1, min(phenotype.bins or QUANTILE_BINS, n_test))
    # Ranks instead of quantile edges: with many equal values some bins would be empty.
    ranks = target.rank(method="first").to_numpy() - 1
    return np.asarray(np.floor(ranks * bins / len(target)).astype(int))


def stratified_splits(strata: np.ndarray, sizes: PartSizes, seed: int) -> list[Split]:
    """Draw `REPEATS` random splits in which every part has its share of every stratum."""
    # Imported here: it takes a second, and the report needs no more than limits of the splits.
    from sklearn.model_selection import StratifiedShuffleSplit

    shuffles = StratifiedShuffleSplit(
        REPEATS,
        test_size=sizes.test,
        train_size=sizes.train + sizes.validation,
        random_state=seed,
    ).split(strata, strata)
    splits = []
    for repeat, (train, test) in enumerate(shuffles):
        codes = np.full(len(strata), UNUSED, np.int8)
        codes[train], codes[test] = TRAIN, TEST
        # A generator per repeat: a split depends on the seed and its number, not on earlier draws.
        rng = np.random.default_rng([seed, repeat])
        order = _stratified_order(rng.permutation(train), strata)
        codes[order[: sizes.validation]] = VALIDATION
        splits.append(Split(random_name(repeat), "random", codes))
    return splits


def _stratified_order(rows: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Sort shuffled rows so that the first of any number have their share of every stratum."""
    rank = np.empty(len(rows))
    for stratum in np.unique(strata[rows]):
        members = np.flatnonzero(strata[rows] == stratum)
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.asarray(rows[np.argsort(rank, kind="stable")])


def random_name(repeat: int) -> str:
    """Return the name of a random split."""
    return f"random {repeat:02d}"

"""Draw all splits of a phenotype."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.config import PERSON, Phenotype, Splitting
from semantoks.scores.split.parts import Split, people_of
from semantoks.scores.split.schemes.families import family_splits
from semantoks.scores.split.schemes.fixed import read_fixed_splits
from semantoks.scores.split.schemes.sites import site_splits
from semantoks.scores.split.schemes.stratified import part_sizes, strata_of, stratified_splits


def draw(
    participants: pd.DataFrame,
    phenotype: Phenotype,
    settings: Splitting,
    everybody: pd.DataFrame | None = None,
) -> list[Split]:
    """Draw all splits of a phenotype.

    Fixed splits replace random ones, which phenotypes may share. Each site that is large enough is
    held out in addition.

    Parameters
    ----------
    participants : DataFrame
        One row per participant, sorted by id: ``target``, ``site`` and ``group`` (missing where
        unknown; ``group`` is the family). Of blocks also ``person``: sizes of parts and a file of
        splits then mean people, with all of their blocks.
    phenotype : Phenotype
    settings : Splitting
    everybody : DataFrame, optional
        All with a usable scan, likewise but without ``target``, if phenotypes share their splits.

    Returns
    -------
    list of Split
        Random or fixed splits, then one per site.

    Raises
    ------
    UserError
        If there are too few participants for the requested sizes, or the file of fixed splits is
        not usable.
    """
    if phenotype.splits_file:
        splits = _fixed_splits(participants, Path(phenotype.splits_file))
    elif everybody is not None:
        splits = _shared_splits(participants, everybody, settings)
    else:
        splits = _random_splits(participants, phenotype, settings)
    return splits + site_splits(participants, phenotype)


def _fixed_splits(participants: pd.DataFrame, file: Path) -> list[Split]:
    people = people_of(participants)
    splits = read_fixed_splits(people, file)
    if PERSON not in participants:
        return splits
    row_of_person = people.get_indexer(participants[PERSON])
    return [replace(split, codes=split.codes[row_of_person]) for split in splits]


def _shared_splits(
    participants: pd.DataFrame, everybody: pd.DataFrame, settings: Splitting
) -> list[Split]:
    """Draw splits of everybody, and take the participants of a phenotype in each."""
    # As of a number that is the same in all of them.
    drawn = _random_splits(
        everybody.assign(target=0.0), Phenotype(kind="regression", stratified=False), settings
    )
    rows = everybody.index.get_indexer(participants.index)
    return [replace(split, codes=split.codes[rows]) for split in drawn]


def _random_splits(
    participants: pd.DataFrame, phenotype: Phenotype, settings: Splitting
) -> list[Split]:
    """Draw splits by participant, or by family where somebody belongs to one."""
    people = len(people_of(participants))
    blocks = len(participants) // people
    smallest = _smallest_class(participants["target"], people, phenotype)
    sizes = part_sizes(people, phenotype, settings, smallest, blocks)
    # The number of quantile bins depends on the size of the test part.
    strata = strata_of(participants["target"], phenotype, sizes.test)
    # A person may have blocks of every class.
    sizes.check(people, n_strata=len(np.unique(strata)) if people == len(participants) else 1)
    # Whole families cannot meet sizes and strata exactly, so they have a scheme of their own.
    if participants["group"].notna().any():
        is_number = phenotype.kind == "regression"
        return family_splits(participants, strata, sizes, settings.seed, is_regression=is_number)
    return stratified_splits(strata, sizes, settings.seed)


def _smallest_class(target: pd.Series, people: int, phenotype: Phenotype) -> int | None:
    """Count the people of the smallest class; None if a number is predicted."""
    if phenotype.kind == "regression":
        return None
    if phenotype.has_fixed_classes:
        # A person may have blocks of every class.
        return min(people, int(target.value_counts().min()))
    return people // (phenotype.bins or 1)

"""Draw all splits of a phenotype."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.config import Phenotype, Splitting
from semantoks.scores.split.parts import Split
from semantoks.scores.split.schemes.families import family_splits
from semantoks.scores.split.schemes.fixed import read_fixed_splits
from semantoks.scores.split.schemes.sites import site_splits
from semantoks.scores.split.schemes.stratified import part_sizes, strata_of, stratified_splits


def draw(participants: pd.DataFrame, phenotype: Phenotype, settings: Splitting) -> list[Split]:
    """Draw all splits of a phenotype.

    Fixed splits replace random ones. Each site that is large enough is held out in addition.

    Parameters
    ----------
    participants : DataFrame
        One row per participant, sorted by id: ``target``, ``site`` and ``group`` (missing where
        unknown; ``group`` is the family).
    phenotype : Phenotype
    settings : Splitting

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
        splits = read_fixed_splits(participants.index, Path(phenotype.splits_file))
    else:
        splits = _random_splits(participants, phenotype, settings)
    return splits + site_splits(participants, phenotype)


def _random_splits(
    participants: pd.DataFrame, phenotype: Phenotype, settings: Splitting
) -> list[Split]:
    sizes = part_sizes(len(participants), phenotype, settings)
    # The number of quantile bins depends on the size of the test part.
    strata = strata_of(participants["target"], phenotype, sizes.test)
    sizes.check(len(participants), n_strata=len(np.unique(strata)))
    # Whole families cannot meet sizes and strata exactly, so they have a scheme of their own.
    if participants["group"].notna().any():
        return family_splits(participants, strata, sizes, settings.seed)
    return stratified_splits(strata, sizes, settings.seed)

"""Splits that hold out one site after the other."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from semantoks.config import PERSON, Phenotype
from semantoks.errors import UserError
from semantoks.scores.probe.targets import quantile_classes
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, Split
from semantoks.scores.split.schemes.families import family_codes

log = logging.getLogger(__name__)
MIN_PART = 10  # participants in training and in test
MIN_CLASS = 5  # participants of each class, in training and in test


def site_splits(participants: pd.DataFrame, phenotype: Phenotype) -> list[Split]:
    """Hold out each site that is large enough, and train on all others.

    Relatives of test participants are not trained on, nor are participants without a site.

    Returns
    -------
    list of Split
        Empty if fewer than two sites are large enough.
    """
    site, families = participants["site"], family_codes(participants)
    splits, too_small = list[Split](), list[str]()
    for name in sorted(site.dropna().unique()):
        test = (site == name).to_numpy()
        train = ~test & site.notna().to_numpy() & ~np.isin(families, families[test])
        if not is_large_enough(participants, train, test, phenotype):
            too_small.append(str(name))
            continue
        codes = np.full(len(participants), UNUSED, np.int8)
        codes[train], codes[test] = TRAIN, TEST
        splits.append(Split(f"site {name}", "site", codes, held_out=str(name)))
    if too_small:
        log.info("Too few participants or classes to hold out: %s", ", ".join(too_small))
    # A single split has neither a standard deviation nor a paired test.
    return splits if len(splits) > 1 else []


def is_large_enough(
    participants: pd.DataFrame, train: np.ndarray, test: np.ndarray, phenotype: Phenotype
) -> bool:
    """Check both parts' sizes; classes that are tested must be trained on, at least two of them.

    The recall of a class with one or two test participants is a coin toss that makes up half of the
    site's balanced accuracy. Of blocks, people count.
    """
    people = pd.Series(participants.get(PERSON, participants.index), participants.index)
    trained_people, tested_people = people[train], people[test]
    if min(trained_people.nunique(), tested_people.nunique()) < MIN_PART:
        return False
    if phenotype.kind == "regression":
        return True
    target = _classes(participants["target"], train, phenotype)
    if target is None:
        return False
    tested = tested_people.groupby(target[test]).nunique()
    trained = trained_people.groupby(target[train]).nunique()
    known = set(trained.index) >= set(tested.index)
    smallest = min(trained.min(), tested.min())
    return bool(known and len(tested) > 1 and smallest >= MIN_CLASS)


def _classes(target: pd.Series, train: np.ndarray, phenotype: Phenotype) -> pd.Series | None:
    """Return the class of each participant; None where ties leave one of the bins empty."""
    if phenotype.has_fixed_classes:
        return target
    values, rows = target.to_numpy(float), np.flatnonzero(train)
    try:
        cut = quantile_classes(values, rows, phenotype.bins or 1, str(target.name))
    except UserError:
        return None
    return pd.Series(cut.codes_P, target.index)

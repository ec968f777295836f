"""Checks of finished splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.scores.split.parts import Split
from semantoks.scores.split.schemes.families import family_codes


def check_classes(splits: Sequence[Split], target: pd.Series) -> None:
    """Check that every split has all classes in training and test.

    Splits by site are exempt, as a site need not have every class.

    Raises
    ------
    UserError
    """
    codes = np.unique(target.to_numpy(str), return_inverse=True)[1]
    n_classes = codes.max() + 1
    for split in splits:
        if split.scheme == "site":
            continue
        for part in (split.is_training, split.is_test):
            if len(np.unique(codes[part])) < n_classes:
                raise UserError(
                    f"Split {split.name} does not have all {n_classes} classes in both training "
                    "and test, because there are too few participants. Merge classes, add "
                    "participants, raise splits.test_fraction, or leave out `stratified: false` "
                    "and `splits.shared`."
                )


def check_parts(splits: Sequence[Split], phenotype: str) -> None:
    """Check that every split has somebody to train on and somebody to test.

    Splits that phenotypes share need not, where few participants have a value of this one.

    Raises
    ------
    UserError
    """
    for split in splits:
        if split.is_training.any() and split.is_test.any():
            continue
        raise UserError(
            f"Phenotype '{phenotype}': split {split.name}, which all phenotypes share, has no "
            "training or no test participants with a value of it. Leave out `splits.shared`, or "
            "give the phenotype `test_people`, so that it has splits of its own."
        )


def check_leakage(splits: Sequence[Split], participants: pd.DataFrame) -> None:
    """Check that no family has both training and test participants.

    A participant cannot be in both parts, since a split has one code for each, and participants
    with identical scans were removed before (`eligible_targets`).

    Raises
    ------
    UserError
    """
    families = family_codes(participants)
    for split in splits:
        shared = np.intersect1d(families[split.is_training], families[split.is_test])
        if len(shared):
            example = participants.index[families == shared[0]][0]
            raise UserError(
                f"Split {split.name} trains on relatives of test participants ({example} and "
                "others). Correct the splits_file, or remove group_column."
            )

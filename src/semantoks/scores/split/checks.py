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
                    "participants, raise splits.test_fraction, or leave out `stratified: false`."
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

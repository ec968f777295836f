"""Splits of participants into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
import pandas as pd

from semantoks.config import PERSON

# Codes of a participant's part in a split, as stored in the split tables. Validation participants
# are training participants too, except under the protocol of the paper, which tunes on them.
UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2

Scheme = Literal["random", "fixed", "site"]


class SplitRecord(TypedDict):
    """One split in the metadata of a split table."""

    split: str
    scheme: Scheme
    held_out: str


@dataclass(frozen=True)
class Split:
    """One assignment of participants to parts.

    Attributes
    ----------
    name : str
        Unique within the phenotype; also the column of the split table.
    scheme : {"random", "fixed", "site"}
    codes : ndarray of int8, shape (participants,)
        `TRAIN`, `VALIDATION`, `TEST` or `UNUSED`.
    held_out : str
        The site that is tested, where the scheme is "site".
    """

    name: str
    scheme: Scheme
    codes: np.ndarray
    held_out: str = ""

    @property
    def is_test(self) -> np.ndarray:
        """Boolean mask of the test participants."""
        return self.codes == TEST

    @property
    def is_training(self) -> np.ndarray:
        """Boolean mask of the training participants, including those of the validation part."""
        return np.isin(self.codes, (TRAIN, VALIDATION))

    def record(self) -> SplitRecord:
        """Return everything but the codes, as JSON values."""
        return {"split": self.name, "scheme": self.scheme, "held_out": self.held_out}


def people_of(participants: pd.DataFrame) -> pd.Index:
    """Return the ids of the people of a table: its rows, or the persons of its blocks."""
    if PERSON not in participants:
        return participants.index
    return pd.Index(sorted(participants[PERSON].unique()))


def codes_table(splits: Sequence[Split], participant_ids: pd.Index) -> pd.DataFrame:
    """Return the codes of all splits, one row per participant and one column per split."""
    return pd.DataFrame({split.name: split.codes for split in splits}, index=participant_ids)

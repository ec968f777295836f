"""Blocks of a task as what a card is about: people and their runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.representations import (
    iter_features,
    nan_mean,
    read_features,
    read_scan_entities,
)
from semantoks.artifacts.timeseries import SOURCE
from semantoks.config import PERSON


def person_by_block(scans: pd.DataFrame) -> dict[str, str]:
    """Return the person of each block.

    Parameters
    ----------
    scans : DataFrame
        Table of the blocks, as `scans` wrote it.
    """
    return dict(zip(scans["participant_id"], scans[PERSON], strict=True))


def of_people(participants: pd.DataFrame, scans: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables by person: one row per person, and blocks as scans of the person.

    Parameters
    ----------
    participants : DataFrame
        Table of blocks, with the columns of their person.
    scans : DataFrame
    """
    people = participants.drop_duplicates(PERSON)
    people = people.assign(participant_id=people[PERSON]).reset_index(drop=True)
    return people, scans.assign(participant_id=scans[PERSON])


@dataclass(frozen=True)
class Recordings:
    """The scans of a representation; or runs, with the mean of their blocks.

    One block of a session would be compared with one of another session that may be of another
    trial type.

    Attributes
    ----------
    features : Path
        A representation.
    entities : DataFrame
        Entities of the scans or runs; ``participant_id`` is the person.
    rows : list of ndarray of int, or None
        Rows of the blocks of each run; None where every row is a scan.
    """

    features: Path
    entities: pd.DataFrame
    rows: list[np.ndarray] | None = None

    @classmethod
    def of(cls, features: Path, scans: pd.DataFrame) -> Recordings:
        """List what is compared; a recording that is there twice is listed once.

        Parameters
        ----------
        features : Path
        scans : DataFrame
            Table of scans, or of blocks.
        """
        entities, copies = read_scan_entities(features), scans[scans["recording"].duplicated()]
        if SOURCE not in scans:
            return cls(features, entities[~entities["scan"].isin(copies["scan"])])
        source = entities["scan"].map(dict(zip(scans["scan"], scans[SOURCE], strict=True)))
        known = source.where(~source.isin(copies[SOURCE]))
        rows = known.groupby(known).indices
        first = entities.iloc[[blocks[0] for blocks in rows.values()]]
        person = first["participant_id"].map(person_by_block(scans))
        runs = first.assign(scan=list(rows), participant_id=person).reset_index(drop=True)
        return cls(features, runs, list(rows.values()))

    def iterate(self, numbers: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield the features of some scans or runs, by their labels in `entities`."""
        if self.rows is None:
            return iter_features(self.features, numbers)
        return (nan_mean(read_features(self.features, self.rows[number])) for number in numbers)

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Read the features of some scans or runs, shape (numbers, features)."""
        if self.rows is None:
            return read_features(self.features, numbers)
        return np.stack(list(self.iterate(numbers)))

"""The scans that a model sees: those of people who are not held out."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from hashlib import sha256
from operator import or_
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from semantoks.artifacts.held_out import LeftOut, left_out_for, read_tables
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import (
    HELD_OUT,
    SOURCE,
    Scan,
    included_scans,
    iter_scans,
    whole_runs,
)
from semantoks.errors import UserError

log = logging.getLogger(__name__)


class Counts(NamedTuple):
    """How many people and scans are seen, and how many there are to be seen."""

    people: int
    people_of_all: int
    scans: int
    scans_of_all: int


def nested_part(people: Collection[tuple[str, str]], fraction: float) -> set[tuple[str, str]]:
    """Draw a fraction of people (rounded up), always the same; smaller ones are within larger ones.

    Parameters
    ----------
    people : collection of (str, str)
        Data set and id.
    fraction : float
    """
    # By hashes and not by a generator: a person who is added moves nobody else.
    ordered = sorted(people, key=lambda person: sha256("/".join(person).encode()).hexdigest())
    return set(ordered[: math.ceil(fraction * len(ordered))])


class SeenScans:
    """Time series to fit to; nothing is read before the iteration.

    Every process of a training makes one, and only the first iterates over it. It can be iterated
    over again.

    Parameters
    ----------
    timeseries : sequence of Path
        Files of `semantoks.artifacts.timeseries` in folders named after their data sets.
    tables : sequence of Path
        ``<dataset>.parquet`` of `scans`: of these data sets, and of those with people who are held
        out. Empty if nobody is.
    fraction : float, optional
        Of the people who may be seen (default: all). Smaller fractions are within larger ones.

    Attributes
    ----------
    summary : dict of str to int
        For the description of the model; filled by the iteration.
    """

    def __init__(
        self, timeseries: Sequence[Path], tables: Sequence[Path], fraction: float | None = None
    ) -> None:
        self.timeseries = timeseries
        self.tables = tables
        self.fraction = fraction
        self.summary: dict[str, int] = {}

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield time series of shape (regions, volumes), sorted by scan; errors as for `scans`."""
        yield from (scan.timeseries_CT for scan in self.scans())

    def scans(self) -> Iterator[Scan]:
        """Yield the scans, sorted by name, one at a time in memory.

        Raises
        ------
        UserError
            If the table of a data set is missing or of other scans, or no scan is left.
        """
        if self.tables:
            # Say who is left out, or refuse, even if the files hold no scan at all.
            _ = self._known_and_left_out
        yield from iter_scans(self.timeseries, self._is_seen)

    def people(self) -> int:
        """Count the people whose scans are seen; the same id in two data sets counts twice."""
        return len(set(self._seen.values()))

    def counts(self) -> Counts:
        """Count people and scans, with and without the fraction; fills `summary`."""
        seen, allowed = self._seen, self._allowed
        people, everybody = len(set(seen.values())), len(set(allowed.values()))
        self.summary |= {"people": people, "people_of_all": everybody}
        return Counts(people, everybody, len(seen), len(allowed))

    def _is_seen(self, path: Path, scan: str) -> bool:
        """Whether a scan is seen, once the tables are read."""
        if not self._is_allowed(path, scan):
            return False
        return self.fraction is None or (path.parent.name, scan) in self._seen

    @cached_property
    def _allowed(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Data set and id of the person of each scan that may be seen, by data set and scan."""
        people = {}
        for path in self.timeseries:
            table = included_scans(read_table(path, ["scan", "participant_id", "status"]))
            name = path.parent.name
            for scan, person in zip(table["scan"], table["participant_id"], strict=True):
                if self._is_allowed(path, scan):
                    people[name, scan] = name, person
        return people

    @cached_property
    def _seen(self) -> dict[tuple[str, str], tuple[str, str]]:
        """The same of the scans that are seen."""
        if self.fraction is None:
            return self._allowed
        drawn = nested_part(set(self._allowed.values()), self.fraction)
        return {key: person for key, person in self._allowed.items() if person in drawn}

    def _is_allowed(self, path: Path, scan: str) -> bool:
        """Whether a scan may be seen."""
        if not self.tables:
            return True
        known, left_out = self._known_and_left_out
        key = path.parent.name, scan
        if key not in known:
            raise UserError(
                f"{path} has the scan {scan}, which the table of scans of {path.parent.name} "
                "does not have, so it is not known whether it is held out. Make the table "
                "again with `scans`."
            )
        return key not in left_out

    @cached_property
    def _known_and_left_out(self) -> tuple[set[tuple[str, str]], frozenset[tuple[str, str]]]:
        """Scans of the tables, and those of them that are left out; fills `summary`."""
        tables = read_tables(self.tables)
        datasets = sorted({path.parent.name for path in self.timeseries})
        _require_tables(tables, datasets)
        left_out = _left_out(tables, datasets)
        _require_scans(tables, datasets, left_out)
        # In place: whoever makes the model files has this mapping already.
        self.summary |= {
            "held_out_people": left_out.people,
            "held_out_scans": len(left_out.scans),
            "held_out_scans_under_other_ids": left_out.under_other_ids,
        }
        known = {(name, scan) for name in datasets for scan in _scans_of(tables[name])}
        return known, left_out.scans


def _scans_of(table: pd.DataFrame) -> Iterator[str]:
    """Yield the scans of a table; of blocks, also the runs that they were cut out of."""
    yield from table["scan"]
    yield from table[SOURCE].dropna() if SOURCE in table else ()


def _left_out(tables: Mapping[str, pd.DataFrame], datasets: Sequence[str]) -> LeftOut:
    holders = [name for name, table in tables.items() if table[HELD_OUT].any()]
    return reduce(or_, (left_out_for(name, tables, datasets) for name in holders), LeftOut())


def _require_tables(tables: Mapping[str, pd.DataFrame], datasets: Sequence[str]) -> None:
    """Refuse data sets of which nobody can say who is held out."""
    unknown = [name for name in datasets if name not in tables]
    if unknown:
        raise UserError(
            f"There is no table of scans of {unknown[0]} among {', '.join(sorted(tables))}, so it "
            "is not known who of it is held out. Name results/scans/<dataset>.parquet of each data "
            "set; the time series must be in a folder of its name."
        )


def _require_scans(
    tables: Mapping[str, pd.DataFrame], datasets: Sequence[str], left_out: LeftOut
) -> None:
    """Log what is left out, and refuse to train on nothing."""
    total = sum(len(whole_runs(tables[name])) for name in datasets)
    log.info(
        "%d participant(s) are held out: %d of %d scans are left out of pretraining, %d of them "
        "under other ids.",
        left_out.people,
        len(left_out.scans),
        total,
        left_out.under_other_ids,
    )
    if total and len(left_out.scans) == total:
        raise UserError(
            f"All {total} scans of {', '.join(datasets)} are of people who are held out, so there "
            "is nothing to pretrain on. Hold out fewer people (`hold_out`), or add data sets."
        )

"""A task with its people, and every fit that scores it.

Beside the full training part, random splits are also fitted with less of it, for learning curves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import Kind, Probe
from semantoks.errors import UserError
from semantoks.scores.split.draw import TEST, TRAIN, VALIDATION


@dataclass(frozen=True)
class Job:
    """One fit: who is trained on, who is tested, and what it belongs to."""

    split: str
    scheme: str
    held_out: str
    fraction: float
    train: np.ndarray  # row numbers
    validation: np.ndarray  # those of `train` that the protocol of the paper chooses by
    test: np.ndarray


@dataclass(frozen=True)
class Problem:
    """A task with its people and splits.

    Attributes
    ----------
    about : dict
        Metadata of the splits.
    people : DataFrame
        One row per person.
    """

    about: dict[str, Any]
    people: pd.DataFrame

    @property
    def kind(self) -> Kind:
        """Classification or regression."""
        kind: Kind = self.about["kind"]
        return kind

    def values(self, train: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Codes of classes and their names, or numbers and no names, of everybody.

        A number that is cut into classes is cut at quantiles of the people in `train`.
        """
        target = self.people["target"]
        if self.kind == "regression":
            return target.to_numpy(float), []
        if self.about["bins"]:
            numbers, bins = target.to_numpy(float), self.about["bins"]
            edges = np.quantile(numbers[train], np.arange(1, bins) / bins)
            if len(set(edges)) < len(edges) or edges[0] <= numbers[train].min():
                raise UserError(
                    f"Phenotype '{self.about['phenotype']}' cannot be cut into {bins} classes of "
                    f"people: too many have the value {edges[0]:g}. Lower `bins`."
                )
            return np.searchsorted(edges, numbers, side="right"), [
                f"{number + 1} of {bins}" for number in range(bins)
            ]
        names, codes = np.unique(target.to_numpy(str), return_inverse=True)
        return codes, [str(name) for name in names]

    def groups(self, rows: np.ndarray) -> np.ndarray | None:
        """Families of some people, None where nobody has one."""
        group = self.people["group"].to_numpy(object)[rows]
        if not any(isinstance(name, str) for name in group):
            return None
        named = [n if isinstance(n, str) else f"alone {i}" for i, n in enumerate(group)]
        return np.unique(named, return_inverse=True)[1]

    def jobs(self, settings: Probe) -> Iterator[Job]:
        """Every fit: all splits that are wanted, the random ones also with fewer people."""
        seen = 0
        for about in self.about["splits"]:
            part = self.people[about["split"]].to_numpy()
            train = np.flatnonzero(np.isin(part, (TRAIN, VALIDATION)))
            rest = np.flatnonzero(part == VALIDATION), np.flatnonzero(part == TEST)
            place = about["split"], about["scheme"], about["held_out"]
            if about["scheme"] == "random":
                seen += 1
                if seen > settings.repeats:
                    continue
                for fraction in sorted(settings.learning_curve):
                    rows = self._part_of(train, fraction, seen)
                    if self._enough(rows, settings):
                        yield Job(*place, fraction, rows, *rest)
            yield Job(*place, 1.0, train, *rest)

    def _part_of(self, train: np.ndarray, fraction: float, seed: int) -> np.ndarray:
        """Take the first part of the training people in an order that keeps classes in step."""
        codes, names = self.values(train)
        order = np.random.default_rng(seed).permutation(len(train))
        if not names:
            return np.sort(train[order[: int(np.ceil(fraction * len(train)))]])
        # Everybody's place within their own class, relative to the size of the class.
        place = np.empty(len(train))
        for code in range(len(names)):
            own = order[codes[train][order] == code]
            place[own] = (np.arange(len(own)) + 0.5) / max(len(own), 1)
        return np.sort(train[place < fraction])

    def _enough(self, rows: np.ndarray, settings: Probe) -> bool:
        codes, names = self.values(rows)
        if not names:
            return len(rows) >= 2 * settings.inner_folds and np.ptp(codes[rows]) > 0
        counts = np.bincount(codes[rows], minlength=len(names))
        return bool(counts.min() >= settings.inner_folds)

    def class_sizes(self) -> dict[str, int] | None:
        """Count the people of each class; None in a regression."""
        if self.kind == "regression":
            return None
        values, names = self.values(np.arange(len(self.people)))
        return {name: int((values == code).sum()) for code, name in enumerate(names)}


def read_problem(splits: Path) -> Problem:
    """Read the splits of a task."""
    return Problem(read_metadata(splits), read_table(splits).set_index("participant_id"))

"""A prediction problem: participants, their phenotype, and the splits that it is scored on.

Random splits are fitted to all training participants and, for learning curves, to fractions of
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypedDict

import numpy as np
import pandas as pd

from semantoks.config import PERSON, Cut, Kind, Probe
from semantoks.people.intervals import interval_names, quantile_names
from semantoks.scores.probe.exchange import Exchange, exchange_of
from semantoks.scores.probe.targets import (
    ClassificationTargets,
    RegressionTargets,
    Targets,
    classes_of,
    quantile_classes,
)
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION


@dataclass(frozen=True)
class SplitDescription:
    """One split of the participants.

    Attributes
    ----------
    name : str
        Column of the splits' table.
    scheme : str
        ``random``, ``fixed`` or ``site``.
    held_out : str
        The site that is tested, "" for the other schemes.
    """

    name: str
    scheme: str
    held_out: str


class TaskJson(TypedDict):
    """JSON of a task that the scores repeat."""

    phenotype: str
    kind: Kind
    bins: int | None
    cut: Cut
    edges: list[float] | None
    left_out: dict[str, int]
    determined_by: list[str]


@dataclass(frozen=True)
class TaskMetadata:
    """What is predicted, of whom, and on which splits.

    Attributes
    ----------
    phenotype : str
    kind : {"classification", "regression"}
    bins : int or None
        Number of classes that a numeric phenotype is binned into.
    cut : {"training", "once"}
        Whether these classes are cut in each split, or are the same in all splits.
    edges : list of float or None
        Fixed edges of the classes of a numeric phenotype.
    splits : list of SplitDescription
    left_out : dict of str to int
        Number of participants who were left out, by reason.
    determined_by : list of str
        Confounds that determine the phenotype.
    """

    phenotype: str
    kind: Kind
    bins: int | None
    splits: list[SplitDescription]
    left_out: dict[str, int] = field(default_factory=dict)
    determined_by: list[str] = field(default_factory=list)
    cut: Cut = "training"
    edges: list[float] | None = None

    @property
    def class_names(self) -> list[str] | None:
        """Names of classes that were cut once, from the lowest; None for other ones."""
        if self.edges:
            return interval_names(self.edges)
        return quantile_names(self.bins) if self.bins and self.cut == "once" else None

    @classmethod
    def from_json(cls, metadata: Mapping[str, Any]) -> TaskMetadata:
        """Read the metadata of a table of splits."""
        splits = [
            SplitDescription(row["split"], row["scheme"], row["held_out"])
            for row in metadata["splits"]
        ]
        return cls(
            metadata["phenotype"],
            metadata["kind"],
            metadata["bins"],
            splits,
            metadata.get("left_out", {}),
            metadata.get("determined_by", []),
            metadata.get("cut", "training"),
            metadata.get("edges"),
        )

    def to_json(self) -> TaskJson:
        """Metadata without the splits, as the scores repeat them."""
        return {
            "phenotype": self.phenotype,
            "kind": self.kind,
            "bins": self.bins,
            "cut": self.cut,
            "edges": self.edges,
            "left_out": self.left_out,
            "determined_by": self.determined_by,
        }


@dataclass(frozen=True)
class Partition:
    """Rows of one fit: one split at one fraction of its training participants.

    Attributes
    ----------
    split : SplitDescription
    fraction : float
        Fraction of the training participants of the split that `train` has.
    train : ndarray of int
        Row numbers, those of `validation` included.
    validation : ndarray of int
        Rows on which the protocol of the paper chooses its learning rate.
    test : ndarray of int
    """

    split: SplitDescription
    fraction: float
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Problem:
    """Participants of a task, their phenotype and their splits.

    Attributes
    ----------
    metadata : TaskMetadata
    participants : DataFrame
        One row per participant: ``target``, ``site``, ``group`` and a column of part numbers
        (`TRAIN`, `VALIDATION`, `TEST`) per split. Of a task one row per block, with its ``person``.
    """

    metadata: TaskMetadata
    participants: pd.DataFrame

    @property
    def ids(self) -> list[str]:
        """Ids of the participants, in the order of the rows."""
        return [str(participant) for participant in self.participants.index]

    def targets(self, train: np.ndarray) -> Targets:
        """Targets of all participants.

        Parameters
        ----------
        train : ndarray of int
            Row numbers of the training participants, at whose quantiles a number is binned.
        """
        target = self.participants["target"]
        if self.metadata.kind == "regression":
            return RegressionTargets(target.to_numpy(float))
        if self.metadata.bins and self.metadata.cut == "training":
            bins, phenotype = self.metadata.bins, self.metadata.phenotype
            # Quantiles of the training part only: those of everybody would leak test participants.
            return quantile_classes(target.to_numpy(float), train, bins, phenotype)
        return classes_of(target.to_numpy(str), self.metadata.class_names)

    def groups(self, rows: np.ndarray) -> np.ndarray | None:
        """Codes of the families of some participants; None where nobody belongs to one."""
        group = self.participants["group"].to_numpy(object)[rows]
        if not any(isinstance(name, str) for name in group):
            return None
        # A participant without a family is a family of their own. The placeholder takes part in
        # the order of the codes, and so in the inner folds: changing it would change scores.
        named = [n if isinstance(n, str) else f"alone {i}" for i, n in enumerate(group)]
        return np.unique(named, return_inverse=True)[1]

    @property
    def persons(self) -> np.ndarray | None:
        """Codes of the persons of blocks; None where rows are participants."""
        if PERSON not in self.participants:
            return None
        names = self.participants[PERSON].to_numpy(str)
        return np.asarray(np.unique(names, return_inverse=True)[1])

    def exchange(self) -> Exchange:
        """Whose values of the phenotype are exchanged in a permutation test."""
        everybody = np.arange(len(self.participants))
        target_P = self.participants["target"].to_numpy()
        target_P = target_P.astype(str if target_P.dtype == object else target_P.dtype)
        return exchange_of(target_P, self.persons, self.groups(everybody))

    def partitions(self, settings: Probe) -> Iterator[Partition]:
        """Every fit: the splits to be scored, and the learning curves of the random ones.

        Curves over the length of scans are not made of sites that are left out.
        """
        repeat = 0
        for split in self.metadata.splits:
            if settings.seconds and split.scheme == "site":
                continue
            whole = self._whole(split)
            if split.scheme == "random":
                repeat += 1
                if repeat > settings.repeats:
                    continue
                # Seeded by the repeat, so that all representations get the same participants.
                yield from self._learning_curve(whole, repeat, settings)
            yield whole

    def _whole(self, split: SplitDescription) -> Partition:
        part = self.participants[split.name].to_numpy()
        train = np.flatnonzero(np.isin(part, (TRAIN, VALIDATION)))
        validation, test = np.flatnonzero(part == VALIDATION), np.flatnonzero(part == TEST)
        return Partition(split, 1.0, train, validation, test)

    def _learning_curve(self, whole: Partition, seed: int, settings: Probe) -> Iterator[Partition]:
        """Partitions with fewer training participants, as far as these fill the inner folds."""
        for fraction in sorted(settings.learning_curve):
            rows = self._subsample(whole.train, fraction, seed)
            if self._fills_inner_folds(rows, settings.inner_folds):
                yield replace(whole, fraction=fraction, train=rows)

    def _subsample(self, train: np.ndarray, fraction: float, seed: int) -> np.ndarray:
        """Draw a fraction of the training participants, stratified by class.

        Larger fractions contain smaller ones, so that a learning curve differs between its points
        by added participants only.
        """
        if self.persons is not None:
            # A smaller study has fewer people, not fewer blocks of each.
            people = np.random.default_rng(seed).permutation(np.unique(self.persons[train]))
            part = people[: int(np.ceil(fraction * len(people)))]
            return np.asarray(train[np.isin(self.persons[train], part)])
        targets = self.targets(train)
        order = np.random.default_rng(seed).permutation(len(train))
        if isinstance(targets, RegressionTargets):
            return np.sort(train[order[: int(np.ceil(fraction * len(train)))]])
        # Rank of each participant within their class, relative to the size of the class.
        codes_P, rank_P = targets.codes_P[train], np.empty(len(train))
        for code in range(len(targets.class_names)):
            members = order[codes_P[order] == code]
            # + 0.5 rounds to the nearest number of members instead of always up.
            rank_P[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
        return np.sort(train[rank_P < fraction])

    def _fills_inner_folds(self, rows: np.ndarray, folds: int) -> bool:
        targets = self.targets(rows).take(rows)
        if isinstance(targets, RegressionTargets):
            return len(rows) >= 2 * folds and np.ptp(targets.values_P) > 0
        return bool(targets.counts.min() >= folds)

    def class_sizes(self) -> dict[str, int] | None:
        """Count the participants of each class; None in a regression."""
        targets = self.targets(np.arange(len(self.participants)))
        if not isinstance(targets, ClassificationTargets):
            return None
        return dict(zip(targets.class_names, targets.counts.tolist(), strict=True))


class PlacedProblem(NamedTuple):
    """A problem, and the rows that its participants have in the features of several problems."""

    problem: Problem
    rows_P: np.ndarray

"""Which participants' values of a phenotype may be exchanged in a permutation test.

Relatives resemble each other, and so do the blocks of a person: their values are not exchangeable
with those of everybody. What is exchanged follows Winkler et al. 2015,
doi:10.1016/j.neuroimage.2015.05.092.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

# `participants`: everybody. `families`, `people`: the phenotype is the same in all members of a
# family, or blocks of a person, and moves with them as a whole. `within families`: among relatives,
# and between families of one size. `within people`: among the blocks of each person.
How = Literal["participants", "people", "families", "within families", "within people"]


@dataclass(frozen=True)
class Exchange:
    """How the values of a phenotype are shuffled.

    Attributes
    ----------
    how : str
    first_U : ndarray of int
        A row of each unit (participant, or person of blocks) whose value stands for it.
    unit_P : ndarray of int
        Unit of each row.
    groups : list of ndarray, shape (groups, size)
        Rows or units that are shuffled among themselves; groups of one size together.
    family_U : ndarray of int
        Family of each unit where families move as wholes.
    """

    how: How
    first_U: np.ndarray
    unit_P: np.ndarray
    groups: list[np.ndarray]
    family_U: np.ndarray

    @property
    def has_null_of_chance(self) -> bool:
        """Whether shuffles score as chance does.

        Where values stay within a person or a family, a representation that tells people apart
        still predicts the differences between them.
        """
        return not self.how.startswith("within")

    def orders(self, shuffles: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield for each shuffle the rows whose values the rows get, shape (participants,)."""
        for _ in range(shuffles):
            yield self.first_U[self._order(rng)[self.unit_P]]

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        if self.how in ("participants", "people"):
            return rng.permutation(len(self.first_U))
        if self.how == "families":
            first_F = np.unique(self.family_U, return_index=True)[1]
            return np.asarray(first_F[rng.permutation(len(first_F))][self.family_U])
        order = np.arange(len(self.first_U))
        for members in self.groups:
            moved = rng.permutation(members) if self.how == "within families" else members
            columns = rng.random(moved.shape).argsort(axis=1)
            order[members] = np.take_along_axis(moved, columns, axis=1)
        return order


def exchange_of(
    target_P: np.ndarray, person_P: np.ndarray | None, family_P: np.ndarray | None
) -> Exchange:
    """Choose what is exchanged.

    Parameters
    ----------
    target_P : ndarray, shape (participants,)
        Classes or numbers.
    person_P : ndarray of int, or None
        Person of each row, where rows are blocks.
    family_P : ndarray of int, or None
        Family of each row; of blocks it may be the person.
    """
    rows = np.arange(len(target_P))
    if person_P is not None and _varies_within(target_P, person_P):
        return Exchange("within people", rows, rows, _by_size(person_P), rows)
    units_P = rows if person_P is None else person_P
    _, first_U, unit_P = np.unique(units_P, return_index=True, return_inverse=True)
    alone: How = "participants" if person_P is None else "people"
    family_U = unit_P[first_U] if family_P is None else family_P[first_U]
    family_U = np.unique(family_U, return_inverse=True)[1]
    if len(np.unique(family_U)) == len(first_U):
        return Exchange(alone, first_U, unit_P, [], family_U)
    if not _varies_within(target_P[first_U], family_U):
        return Exchange("families", first_U, unit_P, [], family_U)
    return Exchange("within families", first_U, unit_P, _by_size(family_U), family_U)


def _varies_within(target_P: np.ndarray, group_P: np.ndarray) -> bool:
    """Whether members of a group have different values."""
    codes_P = np.unique(target_P, return_inverse=True)[1]
    pairs = np.unique(np.stack([group_P, codes_P]), axis=1)
    return pairs.shape[1] > len(np.unique(group_P))


def _by_size(group_P: np.ndarray) -> list[np.ndarray]:
    """Return the rows of the groups, those of one size as the rows of one array."""
    order = np.argsort(group_P, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group_P[order])) + 1)
    sizes = sorted({len(rows) for rows in members})
    return [np.stack([rows for rows in members if len(rows) == size]) for size in sizes]

"""Matching of two classes on covariates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from semantoks.config import ColumnNames
from semantoks.errors import UserError
from semantoks.people.checks import require_clean
from semantoks.people.columns import code_columns, find_column, listed
from semantoks.people.measures import require_no_measure
from semantoks.scores.participants import as_texts

CALIPER = 0.5  # largest distance of a pair, in standard deviations
ROUNDING = 1 + 1e-9  # the k-d tree may round distances differently in the last digits


def match(
    target: pd.Series,
    participants: pd.DataFrame,
    matched: Sequence[ColumnNames],
    phenotype: str,
    key: str = "splits.match",
    named: Mapping[str, ColumnNames] | None = None,
) -> pd.Series:
    """Select pairs of participants of two classes with similar covariates.

    Greedy nearest-neighbour matching without replacement, within a caliper: each participant of the
    smaller class, in order of their id, is paired with the nearest free participant of the other
    class. Numeric columns count in standard deviations, with Euclidean distance; other columns, and
    codes of sites and sexes, must be equal. Those who find no partner are left out.

    Parameters
    ----------
    target : Series
        Classes, indexed by participant.
    participants : DataFrame
    matched : sequence of (str or list of str)
        Names of the columns of `participants` to match on; of each, the first that is there.
        Participants with a missing value are left out.
    phenotype : str
        Name for messages.
    key : str
        Key of the configuration that names the columns, for messages.
    named : mapping of str to (str or list of str), optional
        Columns of confounds that are configured, by confound; see `code_columns`.

    Returns
    -------
    Series
        The part of `target` that is matched.

    Raises
    ------
    UserError
        If there are not two classes, a column does not exist, or no pair is found.
    """
    classes = target.value_counts()
    if len(classes) != 2:
        raise UserError(
            f"Phenotype '{phenotype}' has {len(classes)} classes, but `{key}` needs two."
        )
    columns = [_column(names, participants) for names in matched]
    table = participants.set_index("participant_id").loc[target.index, columns].dropna()
    codes = code_columns(participants.columns, named).intersection(columns)
    table = table.assign(**{column: as_texts(table[column]) for column in codes})
    for column in columns:
        is_measure = pd.api.types.is_numeric_dtype(table[column])
        where = f"Column '{column}', on which `{key}` matches,"
        if not is_measure:
            require_no_measure(as_texts(table[column]), where)
        require_clean(as_texts(table[column]), where, is_measure=is_measure)
    # value_counts sorts in descending order, so the first class is the larger one.
    is_larger = (target[table.index] == classes.index[0]).to_numpy()
    pairs = [name for pair in _pairs(table, is_larger) for name in pair]
    if not pairs:
        raise UserError(
            f"Phenotype '{phenotype}': no two participants of different classes are similar in "
            f"{', '.join(columns)}. Match on fewer columns ({key})."
        )
    return target[target.index.isin(pairs)]


def _column(names: ColumnNames, participants: pd.DataFrame) -> str:
    column = find_column(names, participants.columns)
    if column is None:
        raise UserError(f"The participants table has no column {listed(names)} to match on.")
    return column


def _pairs(table: pd.DataFrame, is_larger: np.ndarray) -> Iterator[tuple[str, str]]:
    """Yield pairs of ids, from strata of participants with equal text columns."""
    numeric = [name for name in table if pd.api.types.is_numeric_dtype(table[name])]
    # A constant column gives 0 / 0. It separates nobody, so its distance is zero.
    z_scores = ((table[numeric] - table[numeric].mean()) / table[numeric].std()).fillna(0)
    points = z_scores.to_numpy(float) if numeric else np.zeros((len(table), 1))
    text = table.drop(columns=numeric).astype(str)
    # Tuples, not joined text: ("a|b", "c") is not ("a", "b|c").
    strata = pd.Series(
        pd.factorize(pd.MultiIndex.from_frame(text))[0] if len(text.columns) else 0,
        index=range(len(table)),
    )
    for rows in strata.groupby(strata).indices.values():
        free = rows[is_larger[rows]]
        pool = _FreePartners([str(name) for name in table.index[free]], points[free])
        for row in rows[~is_larger[rows]]:
            partner = pool.take_nearest(points[row])
            if partner is not None:
                yield str(table.index[row]), partner


class _FreePartners:
    """Free participants of one stratum, from which the nearest is taken again and again.

    Participants with equal values share one node of a k-d tree. The tree of SciPy cannot delete, so
    a query skips the nodes that have become empty. When it has skipped as many as there are nodes,
    the tree is rebuilt, which keeps the total time well below quadratic.

    Parameters
    ----------
    names : sequence of str
    points : ndarray, shape (participants, covariates)
    """

    def __init__(self, names: Sequence[str], points: np.ndarray) -> None:
        self._points, node_of = np.unique(points, axis=0, return_inverse=True)
        self._names: list[list[str]] = [[] for _ in self._points]
        for name, node in sorted(zip(names, node_of.ravel(), strict=True), reverse=True):
            self._names[node].append(name)  # so that pop() returns the first in alphabetical order
        self._build()

    def _build(self) -> None:
        self._nodes = np.flatnonzero([bool(names) for names in self._names])
        self._tree = cKDTree(self._points[self._nodes]) if len(self._nodes) else None
        self._skipped = 0

    def take_nearest(self, point: np.ndarray) -> str | None:
        """Remove and return the nearest participant; of several, the first in alphabetical order.

        None if nobody is free within `CALIPER`.
        """
        if self._skipped > len(self._nodes):
            self._build()
        nodes = self._nearest_nodes(point)
        # Recomputed in NumPy, because the tree may round equal distances differently.
        distances = np.sqrt(((self._points[nodes] - point) ** 2).sum(axis=1))
        if not len(nodes) or distances.min() > CALIPER:
            return None
        nearest = nodes[distances == distances.min()]
        return self._names[min(nearest, key=lambda node: self._names[node][-1])].pop()

    def _nearest_nodes(self, point: np.ndarray) -> np.ndarray:
        """Return free nodes with the smallest distance among them, and possibly farther ones."""
        if self._tree is None:
            return np.empty(0, int)
        count, reach = 4, CALIPER * ROUNDING
        while True:
            ranks = np.arange(1, min(count, len(self._nodes)) + 1)
            distances, indices = self._tree.query(point, ranks, distance_upper_bound=reach)
            within = np.isfinite(distances)
            nodes = self._nodes[indices[within]]
            free = np.array([bool(self._names[node]) for node in nodes], bool)
            self._skipped += int((~free).sum())
            nearest = distances[within][free].min(initial=np.inf)
            # Nodes at the same distance may follow, so query until one is clearly farther.
            if not within.all() or count >= len(self._nodes) or distances[-1] > nearest * ROUNDING:
                return np.asarray(nodes[free])
            count *= 2

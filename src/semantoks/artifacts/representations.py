"""One slot for everything that describes a scan by numbers: embeddings, connectivity, confounds.

A representation is a Parquet file with one row per scan: the scan's entities and ``features``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, tee
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import iter_arrays, read_metadata, read_table, write_rows
from semantoks.artifacts.timeseries import SCAN_ENTITIES

TOGETHER = 32  # rows of a row group


@dataclass(frozen=True)
class People:
    """A representation with one row per person.

    Attributes
    ----------
    participant_id : list of str, sorted
    features_PF : ndarray, shape (people, features)
        Mean over the scans of each person; NaN where none has a value.
    names : list of str
        Names of the features, empty where they have none.
    fitted : str
        What the probe has to fit to its training people first, such as "tangent".
    """

    participant_id: list[str]
    features_PF: np.ndarray
    names: list[str]
    fitted: str = ""


def write_representation(
    path: Path,
    scans: pd.DataFrame,
    features: np.ndarray | Iterable[np.ndarray],
    names: Sequence[str] = (),
    *,
    fitted: str = "",
    windows: bool = False,
) -> None:
    """Write one row of features per scan, sorted by scan.

    Parameters
    ----------
    path : Path
    scans : DataFrame
        `SCAN_ENTITIES` of each scan.
    features : ndarray, shape (scans, features), or iterable of ndarray
        An iterable gives the rows in the order of the scans' names, and is not kept in memory.
    names : sequence of str
        Names of the features.
    fitted : str
        See `People`.
    windows : bool
        Each scan has one row per window, (windows, features): their mean is what describes the
        scan, and they are kept beside it for the protocol of the paper.
    """
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    table = scans.iloc[order][list(SCAN_ENTITIES)].reset_index(drop=True)
    if not isinstance(features, np.ndarray) and (order != np.arange(len(order))).any():
        raise ValueError("features that come one by one need a table of scans that is sorted")
    rows = iter(features[order] if isinstance(features, np.ndarray) else features)
    columns: dict[str, Iterable[np.ndarray]] = {"features": rows}
    if windows:
        whole, kept = tee(rows)
        columns = {"features": (scan.mean(axis=0) for scan in whole), "windows": kept}
    about = {"names": list(names), "fitted": fitted}
    write_rows(path, table, columns, about, rows_per_group=TOGETHER)


def read_people(path: Path, wanted: Iterable[str] | None = None) -> People:
    """Read a representation and average the scans of each person.

    Parameters
    ----------
    path : Path
    wanted : iterable of str, optional
        Ids of people (default: all); those of whom there is no scan are left out. A scan at a time
        is in memory beside the result.
    """
    about, ids = read_metadata(path), scans_of(path)["participant_id"].astype(str)
    rows_of = ids.groupby(ids).indices
    people = sorted(rows_of if wanted is None else rows_of.keys() & set(wanted))
    if not people:
        return People([], np.empty((0, 0)), about["names"], about.get("fitted", ""))
    first = next(iter_features(path, [0]))
    features_PF = np.empty((len(people), len(first)))
    of_all = iter_features(path, np.concatenate([rows_of[person] for person in people]))
    for place, person in enumerate(people):
        features_PF[place] = _mean(np.stack(list(islice(of_all, len(rows_of[person])))))
    return People(people, features_PF, about["names"], about.get("fitted", ""))


def scans_of(path: Path) -> pd.DataFrame:
    """Read the entities of the scans of a representation, in the order of its rows."""
    return read_table(path, list(SCAN_ENTITIES))


def iter_features(path: Path, rows: Iterable[int]) -> Iterator[np.ndarray]:
    """Read the features (float64) of some rows, one at a time in memory."""
    return (row.astype(float) for row in iter_arrays(path, "features", rows))


def read_features(path: Path, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Read the features of some rows, (rows, features)."""
    size = len(next(iter_features(path, rows[:1])))
    return np.fromiter(iter_features(path, rows), np.dtype((float, size)), len(rows))


def read_windows(path: Path) -> dict[str, np.ndarray]:
    """Features of the windows of each person, (windows of all scans, features).

    Empty for a representation that keeps none.
    """
    table = read_table(path)
    found: dict[str, list[np.ndarray]] = {}
    if "windows" not in table:
        return {}
    for person, features, values in zip(
        table["participant_id"].astype(str), table["features"], table["windows"], strict=True
    ):
        found.setdefault(person, []).append(np.asarray(values, float).reshape(-1, len(features)))
    return {person: np.concatenate(parts) for person, parts in found.items()}


def _mean(rows: np.ndarray) -> np.ndarray:
    known = np.isfinite(rows)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)

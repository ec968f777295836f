"""One slot for everything that describes a scan by numbers: embeddings, connectivity, confounds.

A representation is a Parquet file with one row per scan: the scan's entities and ``features``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.store import SCAN_ENTITIES, read_metadata, read_table, write_rows


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
    features_SF: np.ndarray | Iterable[np.ndarray],
    names: Sequence[str] = (),
    *,
    fitted: str = "",
    windows: Sequence[np.ndarray] | None = None,
) -> None:
    """Write one row of features per scan, sorted by scan.

    Parameters
    ----------
    path : Path
    scans : DataFrame
        `SCAN_ENTITIES` of each scan.
    features_SF : ndarray, shape (scans, features), or iterable of ndarray
        An iterable gives the rows in the order of the scans' names, and is not kept in memory.
    names : sequence of str
        Names of the features.
    fitted : str
        See `People`.
    windows : sequence of ndarray, shape (windows, features), optional
        Features of the windows of each scan, for the protocol of the paper.
    """
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    table = scans.iloc[order][list(SCAN_ENTITIES)].reset_index(drop=True)
    if not isinstance(features_SF, np.ndarray) and (order != np.arange(len(order))).any():
        raise ValueError("features that come one by one need a table of scans that is sorted")
    rows = features_SF[order] if isinstance(features_SF, np.ndarray) else features_SF
    arrays: dict[str, Iterable[np.ndarray | None]] = {"features": rows}
    if windows is not None:
        arrays["windows"] = [windows[place] for place in order]
    write_rows(path, table, arrays, {"names": list(names), "fitted": fitted})


def read_people(path: Path) -> People:
    """Read a representation and average the scans of each person."""
    table, features = read_scans_of(path)
    people, codes = np.unique(table["participant_id"].astype(str), return_inverse=True)
    rows = [_mean(features[codes == code]) for code in range(len(people))]
    about = read_metadata(path)
    return People(list(people), np.stack(rows), about["names"], about.get("fitted", ""))


def read_scans_of(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a representation scan by scan: the entities, and features (scans, features)."""
    table = read_table(path, [*SCAN_ENTITIES, "features"])
    features = np.stack(table["features"].to_list()).astype(float)
    return table[list(SCAN_ENTITIES)], features


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

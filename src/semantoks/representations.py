"""One slot for everything that describes a scan by numbers: embeddings, connectivity, confounds.

A representation is a Parquet file with one row per scan: the scan's entities and ``features``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.signals import fisher_z
from semantoks.store import SCAN_ENTITIES, Scan, read_metadata, read_table, write_rows


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
    """

    participant_id: list[str]
    features_PF: np.ndarray
    names: list[str]


def write_representation(
    path: Path, scans: pd.DataFrame, features_SF: np.ndarray, names: Sequence[str] = ()
) -> None:
    """Write one row of features per scan, sorted by scan."""
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    table = scans.iloc[order][list(SCAN_ENTITIES)].reset_index(drop=True)
    write_rows(path, table, {"features": list(features_SF[order])}, {"names": list(names)})


def read_people(path: Path) -> People:
    """Read a representation and average the scans of each person."""
    table = read_table(path)
    features = np.stack(table["features"].to_list()).astype(float)
    people, codes = np.unique(table["participant_id"].astype(str), return_inverse=True)
    rows = [_mean(features[codes == code]) for code in range(len(people))]
    return People(list(people), np.stack(rows), read_metadata(path)["names"])


def _mean(rows: np.ndarray) -> np.ndarray:
    known = np.isfinite(rows)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def connectivity(scans: Sequence[Scan]) -> np.ndarray:
    """Fisher z of the Pearson correlation of every pair of regions, one row per scan."""
    return np.stack([fisher_z(scan.timeseries_CT) for scan in scans])


def confounds(scans: pd.DataFrame, participants: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Gather what needs no brain: age, sex and site where they are known, head motion, scan length.

    Parameters
    ----------
    scans : DataFrame
        Included scans with ``mean_fd`` (mm) and ``seconds``.
    participants : DataFrame
        One row per person.

    Returns
    -------
    features_SF : ndarray, shape (scans, features)
    names : list of str
        A categorical column gives one feature per value, ``column=value``.
    """
    columns = {name.lower(): name for name in participants.columns}
    known = [columns[name] for name in ("age", "sex", "site", "site_id") if name in columns]
    people = participants.set_index("participant_id")[known].rename(columns=str.lower)
    table = people.reindex(scans["participant_id"]).reset_index(drop=True)
    if "age" in table:  # "89+" is how ages are made anonymous
        age = table["age"].astype(str).str.rstrip("+")
        table["age"] = pd.to_numeric(age, errors="coerce")
    # A site may be coded as a number, and is a category all the same.
    categorical = [name for name in table.columns if name != "age"]
    values = table[categorical].astype(object).where(table[categorical].notna())
    dummies = pd.get_dummies(values, prefix_sep="=", dtype=float) if categorical else values
    measures = scans[["mean_fd", "seconds"]].reset_index(drop=True).dropna(axis=1, how="all")
    features = pd.concat([table.drop(columns=categorical), measures, dummies], axis=1)
    return features.to_numpy(float), list(features.columns)

"""The splits over which all representations of a comparison are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semantoks.scores.benchmark.probe_scores import ProbeScores
from semantoks.scores.metrics import WITHIN_SITES

Tables = dict[str, pd.DataFrame]


def tables_of_rows(tables: Tables, metrics: Sequence[str]) -> dict[str, Tables]:
    """Take for each representation the tables that it can be compared over, by representation.

    Those with all splits are compared over all. One with fewer is compared over its own: the others
    do not lose splits because of it.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        One row per split, in the same order in all.
    metrics : sequence of str
    """
    most = max(len(rows) for rows in tables.values())
    whole = {name: rows for name, rows in tables.items() if len(rows) == most}
    result = dict.fromkeys(whole, on_common_splits(whole, metrics))
    for name, rows in tables.items():
        if name not in whole:
            splits = set(rows["split"])
            covering = {
                other: of_other[of_other["split"].isin(splits)].reset_index(drop=True)
                for other, of_other in tables.items()
                if splits <= set(of_other["split"])
            }
            result[name] = on_common_splits(covering, metrics)
    return result


def splits_agree(probe: ProbeScores, tables: Tables, first: pd.DataFrame) -> bool:
    """Whether a row has the splits of the longest table; a fine-tuned one may have some of them."""
    splits, all_splits = list(tables[probe.representation]["split"]), list(first["split"])
    if probe.task.is_finetuned:
        return splits == [split for split in all_splits if split in set(splits)]
    return splits == all_splits


def fewer_splits(rows: pd.DataFrame, first: pd.DataFrame) -> int | None:
    """Count the splits of a table that has fewer than the longest; None of others."""
    return len(rows) if len(rows) < len(first) else None


def fewer_splits_note(splits: Mapping[str, int | None], most: int) -> list[str]:
    """Say which rows have fewer splits than the others, and what that means for them."""
    fewer = {name: count for name, count in splits.items() if count is not None}
    if not fewer:
        return []
    listed = ", ".join(f"{name} {count}" for name, count in fewer.items())
    return [
        f"Not all of the {most} splits have every row ({listed}): the score of such a row, and its "
        "difference from the baseline, are over the splits that it has."
    ]


def on_common_splits(tables: Tables, metrics: Sequence[str]) -> Tables:
    """Remove a metric from splits where it is not known for every representation that has it.

    A site may be undefined for one representation, as where all its predictions are equal. Means
    over different sites could not be compared. A representation without a single value, such as r
    of chance, does not count.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        One row per split, the same in all, by representation.
    metrics : sequence of str
    """
    for metric in (*metrics, WITHIN_SITES):
        columns = [rows[metric] for rows in tables.values() if metric in rows]
        known = [column.notna() for column in columns if column.notna().any()]
        if known:
            common = np.logical_and.reduce(known)
            tables = {
                name: rows.assign(**{metric: rows[metric].where(common)})
                if metric in rows
                else rows
                for name, rows in tables.items()
            }
    return tables

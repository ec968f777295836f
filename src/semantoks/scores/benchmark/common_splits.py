"""The splits over which all representations of a comparison are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantoks.scores.metrics import WITHIN_SITES


def on_common_splits(
    tables: dict[str, pd.DataFrame], metrics: Sequence[str]
) -> dict[str, pd.DataFrame]:
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

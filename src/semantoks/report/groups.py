"""Participants by phenotype and site."""

from __future__ import annotations

import pandas as pd

from semantoks.config import Dataset, Report
from semantoks.people.columns import find_column
from semantoks.report.figures.scans import groups_figure

MOST_PANELS = 4
MOST_BARS = 12
INTERVALS = 8  # of a number


def people_figure(
    participants: pd.DataFrame | None, used: set[str], dataset: Dataset, settings: Report
) -> str | None:
    """Draw the distributions of phenotypes and sites; None where they may not be shown.

    Parameters
    ----------
    participants : DataFrame or None
    used : set of str
        Participants with an included scan.
    dataset : Dataset
    settings : Report
    """
    if participants is None or not settings.participants:
        return None
    table = participants[participants["participant_id"].isin(used)]
    panels = {}
    for name, phenotype in dataset.phenotypes.items():
        column = find_column(phenotype.column or name, table.columns)
        if column is not None:
            panels[name] = counts_of(table[column])
    site = find_column(dataset.site_column, table.columns)
    if site is not None:
        panels["site"] = counts_of(table[site])
    panels = {name: counts for name, counts in panels.items() if counts}
    return groups_figure(dict(list(panels.items())[:MOST_PANELS])) if panels else None


def counts_of(values: pd.Series) -> dict[str, int]:
    """Count the values of a column: its words, or intervals of a number.

    Returns
    -------
    dict of str to int
        At most `MOST_BARS`; the least frequent words are counted together.
    """
    known = values.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.notna().all() and numbers.nunique() > INTERVALS:
        counts = pd.cut(numbers, INTERVALS, precision=2).value_counts(sort=False)
        return {f"{part.left:.3g} to {part.right:.3g}": int(n) for part, n in counts.items()}
    counts = known.astype(str).value_counts()
    shown = {str(name): int(n) for name, n in counts.iloc[:MOST_BARS].items()}
    others = int(counts.iloc[MOST_BARS:].sum())
    return shown | ({f"{len(counts) - MOST_BARS} others": others} if others else {})

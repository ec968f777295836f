"""All scores of the report as one table, for spreadsheets and for `snakemake --report`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from semantoks.report.classes import classes_text
from semantoks.scores.benchmark.comparison import Comparison, Row, SchemeResult

DECIMALS = 3  # as on the page: more digits would tell how many participants there are
P_VALUES = ("p_difference", "p_permutation")
COLUMNS = (
    *("dataset", "phenotype", "classes", "scheme", "splits", "representation", "protocol"),
    "metric",
    *("mean", "sd", "low", "high", "baseline", "difference_from_baseline"),
    *("difference_low", "difference_high", *P_VALUES),
    "remark",
)


def permutation_p(comparison: Comparison, scheme: SchemeResult, row: Row) -> float | None:
    """Return p of the permutations of a row.

    None for sites left out, as random or fixed splits are permuted, and where the score is not
    known: p would be of another metric than the one that is shown.
    """
    if scheme.scheme == "site" or math.isnan(row.metrics[comparison.metric].mean):
        return None
    return comparison.permutation.get(row.representation)


def score_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Make a table with one row per data set, phenotype, scheme and representation.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Rounded already if the report protects participants.

    Returns
    -------
    DataFrame
        `COLUMNS`; ``classes`` names them and says how they are cut from a number, ``low`` and
        ``high`` are a 95 % interval, ``p_difference`` belongs to the paired difference from
        ``baseline``. Missing where there is none; ``remark`` says why.
    """
    rows = [
        _row(comparison, scheme, row)
        for comparison in comparisons
        for scheme in comparison.schemes
        for row in scheme.representations
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in P_VALUES:
        # All digits of a t-test on few splits could be traced back to the scores of each split.
        table[name] = [p if pd.isna(p) else float(f"{p:.{DECIMALS}g}") for p in table[name]]
    return table.round({name: DECIMALS for name in COLUMNS if name not in P_VALUES})


def _row(comparison: Comparison, scheme: SchemeResult, row: Row) -> dict[str, object]:
    """Values of one representation under one scheme, by the names of ``COLUMNS``."""
    score, difference = row.metrics[comparison.metric], row.difference_from_baseline
    return {
        "dataset": comparison.dataset,
        "phenotype": comparison.phenotype,
        "classes": classes_text(comparison),
        "scheme": scheme.scheme,
        "splits": row.splits or scheme.splits,
        "representation": row.representation,
        "protocol": row.protocol,
        "metric": comparison.metric,
        **score.model_dump(),
        "baseline": difference and difference.baseline,
        "difference_from_baseline": difference and difference.mean,
        "difference_low": difference and difference.low,
        "difference_high": difference and difference.high,
        "p_difference": difference and difference.p,
        "p_permutation": permutation_p(comparison, scheme, row),
        "remark": scheme.remark(row, comparison.metric) or None,
    }

"""All scores of the report as one table, for spreadsheets and for `snakemake --report`."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from semantoks.report.classes import classes_text
from semantoks.report.tasks import ScoreRow
from semantoks.report.variants import RowsOfAnalyses
from semantoks.scores.benchmark.comparison import Comparison, Row, SchemeResult

DECIMALS = 3  # as on the page: more digits would tell how many participants there are
P_VALUES = ("p_difference", "p_holm", "p_permutation")
COLUMNS = (
    *("dataset", "phenotype", "classes", "scheme", "splits", "representation", "protocol"),
    "metric",
    *("mean", "sd", "low", "high", "baseline", "difference_from_baseline"),
    *("difference_low", "difference_high", *P_VALUES),
    *("verdict", "remark"),
)


def score_table(comparisons: Sequence[Comparison], judged: RowsOfAnalyses) -> pd.DataFrame:
    """Make a table with one row per data set, phenotype, scheme and representation.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Rounded already if the report protects participants.
    judged : mapping
        What `rows_of_analyses` returns for them.

    Returns
    -------
    DataFrame
        `COLUMNS`; ``classes`` names them and says how they are cut from a number, ``low`` and
        ``high`` are a 95 % interval, ``p_difference`` belongs to the paired difference from
        ``baseline``, and ``p_holm`` is the same adjusted for the number of phenotypes, from which
        ``verdict`` is. Missing where there is none; ``remark`` says why.
    """
    rows = [
        _row(comparison, scheme, row, of_scheme[row.representation])
        for comparison in comparisons
        for scheme in comparison.schemes
        for of_scheme in [judged[comparison.dataset, comparison.phenotype, scheme.scheme]]
        for row in scheme.representations
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in P_VALUES:
        # All digits of a t-test on few splits could be traced back to the scores of each split.
        table[name] = [p if pd.isna(p) else float(f"{p:.{DECIMALS}g}") for p in table[name]]
    return table.round({name: DECIMALS for name in COLUMNS if name not in P_VALUES})


def _row(
    comparison: Comparison, scheme: SchemeResult, row: Row, judged: ScoreRow
) -> dict[str, object]:
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
        "p_holm": difference and judged.p_holm,
        "p_permutation": judged.p_permutation,
        "verdict": judged.verdict,
        "remark": scheme.remark(row, comparison.metric) or None,
    }

"""Protection of participants' privacy on the page: no names, and no small counts.

Unless `Report.participants` allows exact numbers, counts are rounded to multiples of
`MIN_CELL_SIZE` and smaller ones are suppressed. Rounding matters as much as suppression: from exact
totals, a suppressed count could be computed as the difference.
"""

from __future__ import annotations

import pandas as pd

from semantoks.config import Report
from semantoks.scores.benchmark.comparison import Comparison

MIN_CELL_SIZE = 5  # participants


def is_small(n_participants: float, settings: Report) -> bool:
    """Return whether a group is so small that its members might be identified."""
    return 0 < n_participants < MIN_CELL_SIZE and not settings.participants


def count_text(count: float, settings: Report) -> str:
    """Write a number of participants or scans: exact, rounded, or "fewer than 5"."""
    if settings.participants:
        return f"{count:.0f}"
    return f"fewer than {MIN_CELL_SIZE}" if is_small(count, settings) else str(rounded(count))


def scan_count_text(scans: pd.DataFrame, settings: Report) -> str:
    """Write a number of scans; only the number of participants if that is small."""
    n_participants = scans["participant_id"].nunique()
    if is_small(n_participants, settings):
        # Ten scans of one participant are no safer than one scan.
        return f"of {count_text(n_participants, settings)} participants"
    return count_text(len(scans), settings)


def rounded(count: float) -> int:
    """Round to a multiple of `MIN_CELL_SIZE`."""
    return MIN_CELL_SIZE * round(count / MIN_CELL_SIZE)


def rounded_comparison(comparison: Comparison) -> Comparison:
    """Round the numbers of participants that figures and published scores show."""
    curves = {
        name: [
            point.model_copy(update={"train_people": float(rounded(point.train_people))})
            for point in curve
        ]
        for name, curve in comparison.curves.items()
    }
    return comparison.model_copy(update={"people": rounded(comparison.people), "curves": curves})

"""Protection of participants' privacy on the page: no names, and no small counts.

Unless `Report.participants` allows exact numbers:

- Counts of participants and scans are rounded to multiples of `MIN_CELL_SIZE`, and smaller ones are
  "fewer than 5". Rounding matters as much as suppression: from exact totals, a suppressed count
  could be computed as the difference.
- They are rounded before anything is drawn or derived, so that chance levels, bars, axes, cautions
  and label efficiency follow from the rounded numbers (`rounded_comparison`).
- Scores that are shares of participants have steps that are so large that each step is possible for
  every count that rounds to the same number (`semantoks.report.steps`). 0.857 of one split would
  tell that there are seven participants, and so would the coordinates of a figure.
- Standard deviations are left out. An interval is the mean ± t · SD · √(1 / splits + test /
  training), so with the SD it tells the ratio of test and training participants.
- Intervals of r come from permutations, whose spread depends on the number of participants alone.
  They have steps, too, over which this number may vary.
- Means of measurements are not shown of fewer than 5 participants.

What remains is on which side of a fixed limit a number is, such as "fewer than 10 test
participants" where a score is withheld.
"""

from __future__ import annotations

import pandas as pd

from semantoks.config import Report
from semantoks.scores.benchmark.comparison import Comparison

MIN_CELL_SIZE = 5  # participants
FEW = 2  # stands for all numbers from 1 to 4 where a number is needed


def is_small(n_participants: float, settings: Report) -> bool:
    """Return whether a group is so small that its members might be identified."""
    return 0 < n_participants < MIN_CELL_SIZE and not settings.participants


def count_text(count: float, settings: Report) -> str:
    """Write a number of participants or scans: exact, "about 20", or "fewer than 5"."""
    if settings.participants:
        return f"{count:.0f}"
    if is_small(count, settings):
        return f"fewer than {MIN_CELL_SIZE}"
    return f"about {rounded(count)}" if count else "0"


def participants_text(count: float, settings: Report) -> str:
    """Write a number of participants with the noun."""
    text = count_text(count, settings)
    return "1 participant" if text == "1" else f"{text} participants"


def samples_text(comparison: Comparison, settings: Report) -> str:
    """Write what a comparison is made of: participants, or blocks and their people."""
    if comparison.persons is None:
        return participants_text(comparison.people, settings)
    people = count_text(comparison.persons, settings)
    blocks = count_text(comparison.people, settings)
    return f"{blocks} blocks of {people} {'person' if people == '1' else 'people'}"


def scan_count_text(scans: pd.DataFrame, settings: Report) -> str:
    """Write a number of scans; only the number of participants if that is small."""
    n_participants = scans["participant_id"].nunique()
    if is_small(n_participants, settings):
        # Ten scans of one participant are no safer than one scan.
        return f"of {count_text(n_participants, settings)} participants"
    return count_text(len(scans), settings)


def rounded_blocks(count: float, per_person: float) -> int:
    """Round a number of blocks as that of the people whose blocks they could be.

    Where everybody has eight blocks, 96 of them would tell that there are twelve people.
    """
    return rounded(count / per_person) * round(per_person)


def rounded(count: float) -> int:
    """Round to a multiple of `MIN_CELL_SIZE`; `FEW` stands for smaller numbers but 0."""
    if 0 < count < MIN_CELL_SIZE:
        return FEW
    return MIN_CELL_SIZE * round(count / MIN_CELL_SIZE)

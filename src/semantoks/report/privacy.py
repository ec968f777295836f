"""What the page tells of people: no names, and no number by which somebody could be known.

Unless the report may name them (`Report.participants`), numbers are rounded to fives, so that none
of fewer than five people follows from others.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from semantoks.config import Report

SMALL_CELL = 5  # people; fewer could be known by what is said of them


def small(people: float, settings: Report) -> bool:
    """Say whether so few people could be known by what is said of them, and are hidden."""
    return 0 < people < SMALL_CELL and not settings.participants


def cell(count: float, settings: Report) -> str:
    """Say a number of people or scans; rounded, or a small one would follow from others."""
    if settings.participants:
        return f"{count:.0f}"
    return f"fewer than {SMALL_CELL}" if small(count, settings) else str(rounded(count))


def scans_of_people(scans: pd.DataFrame, settings: Report) -> str:
    """Say a number of scans; not of few people's."""
    people = scans["participant_id"].nunique()
    if small(people, settings):
        return f"of {cell(people, settings)} people"
    return cell(len(scans), settings)


def rounded(count: float) -> int:
    """Round to a multiple of `SMALL_CELL`."""
    return SMALL_CELL * round(count / SMALL_CELL)


def coarse(benchmark: dict[str, Any]) -> dict[str, Any]:
    """Round the numbers of people of a benchmark that its figures and published scores tell."""
    curves = {
        name: [point | {"train_people": rounded(point["train_people"])} for point in curve]
        for name, curve in benchmark["curves"].items()
    }
    return benchmark | {"people": rounded(benchmark["people"]), "curves": curves}


def kind_of_exclusion(scan: str, participant_id: str, reason: str) -> str:
    """Cut from a reason what differs from scan to scan, and the names of people and files."""
    names = sorted({scan, participant_id, participant_id.removeprefix("sub-")} - {""}, key=len)
    alone = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in reversed(names))
    within = [re.escape(name) for name in names if len(name) > 2]  # a shorter one is in any word
    # A name, a folder's, or an extension with a letter in it makes a word the name of a file.
    file = "|".join(["\0", "sub-", "/", r"\w\.\w*[A-Za-z]\w", *within])
    words = re.sub(alone, "\0", reason).split()
    nameless = " ".join("\0" if re.search(file, word) else word for word in words)
    return re.split(r"[:(,]", re.sub(r"\0( \0)*", "a file", nameless))[0].strip()

"""One row of several that a table has of a participant: the visit that counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from semantoks.errors import UserError
from semantoks.people.read import as_number

LISTED = 5
_KEY = "`visits` of the data set"


def chosen_rows(
    ids: Sequence[str], visits: Sequence[str | None], keep: str, where: str
) -> list[int]:
    """Return the rows of the visit that counts, in order.

    Parameters
    ----------
    ids : sequence of str
        Participant of each row.
    visits : sequence of str or None
        Visit of each row; None where the table does not say.
    keep : str
        `first`, `last` (of each participant), or a value.
    where : str
        Column and files, for messages.

    Raises
    ------
    UserError
        If no row has the value, or the order of the values is not known.
    """
    if keep not in ("first", "last"):
        rows = [row for row, visit in enumerate(visits) if visit and _same(visit, keep)]
        if not rows and visits:
            raise UserError(
                f"No row of {where} has '{keep}' (there are {_examples(visits)}). Correct {_KEY}."
            )
        return rows
    rank = _ranks({visit for visit in visits if visit is not None}, where)
    best: dict[str, int] = {}
    for participant, visit in zip(ids, visits, strict=True):
        if visit is not None:
            place, before = rank[visit], best.get(participant)
            pick = min if keep == "first" else max
            best[participant] = place if before is None else pick(place, before)
    # Of a participant without any visit, the row without one counts.
    return [
        row
        for row, (participant, visit) in enumerate(zip(ids, visits, strict=True))
        if best.get(participant) == (None if visit is None else rank[visit])
    ]


def _same(visit: str, keep: str) -> bool:
    number = as_number(keep)
    return visit == keep or (number is not None and as_number(visit) == number)


def _ranks(values: set[str], where: str) -> dict[str, int]:
    """Order visits: numbers, dates (YYYY-MM-DD), or texts that differ in their numbers alone.

    The alphabet is no order of time: ABCD's `2_year_follow_up_y_arm_1` would come before
    `baseline_year_1_arm_1`.
    """
    for parse in (as_number, _as_date):
        parsed = {value: parse(value) for value in values}
        known = {value: place for value, place in parsed.items() if place is not None}
        if len(known) == len(values):
            places = sorted(set(known.values()))
            return {value: places.index(place) for value, place in known.items()}
    if len({re.sub(r"\d+", "#", value).casefold() for value in values}) == 1:
        numbers = {value: [int(n) for n in re.findall(r"\d+", value)] for value in values}
        order = sorted(numbers.values())
        return {value: order.index(place) for value, place in numbers.items()}
    raise UserError(
        f"`keep: first` and `last` need an order, but {where} has {_examples(sorted(values))}: "
        "neither numbers, nor dates (YYYY-MM-DD), nor texts that differ in their numbers alone. "
        f"Name the visit that counts, such as `keep: {min(values)}`, under {_KEY}."
    )


def _as_date(text: str) -> int | None:
    """Return the day of a date; a time of day behind it does not count."""
    try:
        return date.fromisoformat(text[:10]).toordinal() if re.match(r"\d{4}-", text) else None
    except ValueError:
        return None


def _examples(visits: Sequence[str | None]) -> str:
    counts = Counter(visit for visit in visits if visit is not None)
    names = [f"'{name}'" for name, _ in counts.most_common(LISTED)]
    return ", ".join(names) + (", …" if len(counts) > LISTED else "") or "no value"

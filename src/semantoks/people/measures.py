"""Numbers as tables of participants write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from semantoks.errors import UserError
from semantoks.people.read import as_number

MIN_DISTINCT = 5  # fewer texts such as 2a and 2b are classes
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|\u2013|to)\s*(\d+(?:\.\d+)?)")  # also with an en dash
_WITH_UNIT = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*([^\W\d_]*)\.?")


def as_measure(text: str) -> float | None:
    """Return a cell as a number; None if it is not one. High ages are top-coded: "89+" is 89."""
    number = as_number(text.rstrip("+"))
    return number if number is not None and math.isfinite(number) else None


def as_age(text: str) -> float | None:
    """Return an age; that of a range such as "22-25" (HCP, LEMON) is its middle."""
    limits = _RANGE.fullmatch(text.strip())
    if limits and float(limits[1]) < float(limits[2]):
        return (float(limits[1]) + float(limits[2])) / 2
    return as_measure(text)


# Covariates that are numbers, and how their cells are read.
MEASURES: dict[str, Callable[[str], float | None]] = {"age": as_age, "mean_fd": as_measure}


def require_numbers(
    values: Iterable[str | None],
    where: str,
    parse: Callable[[str], float | None] = as_measure,
    otherwise: str = "",
) -> None:
    """Refuse text in a column of numbers.

    Parameters
    ----------
    values : iterable of str or None
    where : str
        What the column is, for the message.
    parse : callable
        Returns None for what is no number.
    otherwise : str
        What else may be done, as a clause.

    Raises
    ------
    UserError
    """
    cells = list(values)
    # Most columns of a large table have few distinct values.
    texts = {text for text in set(cells) if text is not None and parse(text) is None}
    if texts:
        odd = [cell for cell in cells if cell in texts]
        # Some tables have the text of the item below the header.
        is_item = len(odd) == 1 and odd[0] == cells[0] and len(cells) > MIN_DISTINCT
        hint = " If the first row is no participant, set `skip_rows: 1`." if is_item else ""
        raise UserError(
            f"{where} must be numeric, but holds '{odd[0]}' ({len(odd)} rows). If that means "
            f"missing, list '{odd[0]}' in `missing_values` of the data set; else correct the "
            f"table{otherwise}.{hint}"
        )


def require_no_measure(values: Iterable[str | None], where: str) -> None:
    """Refuse text that is numbers with a unit or a decimal comma, or stands among numbers.

    Such a column would be taken for classes. Columns of numbers alone and of few classes pass.

    Raises
    ------
    UserError
    """
    texts = sorted({value for value in values if value is not None})
    odd = [text for text in texts if as_number(text) is None]
    if len(texts) < MIN_DISTINCT or not odd:
        return
    units = {match[1] if (match := _WITH_UNIT.fullmatch(text)) else None for text in odd}
    is_unit = len(units) == 1 and None not in units
    if is_unit or len(odd) * 2 < len(texts):
        raise UserError(
            f"{where} should be numeric, but holds '{odd[0]}' ({len(odd)} such values). If that "
            f"means missing, list '{odd[0]}' in `missing_values` of the data set; else write "
            "numbers alone in the table of participants."
        )

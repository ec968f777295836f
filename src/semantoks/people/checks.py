"""Values that would make a number wrong: codes for "missing", and two spellings of one value."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from semantoks.errors import UserError
from semantoks.people.read import as_number
from semantoks.people.spellings import other_spelling, spelling_twins

# ABCD, SPSS and REDCap write 777 and 888 for "refused" and "does not apply".
CODES = frozenset(
    {sign * number for number in (999, 9999, 99999, 777, 888) for sign in (1, -1)}
    | {-9, -99, -8, -88, -7, -77}
)
# UK Biobank: "do not know", "prefer not to answer" and "less than one". Ordinary numbers elsewhere.
UK_BIOBANK = frozenset({-1, -3, -10})
# ADHD-200 writes "pending" and "withheld" among its codes of diagnoses. Beside other words, these
# may be classes.
WORDS = frozenset(
    {"pending", "withheld", "missing", "not available", "not done", "refused", "unknown"}
)
EXCEL_ERRORS = frozenset({"#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
MIN_VALUES, MIN_DISTINCT = 10, 5  # with fewer, nothing is known of the range of a column
FAR = 10  # ranges of all other values


def require_clean(values: Iterable[str | None], where: str, *, is_measure: bool) -> None:
    """Refuse a column with a code for missing values, or with two spellings of one value.

    Parameters
    ----------
    values : iterable of str or None
        Cells of the column; None where a value is missing.
    where : str
        What the column is, for the message.
    is_measure : bool
        A measure such as age, not a class, site or family. A single value far outside is then
        refused as well, and the spelling does not matter.

    Raises
    ------
    UserError
    """
    counts = Counter(value for value in values if value is not None)
    code = missing_code(counts, is_measure=is_measure)
    if code is not None:
        raise UserError(
            f"{where} has {code} in {counts[code]} of {counts.total()} rows, which looks like a "
            f"code for a missing value. List '{code}' under `missing_values` of the data set; if "
            "it is a real value of a measure, give its limits under `include` of the phenotype."
        )
    twins = None if is_measure else spelling_twins(counts)
    if twins:
        first, second = twins
        raise UserError(
            f"{where} has '{first}' ({counts[first]} rows) and '{second}' ({counts[second]} rows), "
            "which look like two ways of writing one value. Write them alike in the table, or name "
            "both under `values` if it is a phenotype."
        )


def require_every_spelling(named: Iterable[str], values: Iterable[str | None], where: str) -> None:
    """Refuse a list of values that leaves out another spelling of one of them.

    Parameters
    ----------
    named : iterable of str
        Values that the configuration lists.
    values : iterable of str or None
        Cells of the column.
    where : str
        Which key it is, for the message.

    Raises
    ------
    UserError
    """
    pair = other_spelling(named, [value for value in values if value is not None])
    if pair:
        raise UserError(
            f"{where} has '{pair[0]}', and the table also has '{pair[1]}', which looks like "
            "another way of writing it. List both, or write them alike in the table."
        )


def missing_code(counts: Mapping[str, int], *, is_measure: bool) -> str | None:
    """Return a value that is probably a code for a missing one, or an error of Excel."""
    numbers = {text: number for text in counts if (number := as_number(text)) is not None}
    numbers = {text: number for text, number in numbers.items() if math.isfinite(number)}
    for text in sorted(counts):
        if text in EXCEL_ERRORS:
            return text
    codes = sorted(text for text, number in numbers.items() if number in CODES)
    if len(numbers) < len(counts):  # text, in which such a number would be a class
        words = sorted(set(counts) - set(numbers))
        if numbers and not is_measure and all(word.casefold() in WORDS for word in words):
            return words[0]
        return codes[0] if codes else None
    rest = [number for number in numbers.values() if number not in CODES]
    for text in codes:
        if not rest or _is_outside(numbers[text], min(rest), max(rest)):
            return text
    total = sum(counts.values())
    if is_measure and total >= MIN_VALUES and len(numbers) >= MIN_DISTINCT:
        return _only_negative(numbers) or _far_outside(numbers)
    return None


def _only_negative(numbers: Mapping[str, float]) -> str | None:
    """Return a code of UK Biobank in a measure that has no other negative values."""
    negative = sorted(text for text, number in numbers.items() if number < 0)
    has_others = any(numbers[text] not in UK_BIOBANK for text in negative)
    return None if has_others or not negative else negative[0]


def _is_outside(code: float, smallest: float, largest: float) -> bool:
    """Whether a code is no value between the others, and not the next one beside them."""
    if code < 0 <= smallest:
        return True
    gap = max(smallest - code, code - largest)
    return gap > (largest - smallest) / 2


def _far_outside(numbers: Mapping[str, float]) -> str | None:
    """Return an extreme value that is many ranges of all others away from them."""
    ordered = sorted(numbers, key=lambda text: numbers[text])
    for extreme, rest in ((ordered[-1], ordered[:-1]), (ordered[0], ordered[1:])):
        smallest, largest = numbers[rest[0]], numbers[rest[-1]]
        gap = max(smallest - numbers[extreme], numbers[extreme] - largest)
        if gap > FAR * (largest - smallest):
            return extreme
    return None

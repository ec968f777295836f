"""Two ways of writing one class, site or sex in the same column."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

from semantoks.people.read import as_number

MALE = frozenset({"m", "male", "males", "man"})
FEMALE = frozenset({"f", "female", "females", "woman"})
# Only what means the same in every table. "HC" and "control" may be two groups of controls, and 1
# may stand for either class.
SYNONYMS = (
    MALE,
    FEMALE,
    frozenset({"y", "yes"}),
    frozenset({"n", "no"}),
    frozenset({"t", "true"}),
    frozenset({"f", "false"}),
    frozenset({"l", "left"}),
    frozenset({"r", "right"}),
    frozenset({"control", "controls"}),
    frozenset({"patient", "patients"}),
    frozenset({"hc", "healthy control", "healthy controls"}),
)


def spelling_twins(values: Iterable[str]) -> tuple[str, str] | None:
    """Return two values that a reader would take for the same, such as M and m, or M and male.

    Parameters
    ----------
    values : iterable of str
        Cells of a column that names classes, sites, families or sexes.
    """
    texts = sorted(set(values))
    numbers = [text for text in texts if as_number(text) is not None]
    if len(numbers) == len(texts):
        return None  # a column of numbers, in which 1 and 1.0 are equal anyway
    seen: dict[str, str] = {}
    for text in texts:
        key = _spelling(text)
        if key in seen:
            return seen[key], text
        seen[key] = text
    return _synonyms(seen) or _two_codings(seen, numbers)


def other_spelling(named: Iterable[str], values: Iterable[str]) -> tuple[str, str] | None:
    """Return a value that is named, and one that is not though it is the same in other spelling.

    Parameters
    ----------
    named : iterable of str
        Values that the configuration lists.
    values : iterable of str
        Cells of the column.
    """
    known = set(named)
    by_meaning = {_meaning(text): text for text in sorted(known) if as_number(text) is None}
    for text in sorted(set(values) - known):
        if as_number(text) is None and _meaning(text) in by_meaning:
            return by_meaning[_meaning(text)], text
    return None


def _meaning(text: str) -> str:
    spelling = _spelling(text)
    return next((min(words) for words in SYNONYMS if spelling in words), spelling)


def _spelling(text: str) -> str:
    number = as_number(text)
    if number is not None and math.isfinite(number):
        return f"{number:.17g}"
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Within a text, as + and - at its end are findings.
    joined = re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W_])", " ", folded)
    return " ".join(joined.split())


def _synonyms(texts: dict[str, str]) -> tuple[str, str] | None:
    for words in SYNONYMS:
        present = sorted(words & texts.keys())
        if len(present) > 1:
            return texts[present[0]], texts[present[1]]
    return None


def _two_codings(texts: dict[str, str], numbers: list[str]) -> tuple[str, str] | None:
    """Return a sex and a number, if a column has nothing else: tables of two studies were joined.

    Which number is which sex is not known, so this is no pair of synonyms.
    """
    words = [key for key in texts if texts[key] not in numbers]
    if numbers and words and set(words) <= MALE | FEMALE:
        return texts[words[0]], numbers[0]
    return None

"""What a user is told when something cannot go on."""

import reprlib
from collections.abc import Mapping

LONGEST_VALUE = 60  # characters of a value in a message

_repr = reprlib.Repr()
# Nested lists of a stranger's file may stand for more text than fits into memory.
_repr.maxlevel, _repr.maxlist, _repr.maxdict, _repr.maxtuple = 2, 4, 4, 4
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST_VALUE


def shown(value: object) -> str:
    """Write a value of the user for a message: on one line, without control characters, cut."""
    text = value if isinstance(value, str) else _repr.repr(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


class UserError(Exception):
    """Something the user can mend: one or two sentences, no traceback.

    The message says what was expected, what was found, where, and what to do.
    """


class ScanError(Exception):
    """One scan cannot be used; the cohort goes on without it.

    The message is the reason that ends up in the tables and in the report.

    Parameters
    ----------
    reason : str
    measures : mapping of str to float, optional
        What was measured of the scan before.
    """

    def __init__(self, reason: str, measures: Mapping[str, float] | None = None) -> None:
        super().__init__(reason)
        self.measures = dict(measures or {})

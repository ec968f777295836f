"""What a user is told when something cannot go on."""

from collections.abc import Mapping


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

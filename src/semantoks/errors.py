"""What a user is told when something cannot go on."""


class UserError(Exception):
    """Something the user can mend: one or two sentences, no traceback.

    The message says what was expected, what was found, where, and what to do.
    """


class ScanError(Exception):
    """One scan cannot be used; the cohort goes on without it.

    The message is the reason that ends up in the tables and in the report.
    """

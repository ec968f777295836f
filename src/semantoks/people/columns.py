"""Columns that are recognised by their names."""

from __future__ import annotations

from collections.abc import Sequence

from semantoks.errors import UserError

# The first of these that the table has, in upper or lower case.
COVARIATES = {
    "age": ("age", "age_at_scan", "interview_age"),
    "sex": ("sex", "gender"),
    "mean_fd": ("mean_fd",),
    "site": ("site", "site_id"),
}


def covariate_columns(columns: Sequence[str], site_column: str | None) -> dict[str, str | None]:
    """Return the column of each covariate, None where the table has none.

    Parameters
    ----------
    columns : sequence of str
    site_column : str or None
        Column of the site, if it is configured.

    Raises
    ------
    UserError
        When two columns could be meant.
    """
    recognised = {name: _first(columns, choices) for name, choices in COVARIATES.items()}
    return recognised | ({"site": site_column} if site_column else {})


def _first(columns: Sequence[str], choices: Sequence[str]) -> str | None:
    for choice in choices:
        matching = [name for name in columns if name.lower() == choice]
        if len(matching) > 1:
            raise UserError(
                f"The table of participants has the columns {' and '.join(matching)}, which differ "
                "only in case, and both could be the confound. Rename one."
            )
        if matching:
            return matching[0]
    return None

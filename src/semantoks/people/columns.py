"""Columns by their names: alternatives that a user lists, and confounds that are recognised."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from semantoks.errors import UserError

Names = str | Sequence[str]

# UK Biobank exports a field as 31-0.0 (csv), f.31.0.0 (R), p31 or participant.p31 (research
# analysis platform); instance 2 is the first imaging visit. Fields 31 (sex), 21003 (age when
# attended), 54 (assessment centre) and 25741 (mean rfMRI head motion, mm):
# https://biobank.ndph.ox.ac.uk/ukb/field.cgi?id=25741
# The first of these that the table has, in upper or lower case.
COVARIATES = {
    "age": (
        *("age", "age_at_scan", "interview_age", "age_in_yrs", "basic_demos,age"),
        *("21003-2.0", "f.21003.2.0", "p21003_i2", "participant.p21003_i2"),
    ),
    "sex": (
        *("sex", "gender", "basic_demos,sex"),
        *("31-0.0", "f.31.0.0", "p31", "participant.p31"),
    ),
    "mean_fd": (
        *("mean_fd", "func_mean_fd"),
        *("25741-2.0", "f.25741.2.0", "p25741_i2", "participant.p25741_i2"),
    ),
    "site": (
        *("site", "site_id", "basic_demos,study_site"),
        *("54-2.0", "f.54.2.0", "p54_i2", "participant.p54_i2"),
    ),
}
# May be the 31st item of any questionnaire, unless other fields of UK Biobank are beside it.
_SHORT = frozenset({"p31"})
_INSTANCE = re.compile(r"p\d+_i\d+(_a\d+)?")
# By which key of a data set the user names the column.
KEYS = {
    "age": "age_column",
    "sex": "sex_column",
    "mean_fd": "motion_column",
    "site": "site_column",
}


def alternatives(names: Names | None) -> list[str]:
    """Return the names of a column: one or several, of which the first that is there counts."""
    return [] if names is None else [names] if isinstance(names, str) else list(names)


def find_column(names: Names | None, columns: Collection[str]) -> str | None:
    """Return the first name that a table has; None if it has none of them."""
    return next((name for name in alternatives(names) if name in columns), None)


def may_be_absent(names: Names) -> bool:
    """Whether no column of a confound is needed: several names say where it could be.

    Presets of data sets list the names of all exports, of which one may lack the column.
    """
    return not isinstance(names, str)


def listed(names: Names) -> str:
    """Write alternatives for a message: 'a' or 'b'."""
    return " or ".join(f"'{name}'" for name in alternatives(names))


def also_there(names: Names | None, columns: Collection[str]) -> str:
    """Say that a table has several of the alternatives; empty if it does not."""
    first, *others = [name for name in alternatives(names) if name in columns] or [""]
    if not others:
        return ""
    return f"column '{first}' is used, and not {listed(others)}, which the table has, too"


def covariate_columns(
    columns: Sequence[str], named: Mapping[str, Names] | None = None
) -> dict[str, str | None]:
    """Return the column of each covariate, None where the table has none.

    Parameters
    ----------
    columns : sequence of str
    named : mapping of str to str or sequence of str, optional
        Columns of covariates that are configured; the others are recognised by their names, and
        so are those of which a table has none of several names.

    Raises
    ------
    UserError
        When two columns could be meant.
    """
    given = named or {}
    of_covariates: dict[str, str | None] = {}
    for name, choices in COVARIATES.items():
        names = given.get(name)
        column = find_column(names, columns)
        if column is None and (names is None or may_be_absent(names)):
            column = _first(columns, choices)
        of_covariates[name] = column
    return of_covariates


def code_columns(columns: Collection[str], named: Mapping[str, Names] | None = None) -> set[str]:
    """Return the columns of a site or a sex, in which a number is a code and no measure.

    Parameters
    ----------
    columns : collection of str
    named : mapping of str to str or sequence of str, optional
        Columns of covariates that are configured; the others are recognised by their names.
    """
    given, usual = set[str](), set[str]()
    for covariate in ("site", "sex"):
        given.update(alternatives((named or {}).get(covariate)))
        usual.update(COVARIATES[covariate])
    if not any(_INSTANCE.fullmatch(name) for name in columns):
        usual -= _SHORT
    return {name for name in columns if name in given or name.lower() in usual}


def confounds_sentence(sources: Mapping[str, str | None], of: str = "") -> str:
    """Say from which columns the confounds come, and which have none.

    Parameters
    ----------
    sources : mapping of str to (str or None)
        Column by confound; empty if it is measured in the scans, None or not there if it is not
        known.
    of : str, optional
        Where they were looked for, if that is not everywhere. What is measured in the scans is then
        not missed.
    """
    used = [
        _label(name) + (f" (column '{source}')" if source else " (of the scans)")
        for name, source in sources.items()
        if source is not None
    ]
    absent = [
        name for name in COVARIATES if sources.get(name) is None and not (of and name == "mean_fd")
    ]
    sentence = f"confounds {of}that are used: {', '.join(used) or 'none'}"
    if not absent:
        return sentence
    keys = ", ".join(f"{_label(name)} ({KEYS[name]})" for name in absent)
    return f"{sentence}; not found: {keys}. If the table has it, name its column by that key"


def _label(name: str) -> str:
    return {"mean_fd": "head motion", "seconds": "scan length"}.get(name, name)


def _first(columns: Sequence[str], choices: Sequence[str]) -> str | None:
    """Return the first of the usual names of a confound that a table has, in any case.

    Raises
    ------
    UserError
        When two columns differ from it in case only.
    """
    is_biobank = any(_INSTANCE.fullmatch(name) for name in columns)
    by_lower: dict[str, list[str]] = {}
    for name in columns:
        by_lower.setdefault(name.lower(), []).append(name)
    for choice in choices:
        if choice in _SHORT and not is_biobank:
            continue
        matching = by_lower.get(choice, [])
        if len(matching) > 1:
            raise UserError(
                f"The table of participants has the columns {' and '.join(matching)}, which differ "
                "only in case, and both could be the confound. Rename one."
            )
        if matching:
            return matching[0]
    return None

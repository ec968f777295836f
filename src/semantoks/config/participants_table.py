"""The table of participants of a data set: where it is, and what its columns mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from semantoks.config.base import Settings
from semantoks.config.phenotypes import ColumnNames, text_of_yaml
from semantoks.people.columns import KEYS, alternatives
from semantoks.people.layout import ID, Layout

# YAML reads the name of a site such as 1 or 2.5 as a number.
_ByValue = Annotated[dict[str, dict[str | int | float, float]], Field(min_length=1, max_length=1)]
RepetitionTime = Annotated[float, Field(gt=0)] | str | _ByValue
HDF5_SUFFIXES = (".h5", ".hdf5")
Rows = Annotated[int, Field(ge=0, le=1000)]


class Visits(Settings):
    """Which of several rows of a participant counts."""

    column: ColumnNames = Field(
        description="Column of the visit; of several names, the first that a table has."
    )
    keep: str = Field(
        description="`first` or `last` of each participant (numbers, dates as YYYY-MM-DD, or texts "
        "that differ in their numbers alone), or the value of the visit."
    )

    _as_text = field_validator("keep", mode="before")(text_of_yaml)


class TableLayout(Settings):
    """Keys of a data set that say how rows and ids of its tables of participants are read."""

    participant_column: ColumnNames = Field(
        ID,
        description="Column of the ids that appear in file names; of several names, the first that "
        "a table has.",
    )
    participant_pattern: str | None = Field(
        None,
        description="Regular expression of a whole cell of `participant_column`, whose one group "
        "is the id, such as `(\\w+),assessment`.",
    )
    participant_digits: int | None = Field(
        None,
        ge=1,
        le=20,
        description="Ids that are numbers are written with so many digits: with 7, 10001 is "
        "0010001, as in the file names of ADHD-200.",
    )
    skip_rows: Rows | Annotated[dict[str, Rows], Field(min_length=1)] = Field(
        0,
        description="Rows directly below the header that are no participants, such as the text of "
        "items; `{'9994_*.csv': 1}` says it for some tables only.",
    )
    visits: Visits | None = Field(
        None,
        description="Which row counts if a table has several of a participant: `{column: visit, "
        "keep: first}`, `last`, or the value of the visit.",
    )
    missing_values: list[str] = Field(
        [],
        description="Codes for missing values, such as `[-9, -999, pending]`, besides empty cells, "
        "n/a, NA, NaN, null, #N/A, `.` and `-`.",
    )
    encoding: Literal["utf-8", "latin-1", "cp1252"] = Field(
        "utf-8", description="Encoding of the tables, such as `latin-1` (ISO 8859) of ABIDE II."
    )

    def layout(self) -> Layout:
        """Return the same for those who read tables."""
        return Layout(
            id_columns=tuple(alternatives(self.participant_column)),
            id_pattern=self.participant_pattern or "",
            id_digits=self.participant_digits or 0,
            skip_rows=self.skip_rows,
            visit_columns=tuple(alternatives(self.visits.column)) if self.visits else (),
            keep=self.visits.keep if self.visits else "",
            missing=tuple(self.missing_values),
            encoding=self.encoding,
        )

    @field_validator("missing_values", mode="before")
    @classmethod
    def _codes_as_text(cls, codes: Any) -> Any:
        """Accept ``[-9, 999]`` as YAML reads it."""
        return [text_of_yaml(code) for code in codes] if isinstance(codes, list) else codes

    @field_validator("participant_pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        try:
            groups = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"'{pattern}' is no regular expression ({error})") from None
        if groups != 1:
            raise ValueError(
                f"'{pattern}' has {groups} groups, but needs exactly one, (…), which is the id; "
                "write groups that are not the id as (?:…)"
            )
        return pattern


class ConfoundColumns(Settings):
    """Columns of the table of participants that are confounds.

    Of several names, the first that the table has; none of them need be there.
    """

    age_column: ColumnNames | None = Field(
        None, description="Column of the age; default: a common name such as `age`."
    )
    sex_column: ColumnNames | None = Field(
        None, description="Column of the sex; default: a common name such as `sex`."
    )
    site_column: ColumnNames | None = Field(
        None,
        description="Column of the site; adds leave-one-site-out scores. Without it, a column with "
        "a common name such as `site` is used as a confound only.",
    )
    motion_column: ColumnNames | None = Field(
        None,
        description="Column of the mean framewise displacement in mm, used if the scans do not "
        "say it; default: a common name such as `mean_fd`.",
    )

    def confound_columns(self) -> dict[str, ColumnNames]:
        """Return the names of the columns that are configured, by confound."""
        given = {name: getattr(self, key) for name, key in KEYS.items()}
        return {name: names for name, names in given.items() if names is not None}


class ParticipantsTable(TableLayout, ConfoundColumns):
    """Keys of a data set that say where its tables of participants are, and what they hold."""

    participants: ColumnNames = Field(
        "participants.tsv",
        description="Table of participants (.tsv, .csv, .tab, .txt), or several that are joined by "
        "their ids: names in the folder, or paths, with `*` for any text.",
    )
    repetition_time: RepetitionTime | None = Field(
        None,
        description="TR in seconds of files that do not state it: a number, a column of the table "
        "of participants, or `{column: {value: TR}}`, for instance by site. Headers of NIfTI files "
        "count where it says nothing.",
    )
    group_column: ColumnNames | None = Field(
        None,
        description="Column of the family; relatives are never split between training and test.",
    )

    @field_validator("participants")
    @classmethod
    def _hdf5_is_alone(cls, tables: ColumnNames) -> ColumnNames:
        names = alternatives(tables)
        if len(names) > 1 and any(Path(name).suffix in HDF5_SUFFIXES for name in names):
            raise ValueError("an HDF5 file cannot be joined with other tables; name it alone")
        return tables

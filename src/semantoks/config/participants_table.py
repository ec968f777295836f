"""The table of participants of a data set: where it is, and what its columns mean."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from semantoks.config.base import Settings
from semantoks.config.phenotypes import text_of_yaml

# YAML reads the name of a site such as 1 or 2.5 as a number.
_ByValue = Annotated[dict[str, dict[str | int | float, float]], Field(min_length=1, max_length=1)]
RepetitionTime = Annotated[float, Field(gt=0)] | str | _ByValue
HDF5_SUFFIXES = (".h5", ".hdf5")


class ParticipantsTable(Settings):
    """Keys of a data set that say how its table of participants is read."""

    participants: str = Field(
        "participants.tsv",
        description="Table of participants (.tsv or .csv): a name in the folder, or a path.",
    )
    participant_column: str = Field(
        "participant_id", description="Its column of the ids that appear in file names."
    )
    missing_values: list[str] = Field(
        [],
        description="Codes for missing values in it, such as `[-9, -999]`, besides empty cells, "
        "n/a, NA, NaN, null, #N/A, `.` and `-`.",
    )
    repetition_time: RepetitionTime | None = Field(
        None,
        description="TR in seconds of files that do not state it: a number, a column of the table "
        "of participants, or `{column: {value: TR}}`, for instance by site.",
    )
    site_column: str | None = Field(
        None, description="Column of the site; adds leave-one-site-out scores."
    )
    group_column: str | None = Field(
        None,
        description="Column of the family; relatives are never split between training and test.",
    )

    @field_validator("missing_values", mode="before")
    @classmethod
    def _codes_as_text(cls, codes: Any) -> Any:
        """Accept ``[-9, 999]`` as YAML reads it."""
        return [text_of_yaml(code) for code in codes] if isinstance(codes, list) else codes

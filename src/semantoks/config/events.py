"""Events of a task, by which runs are cut into blocks."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings
from semantoks.config.origin import ENTITIES, split_zip
from semantoks.config.phenotypes import text_of_yaml

# Columns of what is known of ev files; those of events.tsv are up to the data set.
EV_COLUMNS = ("onset", "duration", "trial_type", "weight")
# Of a row of the table of blocks, whatever the events are called.
PERSON = "person"


class Events(Settings):
    """Events that cut runs into blocks, which are then scored instead of people.

    With `events: {}` they are read from the `*_events.tsv` of each run, as in BIDS.
    """

    path: str | None = Field(
        None,
        description="Folder of the raw BIDS data set that holds the `*_events.tsv`, or the folder "
        "that `files` start from (default: the data set itself).",
    )
    files: dict[str, str] = Field(
        {},
        description="Timing files of FSL (three columns: onset, duration, weight) by trial type, "
        "instead of `*_events.tsv`: `{faces: '{participant}/…/custom_timing_files/ev2.txt'}`. "
        "Entities in braces as in `template`, and zip files; `*` matches anything.",
    )
    include: dict[str, list[str]] = Field(
        {},
        description="Which events are cut, by column: `{trial_type: [faces, shapes]}` (default: "
        "all).",
    )
    delay: float = Field(
        5.0,
        ge=0,
        le=30,
        description="Seconds from an event to its block, since the haemodynamic response to it "
        "peaks about 5 s later (Glover 1999, doi:10.1006/nimg.1998.0419).",
    )
    seconds: float | None = Field(
        None, gt=0, description="Length of each block in seconds (default: that of the event)."
    )

    @field_validator("include", mode="before")
    @classmethod
    def _as_text(cls, include: Any) -> Any:
        """Accept ``{run: [1, 2]}`` as YAML reads it."""
        if not isinstance(include, dict):
            return include
        lists = {column: x for column, x in include.items() if isinstance(x, list)}
        return include | {column: [*map(text_of_yaml, x)] for column, x in lists.items()}

    @model_validator(mode="after")
    def _files_fit(self) -> Events:
        """Refuse templates that cannot name files, and conditions that no event can meet."""
        for trial_type, template in self.files.items():
            if template.startswith("/") or ".." in template.split("/"):
                raise ValueError(
                    f"the file of '{trial_type}', '{template}', must stay in the folder of the "
                    "data set (or `path`): without / at its beginning and without '..'"
                )
            entities = set(re.findall(r"{(.*?)}", template))
            if "participant" not in entities or entities - set(ENTITIES):
                others = ", ".join(f"{{{name}}}" for name in ENTITIES[1:])
                raise ValueError(
                    f"the file of '{trial_type}', '{template}', must have {{participant}}, may "
                    f"have {others} and nothing else in braces"
                )
            if "*" in split_zip(template)[1]:
                raise ValueError(
                    f"the file of '{trial_type}', '{template}', must name one file in each zip "
                    "file: after '.zip/' without *"
                )
        unknown = set(self.include) - set(EV_COLUMNS) if self.files else set[str]()
        if unknown:
            raise ValueError(
                f"'include' names the column '{min(unknown)}', but timing files have "
                f"{', '.join(EV_COLUMNS)} only"
            )
        empty = [column for column, values in self.include.items() if not values]
        if empty:
            raise ValueError(f"'include.{empty[0]}' lists no value; list some, or take it out")
        return self

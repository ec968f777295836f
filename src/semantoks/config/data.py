"""Data sets: where they are, what they hold, and their phenotypes."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from semantoks.config import catalogue
from semantoks.config.events import PERSON, Events
from semantoks.config.filters import FILTERED, EntityFilter, check_filter
from semantoks.config.folders import problem_of_pattern
from semantoks.config.origin import Origin, Source, check_template
from semantoks.config.participants_table import (
    HDF5_SUFFIXES,
    ParticipantsTable,
    RepetitionTime,
    TableLayout,
)
from semantoks.config.phenotypes import ColumnNames, Phenotype
from semantoks.config.preprocessing import Simulation
from semantoks.config.suggestions import suggest
from semantoks.people.columns import alternatives

# Phenotypes name files and appear in commands that schedulers pass through their own shells.
PHENOTYPE = r"\w[\w .+()-]*"
# Strict, or `true` would be one person.
HoldOut = Annotated[int, Field(gt=0, strict=True)] | Annotated[str, Field(min_length=1)]


# Keys of a preset that do not apply to the same data in another form.
ON_FILES = {*Origin.model_fields, "folders", "t1w_template", "entities", "t1w_entities"}


class IndexedDataset(TableLayout):
    """What the tables of a data set depend on; see `Dataset`."""

    # Phenotypes, sites and families are left out, so that changing them does not re-run `index`.
    source: Source = "bids"
    template: str | None = None
    registration: str | None = None
    t1w_template: str | None = None
    folders: list[str] = Field([])
    link_targets: list[str] = Field([])
    repetition_time: RepetitionTime | None = None
    task: str | None = None
    entities: EntityFilter = Field({})
    t1w_entities: EntityFilter = Field({})
    shards: int = 1
    hold_out: HoldOut | None = None


class Dataset(Origin, ParticipantsTable):
    """One data set and its phenotypes."""

    preset: str | None = Field(
        None,
        description="Data set whose holder's format gives the defaults of the other keys: "
        f"{', '.join(f'`{name}`' for name in catalogue.preset_names())}. `semantoks preset NAME` "
        "shows what it sets, and why. With another `source` than its own, its keys on files do not "
        "apply.",
    )
    path: str | None = Field(
        None, description="Folder (or HDF5 file) of the data set; not for a simulated one."
    )
    t1w_template: str | None = Field(
        None,
        description="Path of the T1w images of raw data that are not in BIDS, such as "
        "`data/{participant}/t1/defaced_mprage.nii`; with it, `source: bids` takes the runs that "
        "`template` finds.",
    )
    folders: list[str] = Field(
        [],
        description="Folders below `path` that hold the `sub-*`, each a BIDS data set of its own, "
        'such as `["MRI/Site-*"]` (HBN); `*` matches anything in a name. Default: `path` itself.',
    )
    link_targets: list[str] = Field(
        [],
        description="Folders that links in the data set may lead to, such as `[/store/study]`. "
        "Links that stay in the data set, or in its git-annex, are always followed.",
    )
    task: str | None = Field(None, description="BIDS task to keep (default: all).")
    entities: EntityFilter = Field(
        {},
        description="Raw runs to keep, by the entities in their names, as in filters of PyBIDS and "
        "fMRIPrep: `{acq: mb, dir: [AP, PA], rec: null, echo: 2}`. `null` is for names without "
        f"the entity, `'*'` for any value. Entities: {', '.join(FILTERED)}.",
    )
    t1w_entities: EntityFilter = Field(
        {},
        description="T1w images that raw runs may be registered to, likewise, such as "
        "`{acq: mprage, rec: norm}` (default: see docs/formats.md). FMRIPrep gets both filters as "
        "its `--bids-filter-file`.",
    )
    # Four digits: files and the wildcard are named shard-0000 to shard-9999.
    shards: int = Field(1, ge=1, le=9999, description="Number of parts in which it is processed.")
    hold_out: HoldOut | None = Field(
        None,
        description="People who are kept out of pretraining, and the only ones who are scored: a "
        "file of their ids (a table with `participant_id`, or one id per line), or how many are "
        "drawn of those who have a scan. A draw depends on the ids alone, and keeps families "
        "(`group_column`) together.",
    )
    exclude: str | None = Field(
        None,
        min_length=1,
        description="Table of scans to leave out, such as after a look at their pictures: a column "
        "`scan` (names as on the pages of scans) or `participant_id`, and perhaps `reason`; or one "
        "scan per line.",
    )
    phenotypes: dict[str, Phenotype] = Field(
        {},
        description="What to predict, by column of the table of participants: `classification`, "
        "`regression`, the name of a published task such as `abide_autism`, or the keys below "
        "(with `task: abide_autism` they change a published task).",
    )
    events: Events | None = Field(
        None,
        description="Cut the runs of a task into blocks by its events: scores are then of blocks, "
        "and columns of the events can be phenotypes (docs/formats.md). `{}` for `*_events.tsv` "
        "of BIDS.",
    )
    simulate: Simulation | None = Field(
        None,
        description="Simulate this data set below results/simulated instead of reading a `path`.",
    )

    def participants_tables(self, folder: str | None = None) -> list[Path]:
        """Paths of the tables of participants; a pattern that fits no file stays as it is.

        Parameters
        ----------
        folder : str, optional
            Where the data set is (default: `path`). An HDF5 file is its own table, unless
            `participants` names another one; an absolute path stays as it is.
        """
        root, default = Path(folder or self.path or ""), type(self).model_fields["participants"]
        if root.suffix in HDF5_SUFFIXES and self.participants == default.default:
            return [root]
        parent = Path() if root.suffix in HDF5_SUFFIXES else root
        tables = [path for name in alternatives(self.participants) for path in _files(parent, name)]
        return list(dict.fromkeys(tables))

    @field_validator("folders")
    @classmethod
    def _below_path(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if problem := problem_of_pattern(pattern):
                raise ValueError(problem)
        return patterns

    @property
    def grouped_by(self) -> ColumnNames | None:
        """Column whose members are never split: the family, or else the person of a block."""
        return self.group_column or (PERSON if self.events else None)

    @field_validator("link_targets")
    @classmethod
    def _stores(cls, folders: list[str]) -> list[str]:
        for folder in folders:
            if not Path(folder).is_absolute() or not os.path.normpath(folder).strip("/"):
                raise ValueError(
                    f"'{folder}' must be the whole path of a folder, and not the root of the disk, "
                    "where the files of everyone are"
                )
        return folders

    @field_validator("phenotypes", mode="before")
    @classmethod
    def _tasks_by_name(cls, phenotypes: Any) -> Any:
        if not isinstance(phenotypes, dict):
            return phenotypes
        for name in phenotypes:
            # A file name has at most 255 bytes; suffixes and temporary names need the rest.
            if not re.fullmatch(PHENOTYPE, str(name)) or len(str(name).encode()) > 100:
                raise ValueError(
                    f"{name!r} cannot be the name of a phenotype, since files are called by it. "
                    "Use letters, digits and ' _+-.()', 100 bytes at most, and name the column "
                    f"by `column`: {{my_name: {{kind: …, column: {name!r}}}}}"
                )
        return {name: _task(name, value) for name, value in phenotypes.items()}

    _known_entities = field_validator("entities", "t1w_entities", mode="before")(check_filter)

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, keys: Any) -> Any:
        """Fill in the keys of the preset that the user has not given."""
        name = keys.get("preset") if isinstance(keys, dict) else None
        if name is None:
            return keys
        if name not in catalogue.preset_names():
            raise ValueError(f"preset is '{name}'; {suggest(str(name), catalogue.preset_names())}")
        defaults = catalogue.read_preset(name)
        if keys.get("source", defaults.get("source")) != defaults.get("source"):
            defaults = {key: defaults[key] for key in defaults if key not in ON_FILES}
        return {**defaults, **keys}

    @model_validator(mode="after")
    def _filters_fit(self) -> Dataset:
        if self.source != "bids" and (self.entities or self.t1w_entities):
            raise ValueError(
                "'entities' and 't1w_entities' choose raw images (`source: bids`); of other files "
                "choose with 'template' or 'task'"
            )
        return self

    @model_validator(mode="after")
    def _templates_fit(self) -> Dataset:
        """Raw images in another layout than BIDS need two templates, as registration needs both."""
        if self.source == "bids" and (self.template is None) != (self.t1w_template is None):
            raise ValueError(
                "'template' with `source: bids` is for raw images in another layout, and needs "
                "'t1w_template' beside it; preprocessed ones have `source: fmriprep`"
            )
        if self.t1w_template is None:
            return self
        if self.source != "bids" or self.entities or self.t1w_entities:
            raise ValueError(
                "'t1w_template' goes with 'template' and `source: bids`, and without 'entities' "
                "and 't1w_entities', which choose by BIDS names"
            )
        check_template("t1w_template", self.t1w_template)
        return self

    @model_validator(mode="after")
    def _folders_fit(self) -> Dataset:
        if self.folders and (self.template is not None or self.simulate is not None):
            key = "template" if self.simulate is None else "simulate"
            raise ValueError(
                f"'folders' does not go with '{key}'; a template names folders by itself, such as "
                "`MRI/Site-*/{participant}/…`"
            )
        return self

    @model_validator(mode="after")
    def _events_fit(self) -> Dataset:
        if self.events is not None and self.simulate is not None:
            raise ValueError("'events' needs a `path`: simulated data sets have no task")
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> Dataset:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("needs either 'path' or 'simulate', exactly one of them")
        if self.simulate is not None and self.source == "fmriprep":
            raise ValueError("'simulate' needs `source: bids` (raw images) or `source: timeseries`")
        return self


def _files(folder: Path, name: str) -> list[Path]:
    """Return the files that a name with `*` may stand for."""
    path, pattern = folder / name, Path(name)
    if path.exists() or not glob.has_magic(name):
        return [path]
    if pattern.is_absolute():
        folder, pattern = Path(pattern.anchor), pattern.relative_to(pattern.anchor)
    return sorted(folder.glob(str(pattern))) or [path]


def _task(name: str, value: Any) -> Any:
    """Return the keys of a phenotype that is given by a word."""
    if isinstance(value, dict) and "task" in value:
        changes = {key: entry for key, entry in value.items() if key != "task"}
        if value["task"] not in catalogue.names():
            hint = suggest(str(value["task"]), catalogue.names())
            raise ValueError(f"{name}.task is '{value['task']}'; {hint}")
        return {**catalogue.read(value["task"]), **changes}
    if not isinstance(value, str):
        return value
    if value in ("classification", "regression"):
        return {"kind": value}
    known = ["classification", "regression", *catalogue.names()]
    if value in known:
        return catalogue.read(value)
    raise ValueError(f"{name} is '{value}'; {suggest(value, known)}")

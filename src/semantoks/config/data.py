"""Data sets: where they are, what they hold, and their phenotypes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config import catalogue
from semantoks.config.base import Settings
from semantoks.config.filters import FILTERED, EntityFilter, check_filter
from semantoks.config.parcellation import Strategy
from semantoks.config.phenotypes import Phenotype, text_of_yaml
from semantoks.config.preprocessing import Simulation
from semantoks.config.suggestions import suggest

Source = Literal["bids", "fmriprep", "timeseries"]
# YAML reads the name of a site such as 1 or 2.5 as a number.
_ByValue = Annotated[dict[str, dict[str | int | float, float]], Field(min_length=1, max_length=1)]
RepetitionTime = Annotated[float, Field(gt=0)] | str | _ByValue
HDF5_SUFFIXES = (".h5", ".hdf5")
MOST_WILDCARDS = 50
ENTITIES = ("participant", "session", "task", "run")
# Phenotypes name files and appear in commands that schedulers pass through their own shells.
PHENOTYPE = r"\w[\w .+()-]*"


class Origin(Settings):
    """What kind of data a data set holds, and how its files are read."""

    source: Source = Field(
        "bids",
        description="`bids`: raw images; `fmriprep`: preprocessed ones (volumes or CIFTI); "
        "`timeseries`: regional time series (.tsv, .csv, .1D, .txt, .npy, .mat, .ptseries.nii, "
        "HDF5, Semantoks' own Parquet).",
    )
    template: str | None = Field(
        None,
        description="Path of the files in a folder that does not follow BIDS, with entities in "
        "braces, such as "
        "`{participant}/fMRI/rfMRI.ica/reg_standard/filtered_func_data_clean.nii.gz`. Entities: "
        "participant, session, task, run; `*` matches anything.",
    )
    space: str | None = Field(
        None,
        description="Template space of the images found by `template`, such as "
        "`MNI152NLin6Asym`, if neither file names nor headers state it.",
    )
    confounds: Strategy | None = Field(
        None, description="Confounds strategy of this data set (default: `parcellation.confounds`)."
    )
    regions: str | None = Field(
        None,
        description="Table whose column `name` lists the regions in order, for time series whose "
        "columns have no names.",
    )
    variable: str | None = Field(
        None,
        description="Variable of MATLAB files (.mat) that holds the time series (default: "
        "`ROISignals`, or the only table of numbers).",
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> Origin:
        """Refuse keys of another source, and a template that cannot name scans."""
        if self.variable is not None and self.source != "timeseries":
            raise ValueError("'variable' goes with `source: timeseries`, for .mat files")
        if self.template is None:
            return self
        if self.source == "bids":
            raise ValueError("'template' goes with `source: fmriprep` or `source: timeseries`")
        if self.template.count("*") + self.template.count("{") > MOST_WILDCARDS:
            raise ValueError(f"template has more than {MOST_WILDCARDS} stars and entities")
        if self.template.startswith("/") or ".." in self.template.split("/"):
            raise ValueError(
                f"template '{self.template}' must stay in the folder of the data set: without / at "
                "its beginning and without '..'"
            )
        entities = set(re.findall(r"{(.*?)}", self.template))
        if "participant" not in entities or entities - set(ENTITIES):
            raise ValueError(
                f"template '{self.template}' must have {{participant}}, may have "
                f"{', '.join(f'{{{name}}}' for name in ENTITIES[1:])} and nothing else in braces"
            )
        return self


class IndexedDataset(Settings):
    """What the tables of a data set depend on; see `Dataset`."""

    # Phenotypes, sites and families are left out, so that changing them does not re-run `index`.
    source: Source = "bids"
    template: str | None = None
    link_targets: list[str] = Field([])
    participant_column: str = "participant_id"
    missing_values: list[str] = Field([])
    repetition_time: RepetitionTime | None = None
    task: str | None = None
    entities: EntityFilter = Field({})
    t1w_entities: EntityFilter = Field({})
    shards: int = 1


class Dataset(Origin):
    """One data set and its phenotypes."""

    path: str | None = Field(
        None, description="Folder (or HDF5 file) of the data set; not for a simulated one."
    )
    link_targets: list[str] = Field(
        [],
        description="Folders that links in the data set may lead to, such as `[/store/study]`. "
        "Links that stay in the data set, or in its git-annex, are always followed.",
    )
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
    site_column: str | None = Field(
        None, description="Column of the site; adds leave-one-site-out scores."
    )
    group_column: str | None = Field(
        None,
        description="Column of the family; relatives are never split between training and test.",
    )
    phenotypes: dict[str, Phenotype] = Field(
        {},
        description="What to predict, by column of the table of participants: `classification`, "
        "`regression`, the name of a published task such as `abide_autism`, or the keys below "
        "(with `task: abide_autism` they change a published task).",
    )
    simulate: Simulation | None = Field(
        None,
        description="Simulate this data set below results/simulated instead of reading a `path`.",
    )

    def participants_table(self, folder: str | None = None) -> Path:
        """Path of the table of participants.

        Parameters
        ----------
        folder : str, optional
            Where the data set is (default: `path`). An HDF5 file is its own table, unless
            `participants` names another one; an absolute path stays as it is.
        """
        root, default = Path(folder or self.path or ""), type(self).model_fields["participants"]
        if root.suffix in HDF5_SUFFIXES:
            return root if self.participants == default.default else Path(self.participants)
        return root / self.participants

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

    @field_validator("missing_values", mode="before")
    @classmethod
    def _codes_as_text(cls, codes: Any) -> Any:
        """Accept ``[-9, 999]`` as YAML reads it."""
        return [text_of_yaml(code) for code in codes] if isinstance(codes, list) else codes

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

    @model_validator(mode="after")
    def _filters_fit(self) -> Dataset:
        if self.source != "bids" and (self.entities or self.t1w_entities):
            raise ValueError(
                "'entities' and 't1w_entities' choose raw images (`source: bids`); of other files "
                "choose with 'template' or 'task'"
            )
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> Dataset:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("needs either 'path' or 'simulate', exactly one of them")
        if self.simulate is not None and self.source == "fmriprep":
            raise ValueError("'simulate' needs `source: bids` (raw images) or `source: timeseries`")
        return self


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

"""What kind of data a data set holds, and how its files are named and read."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from semantoks.config.base import Settings
from semantoks.config.parcellation import Strategy

Source = Literal["bids", "fmriprep", "timeseries"]
MOST_WILDCARDS = 50
ENTITIES = ("participant", "session", "task", "run")


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

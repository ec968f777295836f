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
# Affine registrations: FLIRT, ITK and ANTs, FreeSurfer.
AFFINES = (".mat", ".xfm", ".lta", ".txt", ".tfm")


def split_zip(path: str) -> tuple[str, str]:
    """Split a path, or a template of one, into a zip file and the file in it.

    The second is empty if the path is not one into a zip file.
    """
    match = re.fullmatch(r"(.*?\.zip)/(.+)", path, re.IGNORECASE)
    return (match[1], match[2]) if match else (path, "")


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
        "participant, session, task, run; `*` matches anything. Files of a volume each, "
        "such as `rsfmri/vol_*`, are one run. Images may be in zip files: "
        "`{participant}_20227_2_0.zip/fMRI/rfMRI.ica/filtered_func_data_clean.nii.gz`.",
    )
    registration: str | None = Field(
        None,
        description="FSL's warp field from MNI152NLin6Asym to each image found by `template`, for "
        "images in native space: a path with the same entities, such as "
        "`{participant}/reg/example_func2standard_warp.nii.gz` (default: that file beside an image "
        "that has a folder `reg` beside it).",
    )
    space: str | None = Field(
        None,
        description="Template space of the images found by `template`, such as "
        "`MNI152NLin6Asym`, if neither file names nor headers state it. Only for images that were "
        "warped to it: native ones need `registration`.",
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
        if self.registration is not None:
            self._require_registration(self.registration)
        if self.template is None:
            return self
        check_template("template", self.template)
        self._require_place_in_zip(self.template)
        return self

    def _require_place_in_zip(self, template: str) -> None:
        """Refuse a path in a zip file that the name of the zip file does not determine."""
        outer, inner = split_zip(template)
        if not inner:
            return
        if self.source != "fmriprep":
            raise ValueError(
                "template leads into zip files, from which only images are read (`source: "
                "fmriprep`); unpack them"
            )
        # Else the list of files in every zip file would have to be read to find the scans.
        if "*" in inner or _entities(inner) - _entities(outer) or split_zip(inner)[1]:
            raise ValueError(
                f"template '{template}' must name one file in each zip file: after '.zip/' without "
                "*, with entities only that are before it as well, and not in a second zip file"
            )

    def _require_registration(self, registration: str) -> None:
        """Refuse a registration that is no warp field, or not one file for each image."""
        if self.template is None or self.source != "fmriprep":
            raise ValueError(
                "'registration' goes with `source: fmriprep` and 'template', for images in native "
                "space"
            )
        if registration.lower().endswith(AFFINES):
            raise ValueError(
                f"registration '{registration}' is affine, which does not bring the same areas of "
                "different people together; name FSL's warp field, such as "
                "example_func2standard_warp.nii.gz"
            )
        is_inside = not registration.startswith("/") and ".." not in registration.split("/")
        if (
            not is_inside
            or "*" in registration
            or _entities(registration) - _entities(self.template)
        ):
            raise ValueError(
                f"registration '{registration}' must name one file for each image, in the folder "
                "of the data set: without * and '..', and with entities only that 'template' has"
            )


def _entities(template: str) -> set[str]:
    return set(re.findall(r"{(.*?)}", template))


def check_template(key: str, template: str) -> None:
    """Refuse a template that leaves the data set or cannot name scans.

    Raises
    ------
    ValueError
    """
    if template.count("*") + template.count("{") > MOST_WILDCARDS:
        raise ValueError(f"{key} has more than {MOST_WILDCARDS} stars and entities")
    if template.startswith("/") or ".." in template.split("/"):
        raise ValueError(
            f"{key} '{template}' must stay in the folder of the data set: without / at its "
            "beginning and without '..'"
        )
    entities = _entities(template)
    if "participant" not in entities or entities - set(ENTITIES):
        raise ValueError(
            f"{key} '{template}' must have {{participant}}, may have "
            f"{', '.join(f'{{{name}}}' for name in ENTITIES[1:])} and nothing else in braces"
        )

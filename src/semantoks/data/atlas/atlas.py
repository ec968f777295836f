"""An atlas as other stages use it, and whether its template space fits that of a scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import sha256
from semantoks.data.atlas.images import LabelImage, read_label_image
from semantoks.data.atlas.regions import read_regions
from semantoks.errors import UserError


@dataclass(frozen=True)
class Atlas:
    """An atlas that `get_atlas` wrote.

    Attributes
    ----------
    name : str
    image : nibabel image or None
        Label image, NIfTI or CIFTI. None for an atlas that is only a table of regions, which is
        enough for data that come as time series.
    regions : DataFrame
        See `read_regions`.
    space : str
        Template space, such as ``MNI152NLin6Asym``; may be empty if there is no image.
    sha256 : str
        Hash of the image file; of the table, if there is no image.
    """

    name: str
    # Not `| None`: averaging runs only where there is an image, which `parcellate` checks.
    image: LabelImage
    regions: pd.DataFrame
    space: str
    sha256: str

    @classmethod
    def read(cls, name: str, image: Path | None, table: Path) -> Atlas:
        """Read the files of an atlas.

        Parameters
        ----------
        name : str
        image : Path or None
            Label image, if there is one.
        table : Path
            Table of regions. The JSON file must be next to the image, or else to the table.

        Raises
        ------
        UserError
            When the JSON file is missing or the image is not readable.
        """
        main = image or table
        metadata = metadata_path(main)
        if not metadata.exists():
            raise UserError(
                f"{metadata.name}, which records the template space, is missing next to {main}. "
                f"Delete {main.name} and run again."
            )
        space = read_json(metadata)["space"]
        labels = None if image is None else read_label_image(image)
        return cls(name, labels, read_regions(table), space, sha256(main))


def metadata_path(path: Path) -> Path:
    """Return the path of the JSON file next to an atlas image or table."""
    return path.with_name(path.name.removesuffix(".nii.gz").removesuffix(".tsv") + ".json")


def same_space(atlas_space: str, run_space: str) -> bool:
    """Whether an atlas can be applied to a run, judged by the names of their template spaces.

    The names must be equal. Sampling (``res-2``, ``den-91k``) is ignored; a cohort is not, because
    each cohort is a separate template. "MNI152" denotes sphere centres, which fit every MNI152
    template: the templates differ by less than the radius of the spheres.
    """
    atlas, run = _without_sampling(atlas_space), _without_sampling(run_space)
    return atlas == run or (atlas == "MNI152" and run.startswith("MNI152"))


def _without_sampling(space: str) -> str:
    """Return the name of a template; "MNIInfant+2" becomes "MNIInfant:cohort-2"."""
    # Tools write a cohort as `+2`, `:cohort-2` or `_cohort-2`.
    parts = re.split(r"[:_]", space.replace("+", ":cohort-"))
    return ":".join(part for part in parts if not part.startswith(("res-", "den-")))

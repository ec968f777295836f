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
    image : nibabel image
        Label image, NIfTI or CIFTI.
    regions : DataFrame
        See `read_regions`.
    space : str
        Template space, such as ``MNI152NLin6Asym``.
    sha256 : str
        Hash of the image file.
    """

    name: str
    image: LabelImage
    regions: pd.DataFrame
    space: str
    sha256: str

    @classmethod
    def read(cls, name: str, image: Path, table: Path) -> Atlas:
        """Read the files of an atlas.

        Parameters
        ----------
        name : str
        image : Path
            Label image; its JSON file must be next to it.
        table : Path
            Table of regions.

        Raises
        ------
        UserError
            When the JSON file is missing or the image is not readable.
        """
        metadata = metadata_path(image)
        if not metadata.exists():
            raise UserError(
                f"{metadata.name}, which records the template space, is missing next to {image}. "
                "Delete the image and run again."
            )
        space = read_json(metadata)["space"]
        return cls(name, read_label_image(image), read_regions(table), space, sha256(image))


def metadata_path(image: Path) -> Path:
    """Return the path of the JSON file next to an atlas image."""
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")


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

"""What an atlas is on disk: a label image, its table, and a JSON file that says where it is from.

Equal content gives equal bytes, since time series remember the hash of their atlas.
"""

from __future__ import annotations

import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.artifacts.files import atomic, read_json, write_json
from semantoks.artifacts.provenance import sha256
from semantoks.errors import UserError

CIFTI_EXTENSION = 32  # code of the NIfTI header extension that holds the CIFTI XML
MNI_152 = 4  # NIfTI code of the transform; what tools look at to name the space


@dataclass(frozen=True)
class Built:
    """An atlas that has just been made or read, before it is checked and written.

    Attributes
    ----------
    image : nibabel image
        Labels, 3-D; or a CIFTI dlabel.
    regions : DataFrame
        ``index``, ``name``, ``network``, ``hemisphere`` (L, R or empty) and perhaps more.
    space : str
        Name of the template, as in ``space-MNI152NLin6Asym``.
    sources : list of dict
        What it was made from.
    licence : str
    """

    image: Any
    regions: pd.DataFrame
    space: str
    sources: list[dict[str, str]]
    licence: str


@dataclass(frozen=True)
class Atlas:
    """An atlas as the workflow keeps it.

    Attributes
    ----------
    name : str
    image : nibabel image
    regions : DataFrame
        As `read_regions` gives it.
    space : str
    sha256 : str
        Of the image file.
    """

    name: str
    image: Any
    regions: pd.DataFrame
    space: str
    sha256: str

    @classmethod
    def read(cls, name: str, image: Path, table: Path) -> Atlas:
        """Read what `get_atlas` wrote.

        Raises
        ------
        UserError
            When the JSON file beside the image is missing.
        """
        about = about_path(image)
        if not about.exists():
            raise UserError(
                f"There is no {about.name} beside {image}, which would name its template space. "
                "Delete the image and run again."
            )
        space = read_json(about)["space"]
        return cls(name, read_image(image), read_regions(table), space, sha256(image))


def about_path(image: Path) -> Path:
    """Name of the JSON file beside an image."""
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")


def read_regions(table: Path) -> pd.DataFrame:
    """Read an atlas table.

    ``index`` (label in the image), ``name``, ``network`` and ``hemisphere`` (L, R or empty), in
    the order of the time series. A network may be called "None", which pandas would lose.
    """
    return pd.read_csv(table, sep="\t", keep_default_na=False, dtype={"name": str, "network": str})


def read_image(path: Path) -> Any:
    """Load a label image, CIFTI as CIFTI although it may be compressed.

    Raises
    ------
    UserError
        When the file is missing or not an image.
    """
    if not path.exists():
        raise UserError(f"The atlas image {path} does not exist. Correct its path.")
    try:
        image = nib.load(path)
        if is_cifti(image) or all(e.get_code() != CIFTI_EXTENSION for e in _extensions(image)):
            return image
        return nib.Cifti2Image.from_bytes(plain_bytes(path))
    except (nib.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise UserError(f"The atlas image {path} is not readable ({error}).") from None


def _extensions(image: Any) -> list[Any]:
    return list(getattr(image.header, "extensions", []))


def is_cifti(image: Any) -> bool:
    """Whether an image has grayordinates instead of voxels."""
    return isinstance(image, nib.Cifti2Image)


def plain_bytes(path: Path) -> bytes:
    """Content of a file, uncompressed."""
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def label_image(labels: np.ndarray, affine: np.ndarray) -> Any:
    """Make an image of labels, int16 where they fit and else int32; `affine` in mm, MNI."""
    kind = np.int16 if labels.max() <= np.iinfo(np.int16).max else np.int32
    image = nib.Nifti1Image(labels.astype(kind), affine)
    image.set_sform(affine, code=MNI_152)
    image.header.set_xyzt_units("mm")
    return image


def write_atlas(name: str, built: Built, image: Path, table: Path) -> None:
    """Write the image (gzip without a time), the table and the JSON file."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(built.image.to_bytes())
    with atomic(table) as temporary:
        built.regions.to_csv(temporary, sep="\t", index=False)
    with atomic(image) as temporary:
        temporary.write_bytes(buffer.getvalue())
    about = {"name": name, "space": built.space, "sources": built.sources, "licence": built.licence}
    write_json(about_path(image), about)


def same_space(atlas_space: str, run_space: str) -> bool:
    """Whether an atlas fits a run, by the names of their template spaces.

    The names must be equal. Sampling (``res-2``, ``den-91k``) does not matter; a cohort does: each
    is a template of its own. An atlas of sphere centres in "MNI152" goes with every MNI152: the
    templates differ by less than the spheres' radius.
    """
    atlas, run = _template(atlas_space), _template(run_space)
    return atlas == run or (atlas == "MNI152" and run.startswith("MNI152"))


def _template(space: str) -> str:
    """Name without its sampling; "MNIInfant+2" and "MNIInfant:cohort-2" are one."""
    parts = re.split(r"[:_]", space.replace("+", ":cohort-"))
    return ":".join(part for part in parts if not part.startswith(("res-", "den-")))

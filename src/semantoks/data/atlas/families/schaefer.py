"""Schaefer 2018: 100 to 1000 cortical regions in 7 or 17 networks, from TemplateFlow or CBIG.

MNI152NLin6Asym, 2 mm. Source: doi:10.1093/cercor/bhx179.
"""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.artifacts.provenance import sha256
from semantoks.config import SCHAEFER
from semantoks.data.atlas.checks import require_order
from semantoks.data.atlas.download import Source, SourceRecord, fetch, find, unreachable
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import label_image
from semantoks.data.atlas.regions import hemisphere_from_name
from semantoks.errors import UserError

SPACE = "MNI152NLin6Asym"
URL = "https://templateflow.s3.amazonaws.com"
LICENCE = "MIT (ThomasYeoLab/CBIG); cite doi:10.1093/cercor/bhx179"
# Hashes of files in a local folder, as far as they are known: TemplateFlow publishes none.
PUBLISHED_SHA256 = {
    "Schaefer2018_400Parcels_7Networks_order.txt": (
        "f62cdc9de9696e11bda9fe1cd51fc013b1da27ba180d2dcead8f3fd94bf3cbc1"
    )
}


def build(name: str, atlas_dir: Path | None) -> Built:
    """Read an atlas of the family.

    Parameters
    ----------
    name : str
        Such as ``schaefer400x7``: 400 regions, 7 networks.
    atlas_dir : Path or None
        Folder with image and table from TemplateFlow or CBIG; None to download from TemplateFlow.

    Raises
    ------
    UserError
        When files are missing, cannot be downloaded, or do not have the expected regions.
    """
    parcels, networks = re.fullmatch(SCHAEFER, name).groups()  # type: ignore[union-attr]
    if atlas_dir is None:
        pair = _from_templateflow(parcels, networks)
    else:
        pair = _from_folder(atlas_dir, _file_names(parcels, networks))
    image, regions = nib.load(pair[0]), _read_table(pair[1])
    if len(regions) != int(parcels):
        raise UserError(
            f"{pair[1]} has {len(regions)} regions instead of {parcels}. Download it again."
        )
    # The versions with 7 and 17 networks have equally many regions, but in another order.
    require_order(regions, f"{networks}Networks_")
    sources = [SourceRecord(file=path.name, url=URL, sha256=sha256(path)) for path in pair]
    labels = np.asarray(image.dataobj).astype(int)
    return Built(label_image(labels, image.affine), regions, SPACE, sources, LICENCE)


def _file_names(parcels: str, networks: str) -> list[tuple[str, str]]:
    """Return the file names of image and table, first TemplateFlow's, then CBIG's."""
    template = f"atlas-Schaefer2018_desc-{parcels}Parcels{networks}Networks_dseg"
    cbig = f"Schaefer2018_{parcels}Parcels_{networks}Networks_order"
    return [
        (f"tpl-{SPACE}_res-02_{template}.nii.gz", f"tpl-{SPACE}_{template}.tsv"),
        (f"{cbig}_FSLMNI152_2mm.nii.gz", f"{cbig}.txt"),
    ]


def _from_folder(folder: Path, pairs: list[tuple[str, str]]) -> tuple[Path, Path]:
    for pair in pairs:
        images, tables = (find(folder, name) for name in pair)
        if images and tables:
            return _verified(images[0], folder), _verified(tables[0], folder)
    expected = ", or ".join(f"{image} and {table}" for image, table in pairs)
    raise UserError(
        f"atlas_dir ({folder}) contains neither {expected}. Put one of these pairs there, or "
        "remove `atlas_dir` to have the atlas downloaded."
    )


def _verified(path: Path, folder: Path) -> Path:
    if path.name not in PUBLISHED_SHA256:
        return path
    return fetch(Source(path.name, PUBLISHED_SHA256[path.name], (URL,)), folder)


def _from_templateflow(parcels: str, networks: str) -> tuple[Path, Path]:
    """Download image and table, or take them from TemplateFlow's own cache."""
    query = {"atlas": "Schaefer2018", "desc": f"{parcels}Parcels{networks}Networks"}
    (image, table), *_ = _file_names(parcels, networks)
    try:
        from templateflow import api

        paths = (
            api.get(SPACE, resolution=2, suffix="dseg", extension=".nii.gz", **query),
            # The table serves all resolutions, so its name has no `res` entity.
            api.get(SPACE, resolution=None, suffix="dseg", extension=".tsv", **query),
        )
    except Exception as error:  # TemplateFlow passes on the exceptions of its network libraries
        raise unreachable(f"{image} with its table", f"{URL}/tpl-{SPACE}", error) from None
    if not all(isinstance(path, Path) for path in paths):  # `get` returns [] for no match
        raise UserError(
            f"TemplateFlow has no {image} or {table} (it lacks 700 and 900 regions). Download the "
            "two files from CBIG, and set `atlas_dir` to their folder."
        )
    return paths


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table of TemplateFlow, or one of CBIG, which has no header."""
    if path.suffix == ".tsv":
        table = pd.read_csv(path, sep="\t")
    else:
        table = pd.read_csv(path, sep="\t", header=None, usecols=[0, 1], names=["index", "name"])
    table = table[table["index"] > 0]
    return table[["index", "name"]].assign(
        # Names are `7Networks_LH_Vis_1`: version, hemisphere, network, and further parts.
        network=[name.split("_")[2] for name in table["name"]],
        hemisphere=[hemisphere_from_name(name) for name in table["name"]],
    )

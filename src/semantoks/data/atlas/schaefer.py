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
from semantoks.data.atlas.checks import hemisphere, require_order
from semantoks.data.atlas.download import Source, fetch, find, unreachable
from semantoks.data.atlas.files import Built, label_image
from semantoks.errors import UserError

SPACE = "MNI152NLin6Asym"
URL = "https://templateflow.s3.amazonaws.com"
LICENCE = "MIT (ThomasYeoLab/CBIG); cite doi:10.1093/cercor/bhx179"
# What is known of files that may lie in a local folder; TemplateFlow publishes no hashes.
KNOWN = {
    "Schaefer2018_400Parcels_7Networks_order.txt": (
        "f62cdc9de9696e11bda9fe1cd51fc013b1da27ba180d2dcead8f3fd94bf3cbc1"
    )
}


def build(name: str, atlas_dir: Path | None) -> Built:
    """Read one of the family.

    Parameters
    ----------
    name : str
        As ``schaefer400x7``: 400 regions, 7 networks.
    atlas_dir : Path or None
        Folder with TemplateFlow's or CBIG's pair of files; without it TemplateFlow is asked.
    """
    parcels, networks = re.fullmatch(SCHAEFER, name).groups()  # type: ignore[union-attr]
    if atlas_dir is None:
        pair = _from_templateflow(parcels, networks)
    else:
        pair = _from_folder(atlas_dir, _pairs(parcels, networks))
    image, regions = nib.load(pair[0]), _regions(pair[1])
    if len(regions) != int(parcels):
        raise UserError(f"{pair[1]} has {len(regions)} regions, not {parcels}. Fetch it anew.")
    require_order(regions, f"{networks}Networks_")
    sources = [{"file": path.name, "url": URL, "sha256": sha256(path)} for path in pair]
    labels = np.asarray(image.dataobj).astype(int)
    return Built(label_image(labels, image.affine), regions, SPACE, sources, LICENCE)


def _pairs(parcels: str, networks: str) -> list[tuple[str, str]]:
    """File names of image and table, TemplateFlow's and CBIG's."""
    template = f"atlas-Schaefer2018_desc-{parcels}Parcels{networks}Networks_dseg"
    cbig = f"Schaefer2018_{parcels}Parcels_{networks}Networks_order"
    return [
        (f"tpl-{SPACE}_res-02_{template}.nii.gz", f"tpl-{SPACE}_{template}.tsv"),
        (f"{cbig}_FSLMNI152_2mm.nii.gz", f"{cbig}.txt"),
    ]


def _from_folder(folder: Path, pairs: list[tuple[str, str]]) -> tuple[Path, Path]:
    for pair in pairs:
        image, table = (find(folder, name) for name in pair)
        if image and table:
            return _checked(image[0], folder), _checked(table[0], folder)
    wanted = " or ".join(f"{image} with {table}" for image, table in pairs)
    raise UserError(
        f"There is no {wanted} below atlas_dir ({folder}). Put one pair there, or leave "
        "`atlas_dir` out to have it downloaded."
    )


def _checked(path: Path, folder: Path) -> Path:
    if path.name not in KNOWN:
        return path
    return fetch(Source(path.name, KNOWN[path.name], (URL,)), folder)


def _from_templateflow(parcels: str, networks: str) -> tuple[Path, Path]:
    query = {"atlas": "Schaefer2018", "desc": f"{parcels}Parcels{networks}Networks"}
    (image, table), *_ = _pairs(parcels, networks)
    try:
        from templateflow import api

        found = (
            api.get(SPACE, resolution=2, suffix="dseg", extension=".nii.gz", **query),
            api.get(SPACE, resolution=None, suffix="dseg", extension=".tsv", **query),
        )
    except Exception as error:  # TemplateFlow raises whatever its network layers raise
        raise unreachable(f"{image} with its table", f"{URL}/tpl-{SPACE}", error) from None
    if not all(isinstance(path, Path) for path in found):
        raise UserError(
            f"TemplateFlow has no {image} or {table} (it lacks 700 and 900 regions). Take CBIG's "
            "pair of files, and let `atlas_dir` name their folder."
        )
    return found


def _regions(path: Path) -> pd.DataFrame:
    """Read TemplateFlow's table or CBIG's, which has no header."""
    if path.suffix == ".tsv":
        table = pd.read_csv(path, sep="\t")
    else:
        table = pd.read_csv(path, sep="\t", header=None, usecols=[0, 1], names=["index", "name"])
    table = table[table["index"] > 0]
    return table[["index", "name"]].assign(
        network=[name.split("_")[2] for name in table["name"]],
        hemisphere=[hemisphere(name) for name in table["name"]],
    )

"""From the name of an atlas to its files, checked."""

from __future__ import annotations

import re
from pathlib import Path

from semantoks.config import KNOWN_ATLASES, SCHAEFER, AtlasFiles
from semantoks.data.atlas import checks, craddock, own, schaefer, seitzman, semantoks457
from semantoks.data.atlas.files import Built, write_atlas
from semantoks.errors import UserError


def get_atlas(
    name: str,
    image: Path,
    table: Path,
    files: AtlasFiles | None = None,
    atlas_dir: Path | None = None,
) -> None:
    """Write an atlas: label image, table, and beside the image a JSON file on where it is from.

    Parameters
    ----------
    name : str
        One that is built in, or the user's own name for `files`.
    image : Path
        Written as ``.nii.gz``; a user's CIFTI as well, compressed and otherwise unchanged.
    table : Path
        TSV: ``index``, ``name``, ``network``, ``hemisphere``.
    files : AtlasFiles, optional
        A user's own atlas.
    atlas_dir : Path, optional
        Folder to look for published files in, instead of downloading them.

    Raises
    ------
    UserError
        When the name is unknown, a file cannot be had, or a check of `checks` fails.
    """
    built = _build(name, files, atlas_dir)
    try:
        checks.require_affine(built.image)
        checks.require_one_family(built.regions)
        checks.require_same_labels(built.image, built.regions)
        checks.require_hemispheres(built.image, built.regions)
    except UserError as error:
        raise UserError(f"Atlas {name}: {error}") from None
    write_atlas(name, built, image, table)


def _build(name: str, files: AtlasFiles | None, atlas_dir: Path | None) -> Built:
    if files is not None:
        return own.build(name, files)
    if name == "seitzman300":
        return seitzman.build()
    if name == "semantoks457":
        return semantoks457.build(atlas_dir)
    if name == "cc200":
        return craddock.build(atlas_dir)
    if re.fullmatch(SCHAEFER, name):
        return schaefer.build(name, atlas_dir)
    raise UserError(f"There is no atlas '{name}' (known: {KNOWN_ATLASES}). Change `atlas`.")

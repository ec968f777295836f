"""From the name of an atlas to its files, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from semantoks.config import KNOWN_ATLASES, SCHAEFER, AtlasFiles
from semantoks.data.atlas import checks, craddock, own, schaefer, seitzman, semantoks457
from semantoks.data.atlas.files import Built, about_path, write_atlas
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.errors import UserError


def get_atlas(
    settings: GetAtlasSettings, *, table: Path, out: Path, files: Sequence[Path] = ()
) -> list[Path]:
    """Write an atlas: label image, table, and beside the image a JSON file on where it is from.

    Parameters
    ----------
    settings : GetAtlasSettings
    table : Path
        TSV: ``index``, ``name``, ``network``, ``hemisphere``.
    out : Path
        Label image, written as ``.nii.gz``; a user's CIFTI as well, compressed and otherwise
        unchanged.
    files : sequence of Path
        Image and table of the user's own atlas, so that their hashes are recorded.

    Returns
    -------
    list of Path
        Image, table and JSON file.

    Raises
    ------
    UserError
        When the name is unknown, a file cannot be had, or a check of `checks` fails.
    """
    name = settings.atlas
    built = _build(name, settings.custom, Path(settings.atlas_dir) if settings.atlas_dir else None)
    try:
        checks.require_affine(built.image)
        checks.require_one_family(built.regions)
        checks.require_same_labels(built.image, built.regions)
        checks.require_hemispheres(built.image, built.regions)
    except UserError as error:
        raise UserError(f"Atlas {name}: {error}") from None
    write_atlas(name, built, out, table)
    return [out, table, about_path(out)]


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

"""Build an atlas, check it and write it."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic, write_json
from semantoks.config import KNOWN_ATLASES, SCHAEFER
from semantoks.data.atlas import checks
from semantoks.data.atlas.atlas import metadata_path
from semantoks.data.atlas.families import craddock, custom, schaefer, seitzman, semantoks457
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import LabelImage
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.errors import UserError


def get_atlas(
    settings: GetAtlasSettings, *, table: Path, out: Path, files: Sequence[Path] = ()
) -> list[Path]:
    """Write an atlas: label image (if it has one), table of regions, and a JSON file.

    Parameters
    ----------
    settings : GetAtlasSettings
    table : Path
        Table to write (TSV): ``index``, ``name``, ``network``, ``hemisphere``.
    out : Path
        Label image to write (``.nii.gz``); a custom CIFTI image is compressed but otherwise
        unchanged. For an atlas without an image: the table.
    files : sequence of Path
        Image, if any, and table of a custom atlas. They are read by the paths in `settings`;
        listing them here records their hashes in the provenance.

    Returns
    -------
    list of Path
        Image (if any), table and JSON file.

    Raises
    ------
    UserError
        When the name is unknown, a file is not available, or a check of `checks` fails.
    """
    built = _build(settings)
    try:
        checks.require_single_version(built.regions)
        checks.require_unique(built.regions)
        if built.image is not None:
            _require_fit(built.image, built.regions)
        elif out != table:
            raise UserError(f"it has no image to write to {out}. Name the table as --out.")
    except UserError as error:
        raise UserError(f"Atlas {settings.atlas}: {error}") from None
    with atomic(table) as temporary:
        built.regions.to_csv(temporary, sep="\t", index=False)
    if built.image is not None:
        _write_image(built.image, out)
    write_json(metadata_path(out), _metadata(settings.atlas, built))
    return [*([] if built.image is None else [out]), table, metadata_path(out)]


def _require_fit(image: LabelImage, regions: pd.DataFrame) -> None:
    # First, since the check of hemispheres converts voxels to mm by the affine.
    checks.require_affine(image)
    checks.require_same_labels(image, regions)
    checks.require_hemispheres(image, regions)


def _build(settings: GetAtlasSettings) -> Built:
    name, atlas_dir = settings.atlas, Path(settings.atlas_dir) if settings.atlas_dir else None
    if settings.custom is not None:
        return custom.build(name, settings.custom)
    if name == "seitzman300":
        return seitzman.build()
    if name == "semantoks457":
        return semantoks457.build(atlas_dir)
    if name == "cc200":
        return craddock.build(atlas_dir)
    if re.fullmatch(SCHAEFER, name):
        return schaefer.build(name, atlas_dir)
    raise UserError(f"There is no atlas '{name}' (known: {KNOWN_ATLASES}). Change `atlas`.")


def _write_image(image: LabelImage, path: Path) -> None:
    """Write an image so that equal content gives equal bytes.

    Time series record the hash of their atlas, hence no time and no name in the gzip header.
    """
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(image.to_bytes())
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _metadata(name: str, built: Built) -> dict[str, object]:
    return {
        "name": name,
        "space": built.space,
        "sources": built.sources,
        "licence": built.licence,
    }

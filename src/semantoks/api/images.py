"""Preprocessed images, made into what a model reads by the code of the workflow."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from semantoks.api.series import as_user_error, parcellation_of, warn_of_quality
from semantoks.artifacts.timeseries import Manifest, Scan
from semantoks.config import BUILT_IN, KNOWN_ATLASES, Parcellation
from semantoks.data.atlas.atlas import Atlas, metadata_path
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.atlas.stage import get_atlas
from semantoks.data.index.repetition_times.of_headers import with_header_tr
from semantoks.data.layout import PARCELLATED, dataset_of, generated_by, scan_of
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.images.cifti import is_dense
from semantoks.data.parcellate.readers.fmriprep import (
    AROMA,
    PREPROCESSED,
    WITHOUT_MOTION,
    read_fmriprep,
)
from semantoks.data.parcellate.readers.template_images import read_image
from semantoks.data.parcellate.readers.xcpd import restore_censored
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.parcellate.shard import manifest_of
from semantoks.errors import UserError

log = logging.getLogger(__name__)
IMAGES = (".nii", ".nii.gz", ".dtseries.nii")
AS_GIVEN = "as given"  # confounds of images in other layouts than fMRIPrep's


def require_image(path: Path) -> None:
    """Refuse parcellated CIFTI, whose names end as those of images do."""
    if path.name.endswith(PARCELLATED):
        _refuse(path)


def require_series(given: str | Path | Sequence[str | Path]) -> None:
    """Refuse paths that are neither of an image nor of time series of ours, or a folder."""
    for path in map(Path, [given] if isinstance(given, str | Path) else given):
        if path.suffix != ".parquet" and not path.is_dir():
            _refuse(path)


def _refuse(path: Path) -> NoReturn:
    if not path.exists():
        raise UserError(f"There is no file or folder at {path}. Check the path.")
    raise UserError(
        f"{path.name} is not a preprocessed image ({', '.join(IMAGES)}), nor a Parquet file of "
        "time series of Semantoks. Read other time series yourself, and give an array or a table."
    )


def scan_of_image(
    image: Path,
    manifest: Manifest | None,
    *,
    confounds: Path | None,
    atlas: Path | None,
    repetition_time: float | None,
    min_coverage: float,
) -> tuple[Scan, Manifest]:
    """Make the time series of a preprocessed image as a model says, as `parcellate` does.

    Parameters
    ----------
    image : Path
        In fMRIPrep's layout, volumes or CIFTI; its sidecar and mask lie beside it.
    manifest : Manifest or None
        Of the model.
    confounds : Path or None
        Table of confounds (default: the one beside the image).
    atlas : Path or None
        Label image that the workflow wrote (default: the built-in atlas of the manifest).
    repetition_time : float or None
        Seconds, if neither the sidecar nor the header states it.
    min_coverage : float
        Regions of which the brain mask covers less are NaN.

    Returns
    -------
    Scan, Manifest
        The manifest is that of the scan, to be compared with the model's.

    Raises
    ------
    UserError
    """
    if manifest is None:
        raise UserError(
            "The model is a reference checkpoint, which does not say how images are made into "
            "time series. Make them by the workflow and give their Parquet file, or give an array."
        )
    if not image.is_file():
        raise UserError(f"There is no image at {image}. Check the path.")
    image = image.absolute()
    strategy, changes = _strategy(manifest.confounds, confounds)
    if confounds is not None and not confounds.is_file():
        raise UserError(f"There is no table of confounds at {confounds}. Check the path.")
    if strategy != AS_GIVEN:
        _require_preprocessed(image)
    settings = parcellation_of(manifest, min_coverage=min_coverage, **changes)
    used_atlas = read_atlas(manifest.atlas, atlas)
    with as_user_error(image.name):
        tr = _repetition_time(image, repetition_time)
        if strategy == AS_GIVEN:
            means = read_image(image, used_atlas, tr, settings)
            means = restore_censored(means, image)
        else:
            means = read_fmriprep(image, used_atlas, strategy, settings, tr, confounds)
        timeseries_CT, measures, amplitude_C = clean_scan(means, settings)
    warn_of_quality(image.name, measures)
    described = _described(image, means, used_atlas, settings, manifest)
    name = scan_of(image.name)
    return Scan(name, "", "", "", "", manifest.tr, timeseries_CT, amplitude_C), described


def _require_preprocessed(image: Path) -> None:
    """Refuse images beside which there are no mask and confounds by fMRIPrep's names."""
    if not is_dense(image) and not any(f"{end}.nii" in image.name for end in (PREPROCESSED, AROMA)):
        raise UserError(
            f"{image.name} is not named as a preprocessed image of fMRIPrep "
            f"(…{PREPROCESSED}.nii.gz), so its mask and confounds cannot be found. Preprocess a "
            "raw image first; of another pipeline's image, give cleaned time series as an array."
        )


def _strategy(confounds: str, table: Path | None) -> tuple[str, dict[str, object]]:
    """Read a strategy, and the motion regressors, out of a manifest."""
    if confounds in WITHOUT_MOTION:
        return confounds, {}
    if match := re.fullmatch(r"(simple|scrubbing|compcor), motion (\w+)", confounds):
        return match[1], {"motion": match[2]}
    if confounds != AS_GIVEN:
        raise UserError(
            f"The model was trained on time series with the confounds '{confounds}', which is no "
            "strategy of this workflow, so an image cannot be cleaned alike. Clean it yourself, "
            "and give an array with its `repetition_time`."
        )
    if table is not None:
        raise UserError(
            "The model was trained on data as they were given, of which the workflow regresses no "
            "confounds out. Leave `confounds` out, and give an image that is denoised as those "
            "were."
        )
    return confounds, {}


def _repetition_time(image: Path, given: float | None) -> float:
    """Return the TR (s) that is used if no sidecar states another: as `index` writes it."""
    if given is not None:
        return given
    folder = dataset_of(image)
    row = {"scan": image.name, "problem": "", "file": image.relative_to(folder).as_posix()}
    table = pd.DataFrame([row | {"repetition_time": np.nan}])
    return float(with_header_tr(table, "file", folder)["repetition_time"].iloc[0])


def _described(
    image: Path, means: RegionalMeans, atlas: Atlas, settings: Parcellation, expected: Manifest
) -> Manifest:
    """Describe the time series of an image as `parcellate` describes a file with this scan."""
    # A model may be trained on scans in several spaces that fit its atlas.
    is_known = means.space in expected.space.split(", ")
    space = expected.space if is_known else means.space
    engine = generated_by(dataset_of(image))
    return manifest_of(atlas, settings, expected.confounds, space, engine)


def read_atlas(name: str, image: Path | None) -> Atlas:
    """Read an atlas, or build it into the user's cache.

    Parameters
    ----------
    name : str
    image : Path or None
        Label image that the workflow wrote, with its table and JSON file beside it.

    Raises
    ------
    UserError
        If there is no such file, or the atlas is not built in.
    """
    if image is None:
        if not re.fullmatch(BUILT_IN, name):
            raise UserError(
                f"The model needs the atlas {name}, which is not built in ({KNOWN_ATLASES}). Name "
                f"the image that the workflow wrote: atlas='resources/atlases/atlas-{name}_dseg"
                ".nii.gz'."
            )
        image = _built(name)
    if not image.is_file():
        raise UserError(f"There is no atlas at {image}. Check the path.")
    table = image.with_name(image.name.removesuffix(".nii.gz") + ".tsv")
    if not table.is_file():
        raise UserError(
            f"{table.name}, the table of its regions, is missing beside the atlas {image}. Name "
            "the image that the workflow wrote."
        )
    return Atlas.read(name, image, table)


def _built(name: str) -> Path:
    """Return the image of a built-in atlas in the user's cache, where downloads are, too."""
    import pooch

    settings = GetAtlasSettings(atlas=name)
    folder = Path(pooch.os_cache("semantoks")) / f"atlases-{settings.version}"
    image = folder / f"atlas-{name}_dseg.nii.gz"
    # The JSON file is the last that is written.
    if not metadata_path(image).exists():
        log.info("The atlas %s is built into %s.", name, folder)
        folder.mkdir(parents=True, exist_ok=True)
        get_atlas(settings, table=folder / f"atlas-{name}_dseg.tsv", out=image)
    return image

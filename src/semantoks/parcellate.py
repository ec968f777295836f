"""From images in template space to regional time series, one shard at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.processing import resample_from_to

from semantoks.atlas import read_regions
from semantoks.config import Parcellation
from semantoks.errors import ScanError
from semantoks.provenance import sha256
from semantoks.signals import clean, resample_time, zscore
from semantoks.store import SCAN_ENTITIES, Manifest, read_json, write_timeseries

log = logging.getLogger(__name__)

QUALITY = ("mean_fd", "censored", "seconds", "dof", "coverage", "dice")


@dataclass(frozen=True)
class Derivatives:
    """Files of one preprocessed run, in fMRIPrep's names."""

    bold: Path
    mask: Path
    tr: float
    space: str

    @classmethod
    def find(cls, folder: Path, scan: str, participant_id: str) -> Derivatives:
        """Find the files of `scan` below the derivatives `folder`."""
        found = sorted((folder / participant_id).rglob(f"{scan}_space-*_desc-preproc_bold.nii.gz"))
        if not found:
            raise ScanError("no preprocessed BOLD image")
        bold = found[0]
        stem = bold.name.removesuffix("_desc-preproc_bold.nii.gz")
        sidecar = read_json(bold.with_name(f"{stem}_desc-preproc_bold.json"))
        return cls(
            bold=bold,
            mask=bold.with_name(f"{stem}_desc-brain_mask.nii.gz"),
            tr=float(sidecar["RepetitionTime"]),
            space=stem.split("_space-")[1].split("_")[0],
        )


def regional_means(
    bold: Any, mask: Any, atlas: Any, labels: Sequence[int], min_coverage: float
) -> np.ndarray:
    """Average a run over the regions of an atlas, inside the brain mask.

    The atlas is resampled to the run's grid (nearest neighbour), never the run.

    Parameters
    ----------
    bold, mask, atlas : nibabel images, 4-D, 3-D and 3-D
    labels : sequence of int
        Labels in the order wanted.
    min_coverage : float
        A region with a smaller fraction of its voxels in the mask is NaN.

    Returns
    -------
    ndarray, shape (volumes, regions)
    """
    on_grid = resample_from_to(atlas, (bold.shape[:3], bold.affine), order=0)
    regions = np.asarray(on_grid.dataobj).astype(int)
    inside = np.asarray(mask.dataobj) > 0
    size = np.bincount(regions.ravel(), minlength=max(labels) + 1)[list(labels)]
    seen = np.bincount(regions[inside], minlength=max(labels) + 1)[list(labels)]
    coverage = seen / np.maximum(size, 1)
    data = np.asarray(bold.dataobj, dtype=np.float32)[inside]
    means = np.full((data.shape[1], len(labels)), np.nan)
    for column, label in enumerate(labels):
        if coverage[column] >= min_coverage and seen[column]:
            means[:, column] = data[regions[inside] == label].mean(axis=0, dtype=np.float64)
    return means


def load_confounds(
    bold: Path, strategy: str, motion: str
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Load the confounds of a run by the name of a nilearn strategy.

    Cosine regressors are left out: the band-pass does their work.

    Returns
    -------
    confounds : DataFrame, shape (volumes, n)
    kept : ndarray of int or None
        Volumes that are not censored.
    """
    from nilearn.interfaces.fmriprep import load_confounds_strategy

    confounds, kept = load_confounds_strategy(str(bold), denoise_strategy=strategy, motion=motion)
    return confounds.loc[:, ~confounds.columns.str.startswith("cosine")], kept


def scan_timeseries(
    files: Derivatives, atlas: Any, labels: Sequence[int], settings: Parcellation
) -> tuple[np.ndarray, dict[str, float]]:
    """Make the cleaned time series of one run.

    Returns
    -------
    timeseries_CT : ndarray of float32, shape (regions, volumes)
    quality : dict
        ``censored`` (fraction of volumes), ``seconds`` and ``dof`` (degrees of freedom) left,
        ``coverage`` (fraction of regions).

    Raises
    ------
    ScanError
        When too little of the run is left.
    """
    bold, mask = nib.load(files.bold), nib.load(files.mask)
    means = regional_means(bold, mask, atlas, labels, settings.min_coverage)
    confounds, kept = load_confounds(files.bold, settings.confounds, settings.motion)
    covered = np.isfinite(means).all(axis=0)
    if not covered.any():
        raise ScanError("no region of the atlas is covered by the brain mask")
    good = len(means) if kept is None else len(kept)
    dof = degrees_of_freedom(good * files.tr, confounds.shape[1], settings)
    _check_length(good * files.tr, dof, settings)
    signals = clean(
        means[:, covered], confounds, files.tr, settings.low_pass, settings.high_pass, kept
    )
    signals = resample_time(signals, files.tr, settings.repetition_time)
    timeseries = np.full((len(labels), len(signals)), np.nan, np.float32)
    timeseries[covered] = zscore(signals.T)
    quality = {"censored": 1 - good / len(means), "seconds": good * files.tr, "dof": dof}
    return timeseries, quality | {"coverage": float(covered.mean())}


def degrees_of_freedom(seconds: float, confounds: int, settings: Parcellation) -> float:
    """Count what the band-pass and the confounds leave: 2 · seconds · bandwidth − confounds.

    A scan of 240 s has 43 between 0.01 and 0.1 Hz, and 24 motion regressors take most of them.
    """
    return 2 * seconds * (settings.low_pass - settings.high_pass) - confounds


def _check_length(seconds: float, dof: float, settings: Parcellation) -> None:
    if seconds < settings.min_seconds:
        raise ScanError(f"{seconds:.0f} s of data, {settings.min_seconds:g} s are needed")
    if dof < settings.min_dof:
        raise ScanError(
            f"{dof:.0f} degrees of freedom left after band-pass and confounds, "
            f"{settings.min_dof:g} are needed (a smaller parcellation.motion takes fewer)"
        )


def parcellate(
    scans: pd.DataFrame,
    derivatives: Path,
    atlas: tuple[str, Path, Path],
    settings: Parcellation,
    engine: str,
    out: Path,
) -> None:
    """Write the time series of one shard; a scan that fails is kept as a row with its reason.

    Parameters
    ----------
    scans : DataFrame
        The shard as `semantoks.index` lists it.
    derivatives : Path
        Folder of the preprocessed shard.
    atlas : tuple
        Name, image and table of the atlas.
    settings : Parcellation
    engine : str
        What preprocessed the images, for the manifest.
    out : Path
    """
    name, image, table = atlas
    regions = read_regions(table)
    status = pd.read_csv(derivatives / "scans.tsv", sep="\t", keep_default_na=False)
    status = status.set_index("scan")
    atlas_image, spaces, rows, arrays = nib.load(image), set[str](), [], []
    started = time.monotonic()
    for number, scan in enumerate(scans.to_dict("records"), 1):
        row: dict[str, Any] = {key: scan[key] for key in SCAN_ENTITIES}
        array = None
        try:
            row |= _preprocessed(status, scan["scan"], settings)
            files = Derivatives.find(derivatives, scan["scan"], scan["participant_id"])
            array, quality = scan_timeseries(files, atlas_image, list(regions["index"]), settings)
            row |= quality | {"status": "ok", "reason": ""}
            spaces.add(files.space)
        except ScanError as reason:
            row |= _measured(status, scan["scan"]) | {"status": "excluded", "reason": str(reason)}
        except Exception as error:  # whatever odd data do to a library, the cohort goes on
            log.exception("%s failed", scan["scan"])
            row |= {"status": "excluded", "reason": f"{type(error).__name__}: {error}"}
        rows.append(row)
        arrays.append(array)
        log.info("%d of %d scans, %.0f s", number, len(scans), time.monotonic() - started)
    columns = [*SCAN_ENTITIES, "status", "reason", *QUALITY]
    write_timeseries(
        out,
        pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(QUALITY, float)),
        arrays,
        Manifest(
            atlas=name,
            atlas_sha256=sha256(image),
            labels=tuple(regions["name"]),
            networks=tuple(regions["network"]),
            space=", ".join(sorted(spaces)),
            tr=settings.repetition_time,
            low_pass=settings.low_pass,
            high_pass=settings.high_pass,
            confounds=f"{settings.confounds}, motion {settings.motion}",
            engine=engine,
        ),
    )


def _preprocessed(status: pd.DataFrame, scan: str, settings: Parcellation) -> dict[str, float]:
    """Measures of a run that was preprocessed well enough to go on."""
    row = status.loc[scan]
    if row["status"] != "ok":
        raise ScanError(str(row["reason"]))
    measured = _measured(status, scan)
    if measured["mean_fd"] > settings.max_mean_fd:
        raise ScanError(
            f"head motion: mean framewise displacement {measured['mean_fd']:.2f} mm, "
            f"at most {settings.max_mean_fd:g} mm are allowed"
        )
    return measured


def _measured(status: pd.DataFrame, scan: str) -> dict[str, float]:
    numbers = pd.to_numeric(status.loc[scan, ["mean_fd", "dice"]], errors="coerce")
    return {key: float(value) for key, value in numbers.items()}

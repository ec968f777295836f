"""Regional means of CIFTI dense time series (``.dtseries.nii``) over a dense label atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.volumes import require_finite
from semantoks.errors import ScanError

CHUNK = 4096  # grayordinates at a time
MIN_OVERLAP = 0.5


def cifti_means(
    bold: Path, atlas: Atlas, min_coverage: float, tr: float
) -> tuple[np.ndarray, dict[str, float]]:
    """Average the grayordinates of each region.

    Vertices are matched by structure and number, voxels by structure and place, so the file and
    the atlas may list different grayordinates.

    Parameters
    ----------
    bold : Path
    atlas : Atlas
        Its image is a ``.dlabel.nii``.
    min_coverage : float
        A region with a smaller fraction of its grayordinates in the file is NaN.
    tr : float
        Repetition time (s) of the sidecar; the file's own must agree.

    Returns
    -------
    means_TC : ndarray, shape (volumes, regions)
    measures : dict
        ``tsnr`` and ``dvars`` (%), as for volumes.

    Raises
    ------
    ScanError
        When file and atlas are not both CIFTI or share too little.
    """
    if not isinstance(atlas.image, nib.Cifti2Image):
        raise ScanError(f"{bold.name} is CIFTI; the atlas {atlas.name} must be a .dlabel.nii")
    image = _load(bold)
    series, models = image.header.get_axis(0), image.header.get_axis(1)
    if not np.isclose(series.step, tr, rtol=0.01):
        raise ScanError(f"{bold.name} says a TR of {series.step:g} s, its sidecar {tr:g} s")
    region_G, size_C = _regions(models, atlas)
    return _average(image, region_G, size_C, min_coverage)


def own_tr(bold: Path) -> float:
    """Return the TR (s) that a CIFTI file states itself.

    Raises
    ------
    ScanError
        When it is no dense time series.
    """
    return float(_load(bold).header.get_axis(0).step)


def _load(bold: Path) -> Any:
    try:
        image: Any = nib.load(bold)
        axes = [type(image.header.get_axis(i)).__name__ for i in (0, 1)]
    except Exception as error:  # whatever nibabel meets in a broken file
        raise ScanError(f"{bold.name} is not a readable CIFTI file ({error})") from error
    if axes != ["SeriesAxis", "BrainModelAxis"]:
        raise ScanError(f"{bold.name} is no dense time series: its axes are {', '.join(axes)}")
    return image


def _regions(models: Any, atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
    """Return the region of each grayordinate of the file (from 1; 0 for none), and region sizes."""
    labels = np.asarray(atlas.image.dataobj)[0].astype(int)
    number = {int(label): n for n, label in enumerate(atlas.regions["index"], 1)}
    wanted = np.array([number.get(label, 0) for label in labels])
    size_C = np.bincount(wanted, minlength=len(number) + 1)[1:]
    place = dict(zip(_keys(atlas.image.header.get_axis(1)), wanted, strict=True))
    region_G = np.array([place.get(key, 0) for key in _keys(models)])
    if (region_G > 0).sum() < MIN_OVERLAP * size_C.sum():
        raise ScanError(
            f"only {(region_G > 0).sum() / max(size_C.sum(), 1):.0%} of the grayordinates of the "
            f"atlas {atlas.name} are in the file; they are on different meshes"
        )
    return region_G, size_C


def _keys(models: Any) -> list[tuple[Any, ...]]:
    """Name each grayordinate: structure, then its vertex (of so many) or its voxel."""
    keys: list[tuple[Any, ...]] = []
    for name, _, part in models.iter_structures():
        if part.volume_mask.any():
            keys += [(name, *voxel) for voxel in part.voxel.tolist()]
        else:
            keys += [(name, part.nvertices[name], vertex) for vertex in part.vertex.tolist()]
    return keys


def _average(
    image: Any, region_G: np.ndarray, size_C: np.ndarray, min_coverage: float
) -> tuple[np.ndarray, dict[str, float]]:
    volumes, regions = image.shape[0], len(size_C)
    sums_CT, seen_C = np.zeros((regions + 1, volumes)), np.zeros(regions + 1, int)
    signals, change_T, used = [], np.zeros(volumes - 1), 0
    for start in range(0, len(region_G), CHUNK):
        data_TG = _read(image, slice(start, start + CHUNK))
        part_G = region_G[start : start + CHUNK]
        alive_G = np.isfinite(data_TG[0]) & data_TG.any(axis=0) & (part_G > 0)
        data_TG, part_G = data_TG[:, alive_G], part_G[alive_G]
        require_finite(data_TG)
        np.add.at(sums_CT, part_G, data_TG.T)
        np.add.at(seen_C, part_G, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            signals.append(data_TG.mean(axis=0) / data_TG.std(axis=0))
        change_T += (np.diff(data_TG, axis=0) ** 2).sum(axis=1)
        used += int(alive_G.sum())
    if not used:
        raise ScanError("no grayordinate of the atlas has data")
    coverage_C = seen_C[1:] / np.maximum(size_C, 1)
    covered_C = (seen_C[1:] > 0) & (coverage_C >= min_coverage)
    with np.errstate(divide="ignore", invalid="ignore"):
        means_TC = np.where(covered_C, (sums_CT / seen_C[:, None])[1:].T, np.nan)
    level = sums_CT[1:].sum() / volumes / used
    return means_TC, {
        "tsnr": float(np.nanmedian(np.concatenate(signals))),
        "dvars": float(100 * np.sqrt(change_T / used).mean() / level),
    }


def _read(image: Any, part: slice) -> np.ndarray:
    try:
        return np.asarray(image.dataobj[:, part], np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise ScanError(f"the CIFTI file is cut short ({error})") from error

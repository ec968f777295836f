"""CIFTI time series: dense ones (``.dtseries.nii``) are averaged, parcellated ones are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.images import is_cifti
from semantoks.data.declared import MAX_DENSE, MAX_TABLE, require_at_most, require_plausible_image
from semantoks.data.parcellate.images.means import (
    MIN_OVERLAP,
    ImageMeans,
    is_demeaned,
    require_finite,
)
from semantoks.errors import ScanError
from semantoks.gate import require_file

CHUNK = 4096  # grayordinates read at a time; a whole run of the HCP would take 0.9 GB as float64
TR_TOLERANCE = 0.01  # relative
SAME_VOXEL = 0.05  # voxels that two headers may differ by, such as by rounding


def is_dense(bold: Path) -> bool:
    """Whether a file is named as a CIFTI dense time series."""
    return bold.name.endswith(".dtseries.nii")


def cifti_means(
    bold: Path, atlas: Atlas, min_coverage: float, tr: float, steady: np.ndarray | None = None
) -> ImageMeans:
    """Average the grayordinates of each region.

    Vertices are matched by structure and vertex number, voxels by structure and place, so that file
    and atlas may list different grayordinates (with or without the medial wall), and count voxels
    from another corner.

    Parameters
    ----------
    bold : Path
    atlas : Atlas
        Its image is a ``.dlabel.nii``.
    min_coverage : float
        A region of which a smaller fraction of the grayordinates has data is NaN.
    tr : float
        Repetition time (s) of the sidecar; the header must agree with it.
    steady : ndarray of int, optional
        Volumes in steady state, of which tSNR and DVARS are measured (default: all).

    Returns
    -------
    ImageMeans

    Raises
    ------
    ScanError
        When file and atlas are not both CIFTI, or are on different meshes or grids.
    """
    if not is_cifti(atlas.image):
        raise ScanError(f"{bold.name} is CIFTI; the atlas {atlas.name} must be a .dlabel.nii")
    image = _load(bold)
    series, models = image.header.get_axis(0), image.header.get_axis(1)
    if not np.isclose(series.step, tr, rtol=TR_TOLERANCE):
        raise ScanError(
            f"the header of {bold.name} has a TR of {series.step:g} s, its sidecar of {tr:g} s"
        )
    region_G, size_C = _regions(models, atlas)
    steady = np.arange(image.shape[0]) if steady is None else steady[steady < image.shape[0]]
    return _average(image, region_G, size_C, min_coverage, steady)


def header_tr(bold: Path) -> float:
    """Return the TR (s) in the header of a CIFTI file.

    Raises
    ------
    ScanError
        When it is not a dense time series.
    """
    return float(_load(bold).header.get_axis(0).step)


def vertices_of_file(bold: Path) -> dict[str, int]:
    """Return the number of vertices of each mesh of a file; see `vertices_of`.

    Raises
    ------
    ScanError
        When it is not a dense time series.
    """
    return vertices_of(_load(bold).header.get_axis(1))


def vertices_of(models: Any) -> dict[str, int]:
    """Return the number of vertices of each cortical mesh, those without data included."""
    return {name: int(count) for name, count in models.nvertices.items()}


def parcellated_series(path: Path) -> tuple[np.ndarray, list[str], float]:
    """Read a CIFTI parcellated time series (``.ptseries.nii``).

    Returns
    -------
    values : ndarray, shape (volumes, parcels)
    names : list of str
        Of the parcels.
    repetition_time : float
        Seconds.

    Raises
    ------
    ScanError
        When it is not readable, or something else.
    """
    image = _load(path, "ParcelsAxis")
    series, parcels = image.header.get_axis(0), image.header.get_axis(1)
    try:
        values_TC = np.asarray(image.dataobj, np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise ScanError(f"{path.name} is truncated ({error})") from error
    return values_TC, [str(name) for name in parcels.name], float(series.step)


def _load(bold: Path, columns: str = "BrainModelAxis") -> Any:
    """Open a CIFTI time series whose columns are of a kind; its data are not read yet."""
    largest = MAX_TABLE if columns == "ParcelsAxis" else MAX_DENSE
    try:
        require_plausible_image(require_file(bold))
        image: Any = nib.load(bold)
        require_at_most(image.shape, largest, bold.name)
        axes = [type(image.header.get_axis(i)).__name__ for i in (0, 1)]
    except ScanError:
        raise
    except Exception as error:  # nibabel raises many types of errors on malformed files
        raise ScanError(f"{bold.name} is not a readable CIFTI file ({error})") from error
    if axes != ["SeriesAxis", columns]:
        kind = "dense" if columns == "BrainModelAxis" else "parcellated"
        raise ScanError(f"{bold.name} is not a {kind} time series: its axes are {', '.join(axes)}")
    unit = image.header.get_axis(0).unit
    if unit != "SECOND":
        raise ScanError(f"the first axis of {bold.name} is in {unit}, not in seconds")
    return image


def _regions(models: Any, atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
    """Return the region of each grayordinate of the file (from 1; 0: none), and region sizes."""
    # A dlabel has one row per map, and an atlas has a single map.
    labels = np.asarray(atlas.image.dataobj)[0].astype(int)
    number = {int(label): n for n, label in enumerate(atlas.regions["index"], 1)}
    numbers = np.array([number.get(label, 0) for label in labels])
    size_C = np.bincount(numbers, minlength=len(number) + 1)[1:]
    of_atlas = atlas.image.header.get_axis(1)
    has_voxels = (numbers[of_atlas.volume_mask] > 0).any()
    affine = of_atlas.affine if has_voxels else None
    region_of = dict(zip(_keys(of_atlas, affine), numbers, strict=True))
    region_G = np.array([region_of.get(key, 0) for key in _keys(models, affine)])
    if (region_G > 0).sum() < MIN_OVERLAP * size_C.sum():
        raise ScanError(
            f"only {(region_G > 0).sum() / max(size_C.sum(), 1):.0%} of the grayordinates of the "
            f"atlas {atlas.name} are in the file; they are on different meshes"
        )
    return region_G, size_C


def _keys(models: Any, affine: np.ndarray | None) -> list[tuple[Any, ...]]:
    """Key of each grayordinate: structure and voxel, or structure, size of the mesh and vertex.

    `affine` is that of the grid whose voxels are meant; None if no voxel is in a region.
    """
    keys: list[tuple[Any, ...]] = []
    # A vertex number is another place on another mesh, so the key includes the size of the mesh.
    for name, _, part in models.iter_structures():
        if part.volume_mask.any():
            voxels = part.voxel if affine is None else _on_grid(part, affine)
            keys += [(name, *voxel) for voxel in voxels.tolist()]
        else:
            keys += [(name, part.nvertices[name], vertex) for vertex in part.vertex.tolist()]
    return keys


def _on_grid(part: Any, affine: np.ndarray) -> np.ndarray:
    """Return the indices that the voxels of a structure have on another grid.

    Raises
    ------
    ScanError
        When they lie between the voxels of this grid.
    """
    places = apply_affine(np.linalg.inv(affine) @ part.affine, part.voxel)
    nearest = np.rint(places)
    if not (np.abs(places - nearest) < SAME_VOXEL).all():
        raise ScanError(
            "the voxels of the file lie between those of the atlas; they are on different grids"
        )
    return nearest.astype(int)


def _average(
    image: Any, region_G: np.ndarray, size_C: np.ndarray, min_coverage: float, steady: np.ndarray
) -> ImageMeans:
    """Go through the grayordinates in chunks, all volumes at a time."""
    volumes, regions = image.shape[0], len(size_C)
    sums_CT, count_C = np.zeros((regions + 1, volumes)), np.zeros(regions + 1, int)
    follow = np.flatnonzero(np.diff(steady) == 1)  # volumes whose next one is steady as well
    snrs, change_T, count = [], np.zeros(len(follow)), 0
    for start in range(0, len(region_G), CHUNK):
        data_TG, part_G = _read_chunk(image, region_G, start)
        # `sums_CT[part_G] += …` would add only one of the grayordinates of each region.
        np.add.at(sums_CT, part_G, data_TG.T)
        np.add.at(count_C, part_G, 1)
        count += len(part_G)
        data_TG = data_TG[steady]
        deviation_G = data_TG.std(axis=0)
        snrs.append(data_TG.mean(axis=0)[deviation_G > 0] / deviation_G[deviation_G > 0])
        change_T += (np.diff(data_TG, axis=0)[follow] ** 2).sum(axis=1)
    if not count:
        raise ScanError("no grayordinate of the atlas has data")
    coverage_C = count_C[1:] / np.maximum(size_C, 1)
    covered_C = (count_C[1:] > 0) & (coverage_C >= min_coverage)
    with np.errstate(divide="ignore", invalid="ignore"):
        means_TC = np.where(covered_C, (sums_CT / count_C[:, None])[1:].T, np.nan)
    signal_T = sums_CT[1:].sum(axis=0)
    if is_demeaned(signal_T) or not len(follow):
        return ImageMeans(means_TC, coverage_C, float("nan"), float("nan"))
    known = np.concatenate(snrs)
    tsnr = float(np.median(known)) if len(known) else 0.0
    dvars = float(100 * np.sqrt(change_T / count).mean() / (signal_T[steady].mean() / count))
    return ImageMeans(means_TC, coverage_C, tsnr, dvars)


def _read_chunk(image: Any, region_G: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the grayordinates of a chunk that are in a region and have data, and their regions."""
    chunk = slice(start, start + CHUNK)
    try:
        data_TG = np.asarray(image.dataobj[:, chunk], np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise ScanError(f"the CIFTI file is truncated ({error})") from error
    # As for volumes: the same (such as 0) in all volumes, or NaN in the first, means no data.
    has_data_G = np.isfinite(data_TG[0]) & (data_TG != data_TG[0]).any(axis=0)
    has_data_G &= region_G[chunk] > 0
    data_TG = data_TG[:, has_data_G]
    require_finite(data_TG)
    return data_TG, region_G[chunk][has_data_G]

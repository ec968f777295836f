"""Regional means of a NIfTI run in one pass over the file, one volume in memory at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from isal import igzip
from isal.isal_zlib import IsalError
from nibabel.processing import resample_from_to

from semantoks.errors import ScanError

MIN_OVERLAP = 0.5  # of the atlas inside the brain mask; less is another space


@dataclass(frozen=True)
class Voxels:
    """The voxels of each region on the grid of a run.

    Attributes
    ----------
    voxel_V : ndarray of int
        Places in a volume as it lies in the file (first axis fastest), region by region.
    first_R : ndarray of int
        Where in `voxel_V` each region that is covered begins.
    column_R : ndarray of int
        Which columns these regions are.
    coverage_C : ndarray
        Fraction of each region's voxels that has data.
    """

    voxel_V: np.ndarray
    first_R: np.ndarray
    column_R: np.ndarray
    coverage_C: np.ndarray


@dataclass(frozen=True)
class Means:
    """Regional means of a run and what was measured on the way.

    Attributes
    ----------
    means_TC : ndarray of float64, shape (volumes, regions)
        NaN where a region is not covered.
    coverage_C : ndarray
        Fraction of each region that has data.
    tsnr : float
        Median over voxels of mean / standard deviation over time.
    dvars : float
        Root mean square of the change from volume to volume, mean over time, in % of the mean.
    """

    means_TC: np.ndarray
    coverage_C: np.ndarray
    tsnr: float
    dvars: float


def regional_means(
    bold: Path, mask: Path | None, atlas: Any, labels: Sequence[int], min_coverage: float
) -> Means:
    """Average a run over the regions of an atlas, inside the brain mask.

    The atlas is resampled to the run's grid (nearest neighbour), never the run.

    Parameters
    ----------
    bold : Path
        4-D NIfTI, compressed or not, of any number type, with or without scaling.
    mask : Path or None
        Brain mask; without one, what is neither zero nor NaN in the first volume counts.
    atlas : nibabel image, 3-D
    labels : sequence of int
        Labels in the order wanted.
    min_coverage : float
        A region with a smaller fraction of its voxels in the mask is NaN.

    Raises
    ------
    ScanError
        When the run cannot be read, has no orientation, or lies elsewhere than the atlas.
    """
    image = _load(bold)
    with _volumes(bold, image) as volumes:
        first = next(volumes)
        inside = _inside(image, mask, first)
        voxels = locate(atlas, labels, image, inside, min_coverage)
        return _pass(first, volumes, voxels, image)


def locate(
    atlas: Any, labels: Sequence[int], image: Any, inside: np.ndarray, min_coverage: float
) -> Voxels:
    """Find the voxels of each region; `inside` says which voxels of the run have data."""
    region = _on_grid(atlas, tuple(labels), image.shape[:3], image.affine.tobytes())
    size_C = np.bincount(region, minlength=len(labels) + 1)[1:]
    seen_C = np.bincount(region[inside], minlength=len(labels) + 1)[1:]
    if seen_C.sum() < MIN_OVERLAP * size_C.sum() or not size_C.any():
        part = seen_C.sum() / max(size_C.sum(), 1)
        raise ScanError(
            f"only {part:.0%} of the atlas lies inside the brain mask; the run is not in the space "
            "of the atlas, or its affine is wrong"
        )
    coverage_C = seen_C / np.maximum(size_C, 1)
    column_R = np.flatnonzero((seen_C > 0) & (coverage_C >= min_coverage))
    used = np.zeros(len(labels) + 1, bool)
    used[column_R + 1] = True
    place = np.flatnonzero(inside & used[region])
    order = np.argsort(region[place], kind="stable")
    first_R = np.concatenate([[0], np.cumsum(seen_C[column_R])[:-1]]).astype(int)
    return Voxels(place[order], first_R, column_R, coverage_C)


@lru_cache(maxsize=4)
def _on_grid(atlas: Any, labels: tuple[int, ...], shape: Any, affine: bytes) -> np.ndarray:
    """Return for each voxel of a grid which region it is in, from 1; 0 for none."""
    grid = (shape, np.frombuffer(affine).reshape(4, 4))
    same = atlas.shape == shape and np.allclose(atlas.affine, grid[1], atol=1e-3)
    resampled = atlas if same else resample_from_to(atlas, grid, order=0)
    on_grid = np.asarray(resampled.dataobj).astype(np.int32)
    number = np.zeros(max(on_grid.max(), *labels) + 1, np.int32)
    number[list(labels)] = np.arange(1, len(labels) + 1)
    return number[np.maximum(on_grid, 0).ravel(order="F")]


def _pass(first: np.ndarray, rest: Iterator[np.ndarray], voxels: Voxels, image: Any) -> Means:
    """Go through the volumes once.

    Values are kept relative to the first volume's, so that their squares stay small enough for
    single precision.
    """
    origin_V = first[voxels.voxel_V].astype(np.float32)
    total_V, squares_V, before_V = (np.zeros_like(origin_V) for _ in range(3))
    sums, changes = [_sums(first[voxels.voxel_V], voxels)], []
    for volume in rest:
        value_V = volume.take(voxels.voxel_V)
        sums.append(_sums(value_V, voxels))
        now_V = value_V - origin_V
        total_V += now_V
        squares_V += now_V * now_V
        before_V -= now_V
        changes.append(float(np.vdot(before_V, before_V)))
        before_V = now_V
    sums_TR = np.array(sums)
    require_finite(sums_TR)
    return _summary(sums_TR, changes, (origin_V, total_V, squares_V), voxels, image)


def _sums(value_V: np.ndarray, voxels: Voxels) -> np.ndarray:
    # In double precision: in single the means of thousands of voxels differ by 6e-3 of 1000.
    return np.add.reduceat(value_V, voxels.first_R, dtype=np.float64)


def _summary(
    sums_TR: np.ndarray,
    changes: list[float],
    moments: tuple[np.ndarray, np.ndarray, np.ndarray],
    voxels: Voxels,
    image: Any,
) -> Means:
    volumes, (slope, shift) = len(sums_TR), _scaling(image)
    origin_V, total_V, squares_V = (m.astype(float) for m in moments)
    size_R = np.diff([*voxels.first_R, len(voxels.voxel_V)])
    means_TC = np.full((volumes, len(voxels.coverage_C)), np.nan)
    means_TC[:, voxels.column_R] = sums_TR / size_R * slope + shift
    mean_V = (origin_V + total_V / volumes) * slope + shift
    variance_V = np.maximum(squares_V / volumes - (total_V / volumes) ** 2, 0)
    deviation_V = np.sqrt(variance_V) * abs(slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        tsnr = float(np.nanmedian(np.where(deviation_V > 0, mean_V / deviation_V, np.nan)))
        change = np.sqrt(np.array(changes) / len(mean_V)).mean() * abs(slope)
        dvars = float(100 * change / mean_V.mean())
    return Means(means_TC, voxels.coverage_C, tsnr, dvars)


def require_finite(values_TX: np.ndarray) -> None:
    """Refuse a run with volumes, the first axis, that have values which are not numbers.

    Raises
    ------
    ScanError
        Saying how many, and which is the first.
    """
    odd = np.flatnonzero(~np.isfinite(values_TX).all(axis=1))
    if len(odd):
        raise ScanError(
            f"{len(odd)} of {len(values_TX)} volumes have values that are not numbers inside the "
            f"brain, first volume {odd[0] + 1}"
        )


def _inside(image: Any, mask: Path | None, first: np.ndarray) -> np.ndarray:
    """Say which voxels have data, as they lie in the file."""
    finite = np.isfinite(first)
    if mask is None:
        return np.asarray(finite & (first != 0))
    brain = _load(mask)
    if brain.ndim != 3:
        raise ScanError(f"{mask.name} is not 3-D but has the shape {brain.shape}")
    if brain.shape != image.shape[:3] or not np.allclose(brain.affine, image.affine, atol=1e-3):
        brain = resample_from_to(brain, (image.shape[:3], image.affine), order=0)
    return np.asarray(finite & (_data(brain, mask).ravel(order="F") > 0))


def _data(image: Any, path: Path) -> np.ndarray:
    try:
        return np.asarray(image.dataobj)
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise ScanError(f"{path.name} cannot be read to its end ({error})") from error


def _load(path: Path) -> Any:
    try:
        image: Any = nib.load(path)
    except FileNotFoundError as error:
        link = " (a link to a file that is not here)" if path.is_symlink() else ""
        raise ScanError(f"{path.name} is missing{link}") from error
    except Exception as error:  # whatever nibabel meets in a broken header
        raise ScanError(f"{path.name} is not a readable image ({error})") from error
    codes = [image.header.get(key, 1) for key in ("qform_code", "sform_code")]
    determinant = float(np.linalg.det(image.affine[:3, :3]))
    if not any(codes) or not np.isfinite(determinant) or determinant == 0:
        raise ScanError(f"{path.name} has no orientation (qform and sform are not set)")
    return image


def _scaling(image: Any) -> tuple[float, float]:
    slope, shift = image.dataobj.slope, image.dataobj.inter
    return (1.0 if slope is None else float(slope)), (0.0 if shift is None else float(shift))


@contextmanager
def _volumes(path: Path, image: Any) -> Iterator[Iterator[np.ndarray]]:
    """Yield an iterator over the volumes of a run, flat, as they lie in the file."""
    if image.ndim != 4 or image.shape[3] < 2:
        raise ScanError(f"{path.name} is not a run: its shape is {image.shape}, 4-D is needed")
    compressed = path.suffix == ".gz"
    try:
        with _unzipped(path) if compressed else path.open("rb") as file:
            yield _read(path, file, image)
    except (EOFError, gzip.BadGzipFile, IsalError, OSError) as error:  # type: ignore[misc]
        raise ScanError(f"{path.name} is damaged or cut short ({error})") from error


def _unzipped(path: Path) -> Any:
    # ISA-L decompresses in 0.4 of the time that zlib takes.
    return igzip.open(path)  # type: ignore[no-untyped-call]


def _read(path: Path, file: Any, image: Any) -> Iterator[np.ndarray]:
    dtype, count = image.dataobj.dtype, int(np.prod(image.shape[:3]))
    file.seek(image.dataobj.offset)
    buffer = bytearray(dtype.itemsize * count)
    for number in range(image.shape[3]):
        if _fill(file, memoryview(buffer)) < len(buffer):
            raise ScanError(f"{path.name} is cut short after {number} of {image.shape[3]} volumes")
        yield np.frombuffer(buffer, dtype)
    file.read(1)  # the end of a compressed file holds its checksum


def _fill(file: Any, buffer: memoryview) -> int:
    filled = 0
    while filled < len(buffer):
        read = file.readinto(buffer[filled:])
        if not read:
            break
        filled += read
    return filled

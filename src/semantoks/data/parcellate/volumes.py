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
        Where in `voxel_V` each region begins that has any voxel.
    column_R : ndarray of int
        Which columns these regions are.
    size_C : ndarray
        How many voxels each region would have, with what lies outside of the brain or the grid.
    """

    voxel_V: np.ndarray
    first_R: np.ndarray
    column_R: np.ndarray
    size_C: np.ndarray


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
        Brain mask; with or without one, what is 0 throughout or NaN at first has no data.
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
    image = open_image(bold)
    brain = None if mask is None else _brain(mask, image)
    with _volumes(bold, image) as volumes:
        first = next(volumes)
        inside = np.isfinite(first)
        if not inside.any():
            raise ScanError(f"the first volume of {bold.name} is NaN throughout")
        voxels = locate(atlas, labels, image, inside if brain is None else inside & brain)
        if not len(voxels.voxel_V):
            _require_overlap(np.zeros(len(labels)), voxels.size_C)
        return _pass(first, volumes, voxels, _scaling(image), min_coverage)


def locate(atlas: Any, labels: Sequence[int], image: Any, inside: np.ndarray) -> Voxels:
    """Find the voxels of each region; `inside` says which voxels of the run may have data."""
    region, size_C = _on_grid(atlas, tuple(labels), image.shape[:3], image.affine.tobytes())
    place = np.flatnonzero(inside & (region > 0))
    order = np.argsort(region[place], kind="stable")
    seen_C = np.bincount(region[place], minlength=len(labels) + 1)[1:]
    column_R = np.flatnonzero(seen_C)
    first_R = np.concatenate([[0], np.cumsum(seen_C[column_R])[:-1]]).astype(int)
    return Voxels(place[order], first_R, column_R, size_C)


@lru_cache(maxsize=4)
def _on_grid(
    atlas: Any, labels: tuple[int, ...], shape: Any, affine: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """Return which region each voxel of a grid is in, from 1 (0: none), and the regions' sizes.

    Sizes are in voxels of the grid, with the part of a region that lies beyond it.
    """
    grid = (shape, np.frombuffer(affine).reshape(4, 4))
    same = atlas.shape == shape and np.allclose(atlas.affine, grid[1], atol=1e-3)
    resampled = atlas if same else resample_from_to(atlas, grid, order=0)
    region = _numbered(resampled, labels).ravel(order="F")
    size_C = np.bincount(region, minlength=len(labels) + 1)[1:].astype(float)
    if not same:
        own = _numbered(atlas, labels)
        places = np.argwhere(own)
        to_run = np.linalg.inv(grid[1]) @ atlas.affine
        points = np.rint(places @ to_run[:3, :3].T + to_run[:3, 3])
        within = ((points >= 0) & (points < shape)).all(axis=1)
        numbers = own[tuple(places.T)]
        all_C = np.bincount(numbers, minlength=len(labels) + 1)[1:]
        part_C = np.bincount(numbers[within], minlength=len(labels) + 1)[1:] / np.maximum(all_C, 1)
        volume = abs(np.linalg.det(atlas.affine) / np.linalg.det(grid[1]))
        size_C = np.where(part_C > 0, size_C / np.where(part_C > 0, part_C, 1), all_C * volume)
    return region, size_C


def _numbered(atlas: Any, labels: tuple[int, ...]) -> np.ndarray:
    """Return a label image with the regions numbered from 1, in the order of `labels`."""
    data = np.maximum(np.asarray(atlas.dataobj).astype(np.int32), 0)
    number = np.zeros(max(data.max(), *labels) + 1, np.int32)
    number[list(labels)] = np.arange(1, len(labels) + 1)
    return np.asarray(number[data])


def _pass(
    first: np.ndarray,
    rest: Iterator[np.ndarray],
    voxels: Voxels,
    scaling: tuple[float, float],
    min_coverage: float,
) -> Means:
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
    moments = np.stack([origin_V, total_V, squares_V]).astype(float)
    return _summary(sums_TR, np.array(changes), moments, voxels, scaling, min_coverage)


def _sums(value_V: np.ndarray, voxels: Voxels) -> np.ndarray:
    # In double precision: in single the means of thousands of voxels differ by 6e-3 of 1000.
    return np.add.reduceat(value_V, voxels.first_R, dtype=np.float64)


def _summary(
    sums_TR: np.ndarray,
    changes_T: np.ndarray,
    moments_3V: np.ndarray,
    voxels: Voxels,
    scaling: tuple[float, float],
    min_coverage: float,
) -> Means:
    volumes, (slope, shift) = len(sums_TR), scaling
    alive_V = moments_3V.any(axis=0)  # what is 0 throughout lies outside the brain, mask or not
    alive_R = np.add.reduceat(alive_V, voxels.first_R, dtype=int)
    size_C = voxels.size_C
    coverage_C = np.zeros(len(size_C))
    coverage_C[voxels.column_R] = np.minimum(alive_R / size_C[voxels.column_R], 1)
    _require_overlap(coverage_C, size_C)
    covered_R = (alive_R > 0) & (coverage_C[voxels.column_R] >= min_coverage)
    means_TC = np.full((volumes, len(size_C)), np.nan)
    means_TR = sums_TR[:, covered_R] / alive_R[covered_R] * slope + shift
    means_TC[:, voxels.column_R[covered_R]] = means_TR
    origin_V, total_V, squares_V = moments_3V[:, alive_V] / [[1], [volumes], [volumes]]
    mean_V = (origin_V + total_V) * slope + shift
    deviation_V = np.sqrt(np.maximum(squares_V - total_V**2, 0)) * abs(slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        tsnr = float(np.median((mean_V / deviation_V)[deviation_V > 0])) if deviation_V.any() else 0
        change = np.sqrt(changes_T / len(mean_V)).mean() * abs(slope)
        dvars = float(100 * change / mean_V.mean())
    return Means(means_TC, coverage_C, tsnr, dvars)


def _require_overlap(coverage_C: np.ndarray, size_C: np.ndarray) -> None:
    part = float(coverage_C @ size_C / max(size_C.sum(), 1))
    if part < MIN_OVERLAP:
        raise ScanError(
            f"only {part:.0%} of the atlas lies where the run has a brain; the run is not in the "
            "space of the atlas, its affine is wrong, or much of the brain was not scanned"
        )


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


def _brain(mask: Path, image: Any) -> np.ndarray:
    """Read a mask on the grid of a run, as its volumes lie in the file."""
    brain = open_image(mask)
    data = _data(brain, mask)
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3:
        raise ScanError(f"{mask.name} is not 3-D but has the shape {data.shape}")
    grid = (image.shape[:3], image.affine)
    if data.shape != grid[0] or not np.allclose(brain.affine, grid[1], atol=1e-3):
        plain = nib.Nifti1Image((data > 0).astype(np.uint8), brain.affine)
        data = np.asarray(resample_from_to(plain, grid, order=0).dataobj)
    return np.asarray(data.ravel(order="F") > 0)


def _data(image: Any, path: Path) -> np.ndarray:
    try:
        return np.asarray(image.dataobj)
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise ScanError(f"{path.name} cannot be read to its end ({error})") from error


def open_image(path: Path) -> Any:
    """Open an image that has an orientation.

    Raises
    ------
    ScanError
        When there is none.
    """
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

"""Which voxels of a run belong to which region of an atlas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.processing import resample_from_to

from semantoks.data.parcellate.images.nifti import open_image, read_data
from semantoks.errors import ScanError

AFFINE_TOLERANCE = 1e-3  # mm


@dataclass(frozen=True)
class RegionVoxels:
    """The voxels of each region on the grid of a run.

    Attributes
    ----------
    voxel_V : ndarray of int
        Indices into a flat volume as stored (first axis fastest), sorted by region.
    first_R : ndarray of int
        Where in `voxel_V` each region begins that has any voxel.
    column_R : ndarray of int
        Columns of these regions in the table of the atlas.
    size_C : ndarray
        Number of voxels of each region, those outside the brain and the field of view included.
    """

    voxel_V: np.ndarray
    first_R: np.ndarray
    column_R: np.ndarray
    size_C: np.ndarray

    def sums(self, value_V: np.ndarray) -> np.ndarray:
        """Sum values of voxels over each region; float64."""
        # float32 sums over thousands of voxels would be off by 6e-3 at a mean of 1000.
        return np.add.reduceat(value_V, self.first_R, dtype=np.float64)


def locate(atlas: Any, labels: Sequence[int], image: Any, inside: np.ndarray) -> RegionVoxels:
    """Find the voxels of each region.

    Parameters
    ----------
    atlas : nibabel image, 3-D
    labels : sequence of int
        In the order of the regions.
    image : nibabel image, 4-D
    inside : ndarray of bool, shape (voxels,)
        Which voxels of the run may have data, flat as stored.

    Returns
    -------
    RegionVoxels
    """
    region, size_C = _on_grid(atlas, tuple(labels), image.shape[:3], image.affine.tobytes())
    # Only voxels of regions are kept, so tSNR and DVARS are measured over the atlas as well.
    voxel_V = np.flatnonzero(inside & (region > 0))
    # A stable sort keeps the voxels of a region in the order of the file.
    order = np.argsort(region[voxel_V], kind="stable")
    count_C = np.bincount(region[voxel_V], minlength=len(labels) + 1)[1:]
    # `np.add.reduceat` cannot sum empty segments, so regions without voxels are left out.
    column_R = np.flatnonzero(count_C)
    first_R = np.concatenate([[0], np.cumsum(count_C[column_R])[:-1]]).astype(int)
    return RegionVoxels(voxel_V[order], first_R, column_R, size_C)


# The affine comes as bytes, because arrays are not hashable.
@lru_cache(maxsize=4)  # the runs of a cohort share few grids
def _on_grid(
    atlas: Any, labels: tuple[int, ...], shape: tuple[int, ...], affine: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """Resample an atlas to a grid, nearest neighbour.

    Returns
    -------
    region : ndarray of int, shape (voxels,)
        Number of the region that each voxel is in, from 1 (0: none).
    size_C : ndarray of float
        Size of each region in voxels of the grid, parts beyond the grid included.
    """
    grid = (shape, np.frombuffer(affine).reshape(4, 4))
    is_same = atlas.shape == shape and np.allclose(atlas.affine, grid[1], atol=AFFINE_TOLERANCE)
    resampled = atlas if is_same else resample_from_to(atlas, grid, order=0)
    # NIfTI stores the first axis fastest, which is Fortran order.
    region = numbered(resampled, labels).ravel(order="F")
    size_C = np.bincount(region, minlength=len(labels) + 1)[1:].astype(float)
    if not is_same:
        size_C = _whole_sizes(atlas, labels, grid, size_C)
    return region, size_C


def _whole_sizes(
    atlas: Any,
    labels: tuple[int, ...],
    grid: tuple[tuple[int, ...], np.ndarray],
    size_C: np.ndarray,
) -> np.ndarray:
    """Extend the regions' sizes on a grid by the parts that lie beyond it.

    A region's size is divided by the fraction of its atlas voxels that are within the grid; the
    size of a region entirely beyond it is the volume of its atlas voxels.
    """
    shape, affine = grid
    atlas_region = numbered(atlas, labels)
    index_V3 = np.argwhere(atlas_region)
    to_run = np.linalg.inv(affine) @ atlas.affine
    point_V3 = np.rint(index_V3 @ to_run[:3, :3].T + to_run[:3, 3])
    within_V = ((point_V3 >= 0) & (point_V3 < shape)).all(axis=1)
    region_V = atlas_region[tuple(index_V3.T)]
    all_C = np.bincount(region_V, minlength=len(labels) + 1)[1:]
    within_C = np.bincount(region_V[within_V], minlength=len(labels) + 1)[1:]
    part_C = within_C / np.maximum(all_C, 1)
    ratio = abs(np.linalg.det(atlas.affine) / np.linalg.det(affine))
    return np.where(part_C > 0, size_C / np.where(part_C > 0, part_C, 1), all_C * ratio)


def numbered(atlas: Any, labels: tuple[int, ...]) -> np.ndarray:
    """Replace labels by the regions' numbers, from 1 in the order of `labels`; others become 0."""
    data = np.maximum(np.asarray(atlas.dataobj).astype(np.int32), 0)
    # A lookup table: one gather instead of a comparison per region.
    number = np.zeros(max(data.max(), *labels) + 1, np.int32)
    number[list(labels)] = np.arange(1, len(labels) + 1)
    return np.asarray(number[data])


def read_brain_mask(mask: Path, image: Any) -> np.ndarray:
    """Read a brain mask, resampled to the grid of a run if it has another.

    Parameters
    ----------
    mask : Path
    image : nibabel image, 4-D

    Returns
    -------
    ndarray of bool, shape (voxels,)
        Flat as stored.

    Raises
    ------
    ScanError
        When the mask cannot be read or is not 3-D.
    """
    brain = open_image(mask)
    data = read_data(brain, mask)
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3:
        raise ScanError(f"{mask.name} is not 3-D but has the shape {data.shape}")
    shape, affine = image.shape[:3], image.affine
    if data.shape != shape or not np.allclose(brain.affine, affine, atol=AFFINE_TOLERANCE):
        binary = nib.Nifti1Image((data > 0).astype(np.uint8), brain.affine)
        data = np.asarray(resample_from_to(binary, (shape, affine), order=0).dataobj)
    return np.asarray(data.ravel(order="F") > 0)

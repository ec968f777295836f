"""Which voxels of a run in native space belong to which region, and with which weight.

The atlas is in standard space. A warp field says where each of its voxels lies in the run; the
value there is the trilinear interpolation of eight voxels. The mean of a region is then a weighted
mean of voxels of the run: one interpolation, and no image in standard space.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from scipy.sparse import coo_array, csr_array

from semantoks.data.layout import affine_of
from semantoks.data.parcellate.images.means import MIN_OVERLAP
from semantoks.data.parcellate.images.regions import numbered
from semantoks.data.parcellate.images.warps import Warp, fsl_affine
from semantoks.errors import ScanError
from semantoks.gate import require_file

MAX_FOLDED = 0.05  # of the atlas; FNIRT keeps the determinant of the Jacobian above 0.01
# Median distance (mm) between a warp field and the affine registration that it began with. A field
# that is mirrored, or has a wrong sign, is off by twice the distance of the two origins.
MAX_DISTANCE = 15.0
LARGEST_MATRIX = 10_000  # bytes of text


@dataclass(frozen=True)
class WeightedVoxels:
    """The voxels of a run that regions of an atlas are interpolated from.

    Attributes
    ----------
    voxel_V : ndarray of int
        Indices into a flat volume as stored (first axis fastest); each once.
    weight_RV : sparse array of float64
        Weight of each voxel in each region that has any; a voxel of the atlas adds 1 in all.
    column_R : ndarray of int
        Columns of these regions in the table of the atlas.
    size_C : ndarray
        Number of voxels of each region in the atlas.
    """

    voxel_V: np.ndarray
    weight_RV: csr_array
    column_R: np.ndarray
    size_C: np.ndarray

    def sums(self, value_V: np.ndarray) -> np.ndarray:
        """Sum values of voxels, by their weights, over each region; float64."""
        return np.asarray(self.weight_RV @ value_V.astype(np.float64))


def locate_through(
    warp: Path, atlas: Any, labels: Sequence[int], image: Any, inside: np.ndarray
) -> WeightedVoxels:
    """Find the voxels of each region, and their weights, through a warp field.

    Parameters
    ----------
    warp : Path
        Field of FSL from standard space to the run; see `Warp`.
    atlas : nibabel image, 3-D
        In standard space.
    labels : sequence of int
        In the order of the regions.
    image : nibabel image, 4-D
        The run, in native space.
    inside : ndarray of bool, shape (voxels,)
        Which voxels of the run may have data, flat as stored.

    Returns
    -------
    WeightedVoxels

    Raises
    ------
    ScanError
        When the field cannot be read or is not plausible: not finite, mirrored, folded, leading out
        of the run, or far from the affine registration beside it.
    """
    field = Warp.read(warp)
    region_V, world_V3 = _voxels_of(atlas, tuple(labels))
    reference_V3 = field.reference(world_V3)
    source_V3 = field.source(reference_V3)
    to_voxel = np.linalg.inv(fsl_affine(image))
    voxel_V3, shape = apply_affine(to_voxel, source_V3), image.shape[:3]
    _require_finite(source_V3, warp)
    _require_no_mirror(field, reference_V3, source_V3)
    _require_affine_nearby(warp, reference_V3, source_V3)
    _require_within(voxel_V3, shape, warp)
    weight_CV = _weights(voxel_V3, region_V, shape, len(labels))
    voxel_V = np.flatnonzero(inside & (np.diff(weight_CV.tocsc().indptr) > 0))
    weight_CV = weight_CV[:, voxel_V]
    column_R = np.flatnonzero(np.diff(weight_CV.indptr))
    size_C = np.bincount(region_V, minlength=len(labels)).astype(float)
    return WeightedVoxels(voxel_V, weight_CV[column_R], column_R, size_C)


# A job has one atlas, and reads it for every run.
@lru_cache(maxsize=1)
def _voxels_of(atlas: Any, labels: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the column of each voxel of an atlas that is in a region, and its position (mm)."""
    number = numbered(atlas, labels)
    index_V3 = np.argwhere(number)
    return number[tuple(index_V3.T)] - 1, apply_affine(atlas.affine, index_V3)


def _weights(
    voxel_V3: np.ndarray, region_V: np.ndarray, shape: tuple[int, ...], regions: int
) -> csr_array:
    """Sum the trilinear weights of positions in a grid over the regions that they belong to.

    What lies beyond the grid has no weight.

    Returns
    -------
    sparse array, shape (regions, voxels)
    """
    low_V3 = np.floor(voxel_V3)
    part_V3 = voxel_V3 - low_V3
    size = (regions, int(np.prod(shape)))
    total = csr_array(size, dtype=np.float64)
    # One corner at a time, since all eight take 200 MB for an atlas of 1 mm.
    for corner in product((0, 1), repeat=3):
        index_V3 = (low_V3 + corner).astype(int)
        weight_V = np.where(corner, part_V3, 1 - part_V3).prod(axis=1)
        is_in_V = ((index_V3 >= 0) & (index_V3 < shape)).all(axis=1) & (weight_V > 0)
        flat_V = np.ravel_multi_index(tuple(index_V3[is_in_V].T), shape, order="F")
        entries = (weight_V[is_in_V], (region_V[is_in_V], flat_V))
        total = total + coo_array(entries, shape=size).tocsr()
    return total


def _require_finite(source_V3: np.ndarray, warp: Path) -> None:
    part = float((~np.isfinite(source_V3)).any(axis=1).mean())
    if part:
        raise ScanError(f"the registration {warp.name} does not reach {part:.1%} of the atlas")


def _require_no_mirror(field: Warp, reference_V3: np.ndarray, source_V3: np.ndarray) -> None:
    """Refuse a field whose Jacobian is not positive: both coordinate systems are left-handed."""
    steps = np.abs(np.diag(field.to_fsl)[:3])
    jacobian_V33 = np.stack(
        [
            (field.source(reference_V3 + step) - source_V3) / steps[axis]
            for axis, step in enumerate(np.diag(steps))
        ],
        axis=2,
    )
    # At the edge of the field, differences are not known.
    determinant_V = np.nan_to_num(np.linalg.det(jacobian_V33), nan=1.0)
    part = float((determinant_V <= 0).mean())
    if part > MIN_OVERLAP:
        raise ScanError(
            f"the registration {field.path.name} mirrors {part:.0%} of the atlas, so that left is "
            "right"
        )
    if part > MAX_FOLDED:
        raise ScanError(
            f"the registration {field.path.name} folds {part:.0%} of the atlas, where its Jacobian "
            "is not positive"
        )


def _require_affine_nearby(warp: Path, reference_V3: np.ndarray, source_V3: np.ndarray) -> None:
    """Refuse a field that is far from FLIRT's affine registration beside it, if there is one.

    FLIRT's matrix leads from the run to standard space, both in FSL's coordinates.
    """
    file = affine_of(warp)
    if not os.path.lexists(file):
        return
    if require_file(file).stat().st_size > LARGEST_MATRIX:
        raise ScanError(f"the registration {file.name} is no matrix of 4 × 4 numbers")
    try:
        matrix = np.loadtxt(file)
        inverse = np.linalg.inv(matrix.reshape(4, 4))
    except (OSError, ValueError, np.linalg.LinAlgError) as error:
        raise ScanError(f"the registration {file.name} cannot be read ({error})") from error
    distance_V = np.linalg.norm(apply_affine(inverse, reference_V3) - source_V3, axis=1)
    distance = float(np.median(distance_V))
    if not distance <= MAX_DISTANCE:
        raise ScanError(
            f"the registration {warp.name} differs from {file.name} beside it by {distance:.0f} mm "
            f"(median), at most {MAX_DISTANCE:.0f} mm is plausible; one is mirrored, or of another "
            "run"
        )


def _require_within(voxel_V3: np.ndarray, shape: tuple[int, ...], warp: Path) -> None:
    is_in_V = ((voxel_V3 > -0.5) & (voxel_V3 < np.array(shape) - 0.5)).all(axis=1)
    if is_in_V.mean() < MIN_OVERLAP:
        raise ScanError(
            f"the registration {warp.name} leads {1 - is_in_V.mean():.0%} of the atlas out of the "
            "run; it is of another run, or the images are in standard space already"
        )

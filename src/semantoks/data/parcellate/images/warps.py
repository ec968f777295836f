"""FSL's warp fields: where each position of standard space lies in a run in native space.

The conventions are those of FSL, as its library for Python documents and implements them (fslpy:
``fsl.transform.nonlinear.DeformationField``, ``fsl.data.image.Nifti``,
https://git.fmrib.ox.ac.uk/fsl/fslpy):

- FSL's coordinates of an image are voxel indices times voxel sizes (mm). The first axis counts from
  the other end if the determinant of the affine is positive (neurological storage), so that FSL's
  coordinates are left-handed for every image.
- A field lies on the grid of the reference (standard space) and leads to the source (the run): in
  each voxel it has the source's coordinates (absolute), or these minus the voxel's own (relative).
  The header does not say which; FSL takes a field for absolute if that has the larger standard
  deviation.

FEAT and MELODIC write ``reg/example_func2standard_warp`` by ``convertwarp --ref=standard``, which
combines the registrations of run to T1w and of T1w to standard space, and the affine one of both as
``reg/example_func2standard.mat``. UK Biobank's runs have these files (UK Biobank Brain Imaging
Documentation, http://biobank.ctsu.ox.ac.uk/crystal/docs/brain_mri.pdf; XCP-D applies the same file,
``xcp_d/ingression/ukbiobank.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from scipy.ndimage import map_coordinates

from semantoks.data.declared import require_at_most
from semantoks.data.parcellate.images.nifti import open_image, read_data
from semantoks.errors import ScanError

# Intent codes of nifti1.h, for files that hold something else per voxel than FSL's coordinates.
COEFFICIENTS = (2007, 2008, 2009, 2016, 2017)  # of FNIRT and TOPUP
VECTORS = (1006, 1007)  # of AFNI, ANTs and ITK
# Centres of the outer voxels of FSL's MNI152 (FSLDIR/data/standard), in mm; by resolution, they
# differ by less than the tolerance.
MNI_BOX = np.array([[-90.0, -126, -72], [90, 90, 108]])
BOX_TOLERANCE = 2.0
MAX_FIELD = 100_000_000  # values; the template of 0.7 mm has 60 million
# A relative field varies by some 10 mm, positions in a head by some 50 mm along each axis.
CLEAR_RATIO = 1.5


def fsl_affine(image: Any) -> np.ndarray:
    """Return the affine from voxel indices of an image to FSL's coordinates (mm)."""
    affine = np.diag([*(float(size) for size in image.header.get_zooms()[:3]), 1.0])
    if np.linalg.det(image.affine[:3, :3]) > 0:
        affine[0, 3] = (image.shape[0] - 1) * affine[0, 0]
        affine[0, 0] *= -1
    return affine


def is_on_mni_grid(image: Any) -> bool:
    """Whether the grid of an image is that of FSL's MNI152, at any resolution."""
    ends = apply_affine(image.affine, [[0, 0, 0], [size - 1 for size in image.shape[:3]]])
    is_straight = np.count_nonzero(np.abs(image.affine[:3, :3]) > BOX_TOLERANCE / 100) == 3
    return bool(is_straight and np.allclose(np.sort(ends, axis=0), MNI_BOX, atol=BOX_TOLERANCE))


@dataclass(frozen=True)
class Warp:
    """A warp field of FSL.

    Attributes
    ----------
    path : Path
    relative_XYZ3 : ndarray of float32, shape (x, y, z, 3)
        Displacement from FSL's coordinates of a voxel to those in the run, in mm.
    affine : ndarray, shape (4, 4)
        From voxels of the field to world coordinates (mm).
    to_fsl : ndarray, shape (4, 4)
        From voxels of the field to FSL's coordinates (mm).
    """

    path: Path
    relative_XYZ3: np.ndarray
    affine: np.ndarray
    to_fsl: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Warp:
        """Read a field, absolute or relative.

        Raises
        ------
        ScanError
            When it cannot be read, is of another kind, or is not on the grid of FSL's MNI152.
        """
        image = open_image(path)
        _require_field(image, path)
        values_XYZ3 = read_data(image, path).astype(np.float32)
        to_fsl = fsl_affine(image)
        return cls(path, _relative(values_XYZ3, to_fsl, path), image.affine, to_fsl)

    @cached_property
    def _to_voxel(self) -> np.ndarray:
        return np.asarray(np.linalg.inv(self.to_fsl))

    def reference(self, world_V3: np.ndarray) -> np.ndarray:
        """Convert world coordinates of standard space to FSL's coordinates (mm)."""
        return apply_affine(self.to_fsl @ np.linalg.inv(self.affine), world_V3)

    def source(self, reference_V3: np.ndarray) -> np.ndarray:
        """Return where positions of standard space lie in the run, both in FSL's coordinates (mm).

        The displacement is interpolated linearly; NaN beyond the field.
        """
        voxel_V3 = apply_affine(self._to_voxel, reference_V3)
        shape = np.array(self.relative_XYZ3.shape[:3])
        moved_V3 = np.stack(
            [
                map_coordinates(self.relative_XYZ3[..., axis], voxel_V3.T, order=1, mode="nearest")
                for axis in range(3)
            ],
            axis=1,
        )
        is_beyond_V = ((voxel_V3 < -0.5) | (voxel_V3 > shape - 0.5)).any(axis=1)
        return np.where(is_beyond_V[:, None], np.nan, reference_V3 + moved_V3)


def _require_field(image: Any, path: Path) -> None:
    """Refuse what is no displacement field of FSL in standard space, by its header."""
    intent = int(image.header.get("intent_code", 0))
    if intent in COEFFICIENTS:
        raise ScanError(
            f"the registration {path.name} holds spline coefficients; make a field of it by FSL's "
            "`convertwarp --ref=MNI152_T1_2mm --warp1=COEFFICIENTS --out=FIELD`, with "
            "`--premat=example_func2highres.mat` if it begins at the T1w image"
        )
    if intent in VECTORS or image.ndim != 4 or image.shape[3] != 3:
        raise ScanError(
            f"the registration {path.name} is no warp field of FSL (shape {image.shape}, intent "
            f"code {intent}): x × y × z × 3 coordinates in mm are needed"
        )
    require_at_most(image.shape, MAX_FIELD, path.name)
    # FNIRT keeps other data in the sform of some of its files.
    both = all(int(image.header.get(code, 0)) for code in ("qform_code", "sform_code"))
    if both and not np.allclose(image.get_qform(), image.get_sform(), atol=0.1):
        raise ScanError(f"the registration {path.name} has two positions, by its qform and sform")
    if not is_on_mni_grid(image):
        ends = apply_affine(image.affine, [[0, 0, 0], [size - 1 for size in image.shape[:3]]])
        low, high = (", ".join(f"{mm:.0f}" for mm in end) for end in np.sort(ends, axis=0))
        raise ScanError(
            f"the registration {path.name} is not on the grid of FSL's MNI152: it reaches from "
            f"({low}) to ({high}) mm, (-90, -126, -72) to (90, 90, 108) is expected"
        )


def _relative(values_XYZ3: np.ndarray, to_fsl: np.ndarray, path: Path) -> np.ndarray:
    """Return the field as displacements; decide as FSL does whether it has coordinates instead.

    Raises
    ------
    ScanError
        When it is neither clearly.
    """
    shape = values_XYZ3.shape[:3]
    # In place along each axis: the coordinates of all voxels would take as much as the field.
    moved_XYZ3 = values_XYZ3.copy()
    for axis in range(3):
        coordinate = to_fsl[axis, axis] * np.arange(shape[axis]) + to_fsl[axis, 3]
        along = [size if n == axis else 1 for n, size in enumerate(shape)]
        moved_XYZ3[..., axis] -= coordinate.astype(np.float32).reshape(along)
    as_given, as_absolute = (_spread(field) for field in (values_XYZ3, moved_XYZ3))
    if not np.isfinite([as_given, as_absolute]).all():
        raise ScanError(f"the registration {path.name} has values that are not finite")
    if CLEAR_RATIO * as_given < as_absolute:
        return values_XYZ3
    if CLEAR_RATIO * as_absolute < as_given:
        return moved_XYZ3
    raise ScanError(
        f"the registration {path.name} is neither clearly a field of displacements (they would "
        f"vary by {as_given / 3:.0f} mm) nor of positions (away from their voxels by "
        f"{as_absolute / 3:.0f} mm); make it anew by `convertwarp --relout`"
    )


def _spread(field_XYZ3: np.ndarray) -> float:
    """Sum of the standard deviations of the three components, as FSL compares them."""
    return float(field_XYZ3.std(axis=(0, 1, 2), dtype=np.float64).sum())

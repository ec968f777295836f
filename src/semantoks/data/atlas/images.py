"""Label images: read NIfTI and CIFTI files, create images, locate regions."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TypeAlias

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from nibabel.spatialimages import SpatialImage

from semantoks.data.declared import (
    CIFTI_EXTENSION,
    GB,
    MAX_VOXELS,
    require_at_most,
    require_plausible_axes,
    require_plausible_image,
    require_plausible_volumes,
)
from semantoks.errors import ScanError, UserError
from semantoks.gate import problem_of_file

LARGEST_CIFTI = 2 * GB  # bytes; the label image of 170 thousand grayordinates has a few MB
MNI_152 = 4  # NIFTI_XFORM_MNI_152, from which other tools infer the template space

LabelImage: TypeAlias = SpatialImage | nib.Cifti2Image


def read_label_image(path: Path) -> LabelImage:
    """Load a label image from NIfTI or CIFTI, compressed or not.

    Raises
    ------
    UserError
        When the file does not exist or is not an image.
    """
    if not path.exists():
        raise UserError(f"The atlas image {path} does not exist. Correct its path.")
    if problem := problem_of_file(path):
        raise UserError(f"The atlas image {path} cannot be used: {problem}.")
    try:
        require_plausible_image(path)
        image = nib.load(path)
        require_plausible_volumes(image, path)
        require_at_most(image.shape, MAX_VOXELS, path.name)
        if is_cifti(image) or not _has_cifti_extension(image):
            return image
        # nibabel loads compressed CIFTI files (.nii.gz) as plain NIfTI-2.
        require_plausible_axes(image, path)
        return nib.Cifti2Image.from_bytes(_decompressed(path))
    except ScanError as error:
        raise UserError(f"The atlas image {path} cannot be used: {error}.") from None
    except Exception as error:  # nibabel raises many types of errors on malformed files
        raise UserError(f"The atlas image {path} is not readable ({error}).") from None


def is_cifti(image: LabelImage) -> bool:
    """Whether an image has grayordinates instead of voxels."""
    return isinstance(image, nib.Cifti2Image)


def _has_cifti_extension(image: LabelImage) -> bool:
    extensions = getattr(image.header, "extensions", [])
    return any(extension.get_code() == CIFTI_EXTENSION for extension in extensions)


def _decompressed(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    with gzip.open(path) as file:
        return file.read(LARGEST_CIFTI)


def label_image(labels: np.ndarray, affine: np.ndarray) -> SpatialImage:
    """Create a NIfTI label image in MNI space.

    Parameters
    ----------
    labels : ndarray of int, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to world coordinates in mm.

    Returns
    -------
    nibabel image
        int16 if the labels fit, otherwise int32.
    """
    dtype = np.int16 if labels.max() <= np.iinfo(np.int16).max else np.int32
    image = nib.Nifti1Image(labels.astype(dtype), affine)
    # Nifti1Image would declare code 2, "aligned", which does not say to which template.
    image.set_sform(affine, code=MNI_152)
    image.header.set_xyzt_units("mm")
    return image


def centroids(image: SpatialImage) -> np.ndarray:
    """Compute the centroid of every label.

    Returns
    -------
    ndarray, shape (largest label + 1, 3)
        World coordinates in mm, indexed by label; NaN for labels without voxels.
    """
    labels = np.asarray(image.dataobj).astype(int)
    voxels = np.argwhere(labels)
    points, point_labels = apply_affine(image.affine, voxels), labels[tuple(voxels.T)]
    counts = np.bincount(point_labels, minlength=1)
    sums = [np.bincount(point_labels, axis, minlength=1) for axis in points.T]
    # 0 / 0 is the NaN of labels without voxels.
    with np.errstate(invalid="ignore"):
        return np.stack(sums, axis=1) / counts[:, None]

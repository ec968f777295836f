"""Register the template to a participant's T1w image, and that image to a BOLD run."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nilearn.masking import compute_epi_mask
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from semantoks.data.preprocess.minimal.ants_bridge import (
    Image,
    Warp,
    correct_bias,
    register_linear,
    register_syn,
)
from semantoks.data.preprocess.minimal.geometry import grid_points, transform, voxel_sizes
from semantoks.data.preprocess.minimal.template import Template, load_template
from semantoks.errors import ScanError

# Linear registration uses this grid (mm) at any resolution of the warp: finer ones are slower and
# no more accurate, and at 6 mm registration failed for every fourth head.
LINEAR_VOXEL = 4.0
MIN_LITRES = 0.2  # less is neither a brain nor a slab of it that could be registered
HEAD = 150.0  # mm below the top of the head where the neck begins
BIAS_SPACING = {"T1w": 18.0, "bold": 12.0}  # mm; finer is slower and no more accurate
SAME_POSITION = 0.8  # minimal overlap, as a fraction of the smaller brain, for trusting headers


@dataclass(frozen=True)
class Anatomy:
    """A T1w image registered to the template.

    Attributes
    ----------
    image : Image
        Bias-corrected, resampled to the resolution that registration needs.
    brain : ndarray of bool
        Brain mask on the grid of `image`.
    extracted : ndarray of bool
        Brain mask on the grid of the raw image.
    affine : ndarray, shape (4, 4)
        Template mm to T1w mm, applied after `warp`.
    warp : Warp
    """

    image: Image
    brain: np.ndarray
    extracted: np.ndarray
    affine: np.ndarray
    warp: Warp

    def from_template(self, points: np.ndarray) -> np.ndarray:
        """Map points (3, n) from template mm to T1w mm."""
        return transform(self.affine, self.warp(points))


def register_anatomy(t1w: Image, template: Template) -> Anatomy:
    """Register a T1w image, without skull stripping, to the template's brain.

    Parameters
    ----------
    t1w : Image
        The raw image.
    template : Template
        The template on the grid for the nonlinear registration.

    Returns
    -------
    Anatomy
    """
    finest = min(float(template.affine[0, 0]), LINEAR_VOXEL) * 2 / 3
    image = correct_bias(_coarsened(t1w, finest), BIAS_SPACING["T1w"])
    coarse = load_template(LINEAR_VOXEL)
    start = np.eye(4)
    # The origin is the isocentre in the scanner, but in the brain in MNI: match centres first.
    start[:3, 3] = _head_centre(image) - _centroid(coarse.brain, coarse.affine)
    affine = register_linear("Affine", *_target(coarse), image, start)
    forward, inverse = register_syn(*_target(template), image, affine)
    brain, extracted = (_find_brain(grid, template, affine, inverse) for grid in (image, t1w))
    return Anatomy(image, brain, extracted, affine, forward)


def register_bold(reference: Image, mask: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """Register a BOLD reference volume to the T1w image of the same participant.

    Parameters
    ----------
    reference : Image
        A volume of the run.
    mask : ndarray of bool
        Its brain mask.
    anatomy : Anatomy

    Returns
    -------
    ndarray, shape (4, 4)
        Rigid transform from T1w mm to BOLD mm.
    """
    corrected = correct_bias(reference, BIAS_SPACING["bold"], mask)
    # The scalp is bright in T1w images and dark in BOLD images, so both are reduced to the brain.
    moving = Image(corrected.data * binary_dilation(mask), reference.affine)
    affine = anatomy.image.affine
    fixed = _coarsened(Image(anatomy.image.data * anatomy.brain, affine), LINEAR_VOXEL)
    brain = _coarsened(Image(anatomy.brain.astype(np.float32), affine), LINEAR_VOXEL).data > 0.5
    # With a rim of background, so that the edge of the brain counts.
    surroundings = binary_dilation(brain, iterations=2)
    return register_linear("Rigid", fixed, surroundings, moving, _bold_start(moving, mask, anatomy))


def bold_mask(reference: Image) -> np.ndarray:
    """Compute the brain mask of a BOLD volume with nilearn's `compute_epi_mask`.

    Raises
    ------
    ScanError
        If no brain is found.
    """
    image = nib.Nifti1Image(reference.data.astype(np.float32), reference.affine)
    try:
        mask = np.asarray(compute_epi_mask(image, opening=2).dataobj) > 0
    except ValueError as error:
        raise ScanError(f"no brain found in the BOLD image ({error})") from error
    litres = mask.sum() * abs(np.linalg.det(reference.affine)) / 1e6
    if litres < MIN_LITRES:
        raise ScanError(f"no brain found in the BOLD image: its mask has {litres:.2f} litres")
    return np.asarray(mask)


def _find_brain(grid: Image, template: Template, affine: np.ndarray, inverse: Warp) -> np.ndarray:
    """Resample the template's brain mask to the grid of a T1w image, slice by slice for memory."""
    to_template = np.linalg.inv(affine) @ grid.affine
    mask, brain = np.zeros(grid.data.shape, bool), template.brain.astype(np.float32)
    plane = np.argwhere(np.ones((1, *grid.data.shape[1:]), bool)).T
    for x in range(len(mask)):
        points = inverse(transform(to_template, plane + np.array([[x], [0], [0]])))
        voxels = transform(np.linalg.inv(template.affine), points)
        mask[x] = (map_coordinates(brain, voxels, order=1) >= 0.5).reshape(mask.shape[1:])
    return mask


def _target(template: Template) -> tuple[Image, np.ndarray]:
    """Return the fixed image and its mask: brain and margin, as the template has no scalp."""
    return Image(template.t1w, template.affine), binary_dilation(template.brain)


def _bold_start(moving: Image, mask: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """Choose the initial transform: identity if the two brains overlap, else match centroids.

    The headers of a session usually share scanner coordinates, but defacing and conversion tools
    may reset the origin.
    """
    points = transform(anatomy.image.affine, np.argwhere(anatomy.brain).T)
    voxels = np.rint(transform(np.linalg.inv(moving.affine), points)).astype(int)
    shape = np.array(mask.shape)[:, None]
    inside = voxels[:, ((voxels >= 0) & (voxels < shape)).all(axis=0)]
    volume = abs(np.linalg.det(anatomy.image.affine)), abs(np.linalg.det(moving.affine))
    smaller = min(anatomy.brain.sum() * volume[0], mask.sum() * volume[1])
    start = np.eye(4)
    if mask[tuple(inside)].sum() * volume[0] < SAME_POSITION * smaller:
        centre = _centroid(anatomy.brain, anatomy.image.affine)
        start[:3, 3] = _centroid(mask, moving.affine) - centre
    return start


def _coarsened(image: Image, voxel_size: float) -> Image:
    """Blur and downsample an image whose voxels are smaller than `voxel_size` (mm)."""
    ratio = np.maximum(voxel_size / voxel_sizes(image.affine), 1.0)
    if ratio.max() < 1.2:
        return image
    # Squared widths of Gaussians add up, and a voxel already has a width of 1; 2.355 is FWHM / σ.
    blurred = gaussian_filter(image.data, np.sqrt(ratio**2 - 1) / 2.355)
    shape = tuple(int(n) for n in np.ceil(np.array(image.data.shape) / ratio))
    # Both grids have the same centre.
    corner = (np.array(image.data.shape) - 1) / 2 - ratio * (np.array(shape) - 1) / 2
    to_old = np.diag([*ratio, 1.0])
    to_old[:3, 3] = corner
    data = map_coordinates(blurred, grid_points(shape, to_old), order=1, mode="nearest")
    return Image(data.reshape(shape), image.affine @ to_old)


def _head_centre(image: Image) -> np.ndarray:
    """Compute the centroid (mm) of bright voxels within `HEAD` mm of the top, without the neck."""
    bright = np.argwhere(image.data > image.data.mean()).T
    points = transform(image.affine, bright)
    # Not the maximum: noise may leave single bright voxels above the head.
    top = np.percentile(points[2], 99.9)
    return np.asarray(points[:, points[2] > top - HEAD].mean(axis=1))


def _centroid(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.asarray(transform(affine, np.argwhere(mask).T).mean(axis=1))

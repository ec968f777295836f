"""From the template to a person's anatomy, and from there to a BOLD run."""

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

# Linear registration works on this grid whatever is asked of the warp: finer is slow and no better,
# and at 6 mm every fourth head was missed.
LINEAR_VOXEL = 4.0  # mm
MIN_LITRES = 0.2  # less is no brain, nor a slab of one that could be registered
HEAD = 150.0  # mm from the top of the head that are head rather than neck
BIAS_SPACING = {"T1w": 18.0, "bold": 12.0}  # mm; finer is slower and no better
SAME_POSITION = 0.8  # part of the smaller brain that must overlap for headers to be believed


@dataclass(frozen=True)
class Anatomy:
    """A T1w image in register with the template."""

    image: Image  # bias-corrected, on a grid of the size that registration needs
    brain: np.ndarray  # bool, on that grid
    extracted: np.ndarray  # bool, the brain on the grid of the image as scanned
    affine: np.ndarray  # (4, 4), template mm → T1w mm, after the warp
    warp: Warp

    def from_template(self, points: np.ndarray) -> np.ndarray:
        """T1w mm of template points, both (3, n)."""
        return transform(self.affine, self.warp(points))


def register_anatomy(t1w: Image, template: Template) -> Anatomy:
    """Register a T1w image, head and all, to the template's brain.

    Parameters
    ----------
    t1w
        The image as scanned.
    template
        The template on the grid that the warp is found on.

    Returns
    -------
    Anatomy
    """
    finest = min(float(template.affine[0, 0]), LINEAR_VOXEL) * 2 / 3
    image = correct_bias(_coarsened(t1w, finest), BIAS_SPACING["T1w"])
    coarse = load_template(LINEAR_VOXEL)
    start = np.eye(4)
    start[:3, 3] = _head_centre(image) - _centroid(coarse.brain, coarse.affine)
    affine = register_linear("Affine", *_target(coarse), image, start)
    forward, inverse = register_syn(*_target(template), image, affine)
    brain, extracted = (_find_brain(grid, template, affine, inverse) for grid in (image, t1w))
    return Anatomy(image, brain, extracted, affine, forward)


def register_bold(reference: Image, mask: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """Register a BOLD reference to the anatomy of the same person.

    Parameters
    ----------
    reference
        A volume of the run.
    mask
        Its brain, bool.
    anatomy
        The person's anatomy.

    Returns
    -------
    ndarray, shape (4, 4)
        Rigid, T1w mm → BOLD mm.
    """
    corrected = correct_bias(reference, BIAS_SPACING["bold"], mask)
    moving = Image(corrected.data * binary_dilation(mask), reference.affine)
    affine = anatomy.image.affine
    fixed = _coarsened(Image(anatomy.image.data * anatomy.brain, affine), LINEAR_VOXEL)
    brain = _coarsened(Image(anatomy.brain.astype(np.float32), affine), LINEAR_VOXEL).data > 0.5
    around = binary_dilation(brain, iterations=2)
    return register_linear("Rigid", fixed, around, moving, _bold_start(moving, mask, anatomy))


def bold_mask(reference: Image) -> np.ndarray:
    """Find the brain of a BOLD volume by its histogram (nilearn's `compute_epi_mask`).

    Raises
    ------
    ScanError
        When there is none.
    """
    volume = nib.Nifti1Image(reference.data.astype(np.float32), reference.affine)
    try:
        mask = np.asarray(compute_epi_mask(volume, opening=2).dataobj) > 0
    except ValueError as error:
        raise ScanError(f"no brain found in the BOLD image ({error})") from error
    litres = mask.sum() * abs(np.linalg.det(reference.affine)) / 1e6
    if litres < MIN_LITRES:
        raise ScanError(f"no brain found in the BOLD image: its mask has {litres:.2f} litres")
    return np.asarray(mask)


def _find_brain(grid: Image, template: Template, affine: np.ndarray, inverse: Warp) -> np.ndarray:
    """Bring the template's brain to the grid of a T1w image, slice by slice (memory)."""
    to_template = np.linalg.inv(affine) @ grid.affine
    mask, brain = np.zeros(grid.data.shape, bool), template.brain.astype(np.float32)
    plane = np.argwhere(np.ones((1, *grid.data.shape[1:]), bool)).T
    for x in range(len(mask)):
        points = inverse(transform(to_template, plane + np.array([[x], [0], [0]])))
        voxels = transform(np.linalg.inv(template.affine), points)
        mask[x] = (map_coordinates(brain, voxels, order=1) >= 0.5).reshape(mask.shape[1:])
    return mask


def _target(template: Template) -> tuple[Image, np.ndarray]:
    """Take the brain and its edge as what to register to; the template has no scalp."""
    return Image(template.t1w, template.affine), binary_dilation(template.brain)


def _bold_start(moving: Image, mask: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """Believe the headers when the two brains overlap, else put their centres together."""
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
    """Blur and resample an image whose voxels are smaller than this (mm)."""
    old = voxel_sizes(image.affine)
    ratio = np.maximum(voxel_size / old, 1.0)
    if ratio.max() < 1.2:
        return image
    sharp = gaussian_filter(image.data, np.sqrt(ratio**2 - 1) / 2.355)
    shape = tuple(int(n) for n in np.ceil(np.array(image.data.shape) / ratio))
    # The middle of the grid stays where it is.
    corner = (np.array(image.data.shape) - 1) / 2 - ratio * (np.array(shape) - 1) / 2
    to_old = np.diag([*ratio, 1.0])
    to_old[:3, 3] = corner
    data = map_coordinates(sharp, grid_points(shape, to_old), order=1, mode="nearest")
    return Image(data.reshape(shape), image.affine @ to_old)


def _head_centre(image: Image) -> np.ndarray:
    """Centre (mm) of the head without the neck: what is bright below the top of the image."""
    bright = np.argwhere(image.data > image.data.mean()).T
    points = transform(image.affine, bright)
    top = np.percentile(points[2], 99.9)
    return np.asarray(points[:, points[2] > top - HEAD].mean(axis=1))


def _centroid(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.asarray(transform(affine, np.argwhere(mask).T).mean(axis=1))

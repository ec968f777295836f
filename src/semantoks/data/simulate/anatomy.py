"""Head anatomy: the MNI152 template with skull and scalp, and individual head shapes.

Coordinate frames: template (MNI mm) → participant (the deformed template) → scanner (a rigid pose,
see ``scanner``). Images are resampled by pulling back, so all maps here go towards the template.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nilearn.datasets import (
    load_mni152_brain_mask,
    load_mni152_gm_template,
    load_mni152_template,
    load_mni152_wm_template,
)
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from semantoks.data.simulate.activity import load_regions

STEP = 2.0  # mm between voxels of the head
PADDING = 22  # mm added around nilearn's template for skull, scalp and air
NEIGHBOURS = 3  # regions that contribute to the signal of a voxel
BRAIN_CENTRE = np.array([0.0, -18.0, 5.0])  # MNI mm; heads are rotated and scaled about it
# BOLD signal loss near the air of sinuses and ear canals: centre and width in MNI mm.
DROPOUTS = [((0, 32, -28), 11), ((-50, -24, -32), 8), ((50, -24, -32), 8)]


@dataclass(frozen=True)
class Head:
    """The template's head on a 2 mm grid.

    Attributes
    ----------
    t1w : ndarray, shape (x, y, z)
        T1-weighted intensity, about 0.65 in grey matter and 0.86 in white matter.
    bold : ndarray, shape (x, y, z)
        T2*-weighted intensity, 1 in grey matter.
    fluid : ndarray, shape (x, y, z)
        Volume fraction of cerebrospinal fluid.
    regions : ndarray of int, shape (voxels, NEIGHBOURS)
        Regions that contribute to the signal of a voxel.
    weights : ndarray, shape (voxels, NEIGHBOURS)
        Their weights, with a sum of at most 1.
    origin : ndarray, shape (3,)
        MNI mm of the centre of the first voxel.
    """

    t1w: np.ndarray
    bold: np.ndarray
    fluid: np.ndarray
    regions: np.ndarray
    weights: np.ndarray
    origin: np.ndarray

    def voxels(self, points: np.ndarray) -> np.ndarray:
        """Convert template points (3, n) in mm to voxel coordinates (3, n)."""
        return np.asarray((points - self.origin[:, None]) / STEP)


def _load_tissues() -> tuple[np.ndarray, ...]:
    """Load T1w template, grey matter, white matter and brain mask at 2 mm."""
    loaders = load_mni152_template, load_mni152_gm_template, load_mni152_wm_template
    images = [load(resolution=1).get_fdata(dtype=np.float32) for load in loaders]
    brain = load_mni152_brain_mask(resolution=1).get_fdata(dtype=np.float32)
    return tuple(_downsample(image) for image in (*images, brain))


def _downsample(image: np.ndarray) -> np.ndarray:
    """Average blocks of 2 × 2 × 2 voxels of 1 mm, after padding to even sizes."""
    padded = np.pad(image, [(PADDING, PADDING + n % 2) for n in image.shape])
    x, y, z = (n // 2 for n in padded.shape)
    return padded.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))


@lru_cache(maxsize=1)
def build_head() -> Head:
    """Add skull and scalp to the template, and assign its voxels to regions."""
    t1w, grey, white, brain = _load_tissues()
    # + 0.5 mm: the first voxel of 2 mm is centred between two of 1 mm.
    origin = load_mni152_template(resolution=1).affine[:3, 3] - PADDING + 0.5
    points = np.moveaxis(np.indices(t1w.shape), 0, -1) * STEP + origin
    fluid = np.clip(brain - grey - white, 0, 1)
    scalp = _scalp(points, brain)
    # In T2*-weighted images fluid is brightest and white matter darkest, unlike in T1w images.
    bold = grey * 1.0 + white * 0.8 + fluid * 1.5
    rim = gaussian_filter(brain, 1) * (1 - brain)  # fluid between brain and skull
    bold += 1.2 * rim + 0.12 * scalp  # low, since BOLD sequences suppress fat
    for centre, width in DROPOUTS:
        squared = ((points - centre) ** 2).sum(-1)
        bold *= 1 - 0.85 * np.exp(-squared / (2 * width**2))
    regions, weights = _assign_regions(points.reshape(-1, 3), grey.ravel(), brain.ravel())
    return Head(t1w + 0.2 * rim + 0.75 * scalp, bold, fluid, regions, weights, origin)


def _scalp(points: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Return the intensity of the scalp (9 to 15 mm outside the brain) and of face and neck."""
    outside = distance_transform_edt(brain < 0.5) * STEP
    shell = np.exp(-(((outside - 12) / 3) ** 2))
    face = (((points - (0, -5, -75)) / (60, 85, 45)) ** 2).sum(-1) < 1
    return np.where(face & (outside > 9), 0.7, shell) * (outside > 6)


def _assign_regions(
    points: np.ndarray, grey: np.ndarray, brain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Assign each brain voxel to its nearest regions, with larger weights in grey matter.

    Parameters
    ----------
    points : ndarray, shape (voxels, 3)
        MNI mm.
    grey, brain : ndarray, shape (voxels,)
        Volume fractions.

    Returns
    -------
    regions, weights : ndarray, shape (voxels, NEIGHBOURS)
    """
    inside = np.flatnonzero(brain > 0.05)
    distance, nearest = cKDTree(load_regions().centres).query(points[inside], k=NEIGHBOURS)
    # 1e-9 avoids 0 / 0 far from every region.
    share = np.exp(-((distance / 6) ** 2) / 2) + 1e-9
    share /= share.sum(1, keepdims=True)
    strength = np.exp(-((distance[:, :1] / 12) ** 2) / 2) * (0.3 + 0.7 * grey[inside, None])
    regions = np.zeros((len(points), NEIGHBOURS), np.int32)
    weights = np.zeros((len(points), NEIGHBOURS), np.float32)
    regions[inside], weights[inside] = nearest, share * strength
    return regions, weights


@dataclass(frozen=True)
class HeadShape:
    """Deformation of an individual head onto the template: affine plus smooth displacement.

    Attributes
    ----------
    linear : ndarray, shape (3, 3)
    shift : ndarray, shape (3,)
        mm.
    displacement : ndarray, shape (3, SIZE, SIZE, SIZE)
        mm, on a grid of `SPACING` mm centred on `BRAIN_CENTRE`.
    """

    linear: np.ndarray
    shift: np.ndarray
    displacement: np.ndarray

    SPACING = 10.0
    SIZE = 31

    def to_template(self, points: np.ndarray) -> np.ndarray:
        """Map points (3, n) from the participant's frame to the template; both in mm."""
        centred = points - BRAIN_CENTRE[:, None]
        grid = centred / self.SPACING + (self.SIZE - 1) / 2
        warp = [map_coordinates(d, grid, order=1, mode="nearest") for d in self.displacement]
        affine = self.linear @ centred + (BRAIN_CENTRE + self.shift)[:, None]
        return np.asarray(affine + np.stack(warp))


def draw_head_shape(rng: np.random.Generator) -> HeadShape:
    """Draw a head: size ± 4 %, slight shear, and a smooth displacement (SD 2.5 mm)."""
    linear = np.diag(np.exp(rng.normal(0, 0.04, 3))) + rng.normal(0, 0.015, (3, 3))
    noise = rng.standard_normal((3, HeadShape.SIZE, HeadShape.SIZE, HeadShape.SIZE))
    # Smoothing over 20 mm keeps the slope of the displacement far below 1: it cannot fold.
    smooth = gaussian_filter(noise, (0, 2, 2, 2), mode="wrap")
    return HeadShape(linear, rng.normal(0, 2, 3), 2.5 * smooth / smooth.std())

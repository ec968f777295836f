"""A head made from the MNI152 template, and how one person's head differs from it.

Frames: template (MNI mm) → person (the template, deformed) → scanner (a rigid pose, see
``acquisition``). Images are pulled back, so everything here maps points towards the template.
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
PADDING = 22  # mm of air, skull and scalp around nilearn's template
NEIGHBOURS = 3  # regions that a voxel listens to
BRAIN_CENTRE = np.array([0.0, -18.0, 5.0])  # MNI mm; heads are turned and scaled about it
# Where air in sinuses and ear canals destroys the BOLD signal: centre and width in MNI mm.
DROPOUTS = [((0, 32, -28), 11), ((-50, -24, -32), 8), ((50, -24, -32), 8)]


@dataclass(frozen=True)
class Head:
    """The template's head on a 2 mm grid: contrasts, and which regions a voxel listens to."""

    t1w: np.ndarray  # grey matter about 0.65, white matter 0.86
    bold: np.ndarray  # T2*-weighted, grey matter 1
    fluid: np.ndarray  # part of a voxel that is cerebrospinal fluid
    regions: np.ndarray  # (voxels, NEIGHBOURS) numbers of regions
    weights: np.ndarray  # (voxels, NEIGHBOURS), at most 1 in sum
    origin: np.ndarray  # MNI mm of the centre of the first voxel

    def voxels(self, points: np.ndarray) -> np.ndarray:
        """Voxel coordinates (3, n) of template points (3, n)."""
        return np.asarray((points - self.origin[:, None]) / STEP)


def _loaded() -> tuple[np.ndarray, ...]:
    loaders = load_mni152_template, load_mni152_gm_template, load_mni152_wm_template
    images = [load(resolution=1).get_fdata(dtype=np.float32) for load in loaders]
    brain = load_mni152_brain_mask(resolution=1).get_fdata(dtype=np.float32)
    return tuple(_coarse(image) for image in (*images, brain))


def _coarse(image: np.ndarray) -> np.ndarray:
    """Average blocks of 2 × 2 × 2 voxels of 1 mm after padding to even sizes."""
    padded = np.pad(image, [(PADDING, PADDING + n % 2) for n in image.shape])
    x, y, z = (n // 2 for n in padded.shape)
    return padded.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))


@lru_cache(maxsize=1)
def build_head() -> Head:
    """Put a skull and a scalp around the template, and assign its voxels to regions."""
    t1w, grey, white, brain = _loaded()
    origin = load_mni152_template(resolution=1).affine[:3, 3] - PADDING + 0.5
    points = np.moveaxis(np.indices(t1w.shape), 0, -1) * STEP + origin
    fluid = np.clip(brain - grey - white, 0, 1)
    scalp = _scalp(points, brain)
    bold = grey * 1.0 + white * 0.8 + fluid * 1.5
    rim = gaussian_filter(brain, 1) * (1 - brain)  # fluid between brain and skull
    bold += 1.2 * rim + 0.12 * scalp  # fat is suppressed
    for centre, width in DROPOUTS:
        squared = ((points - centre) ** 2).sum(-1)
        bold *= 1 - 0.85 * np.exp(-squared / (2 * width**2))
    numbers, weights = _listen(points.reshape(-1, 3), grey.ravel(), brain.ravel())
    return Head(t1w + 0.2 * rim + 0.75 * scalp, bold, fluid, numbers, weights, origin)


def _scalp(points: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Scalp 9 to 15 mm outside the brain, and soft tissue of face and neck below it."""
    outside = distance_transform_edt(brain < 0.5) * STEP
    shell = np.exp(-(((outside - 12) / 3) ** 2))
    face = (((points - (0, -5, -75)) / (60, 85, 45)) ** 2).sum(-1) < 1
    return np.where(face & (outside > 9), 0.7, shell) * (outside > 6)


def _listen(
    points: np.ndarray, grey: np.ndarray, brain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share each brain voxel among the nearest regions; grey matter listens more than white."""
    inside = np.flatnonzero(brain > 0.05)
    distance, nearest = cKDTree(load_regions().centres).query(points[inside], k=NEIGHBOURS)
    share = np.exp(-((distance / 6) ** 2) / 2) + 1e-9
    share /= share.sum(1, keepdims=True)
    strength = np.exp(-((distance[:, :1] / 12) ** 2) / 2) * (0.3 + 0.7 * grey[inside, None])
    numbers = np.zeros((len(points), NEIGHBOURS), np.int32)
    weights = np.zeros((len(points), NEIGHBOURS), np.float32)
    numbers[inside], weights[inside] = nearest, share * strength
    return numbers, weights


@dataclass(frozen=True)
class Shape:
    """How one person's head maps onto the template: linear part and smooth displacement."""

    linear: np.ndarray  # (3, 3)
    shift: np.ndarray  # (3,) mm
    displacement: np.ndarray  # (3, n, n, n) mm, every SPACING mm about BRAIN_CENTRE

    SPACING = 10.0
    SIZE = 31

    def to_template(self, points: np.ndarray) -> np.ndarray:
        """Map points (3, n) of the person's frame to the template (3, n)."""
        centred = points - BRAIN_CENTRE[:, None]
        grid = centred / self.SPACING + (self.SIZE - 1) / 2
        warp = [map_coordinates(d, grid, order=1, mode="nearest") for d in self.displacement]
        straight = self.linear @ centred + (BRAIN_CENTRE + self.shift)[:, None]
        return np.asarray(straight + np.stack(warp))


def draw_shape(rng: np.random.Generator) -> Shape:
    """Draw a person's head: size ± 4 %, a little shear, a smooth warp of 2.5 mm (SD).

    The displacement is smooth over 20 mm, so its slope stays far below 1: no folding.
    """
    linear = np.diag(np.exp(rng.normal(0, 0.04, 3))) + rng.normal(0, 0.015, (3, 3))
    noise = rng.standard_normal((3, Shape.SIZE, Shape.SIZE, Shape.SIZE))
    smooth = gaussian_filter(noise, (0, 2, 2, 2), mode="wrap")
    return Shape(linear, rng.normal(0, 2, 3), 2.5 * smooth / smooth.std())

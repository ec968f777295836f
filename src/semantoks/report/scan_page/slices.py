"""Slices through images in template space, with outlines, for a look at the registration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, map_coordinates

PIXEL = 2.0  # mm
# MNI mm of what a slice shows, along x, y and z: the brain and a margin.
EXTENT = ((-84, 84), (-116, 84), (-62, 92))
# Axis that a slice is across, and where: sagittal, coronal, axial.
SLICES = ((0, -6), (0, 34), (1, -22), (1, 24), (2, -20), (2, 6), (2, 34))
MARGIN = 10.0  # mm around the template's brain that is shown: enough for its edge, but no face
BOLD_COLOUR = np.array([1.0, 0.55, 0.1])
TEMPLATE_COLOUR = np.array([0.35, 0.8, 1.0])


@dataclass(frozen=True)
class Volume:
    """An image in template space.

    Attributes
    ----------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxels to mm.
    """

    values: np.ndarray
    affine: np.ndarray

    def sampled(self, points: np.ndarray) -> np.ndarray:
        """Interpolate at points (3, ...) in mm; 0 beyond the image."""
        inverse = np.linalg.inv(self.affine)
        voxels = np.tensordot(inverse[:3, :3], points, 1) + inverse[:3, 3, None, None]
        return np.asarray(map_coordinates(self.values, voxels, order=1, output=np.float32))


@dataclass(frozen=True)
class Outlines:
    """What is outlined on a picture.

    Attributes
    ----------
    bold : Volume or None
        Brain mask of the run, drawn as a line.
    has_template : bool
        Whether brain and white matter of the MNI152 template are dotted, too.
    """

    bold: Volume | None
    has_template: bool


def montage(image: Volume, outlines: Outlines) -> np.ndarray:
    """Draw `SLICES` of an image side by side, with outlines.

    Returns
    -------
    ndarray, shape (height, width, 3)
        Values from 0 to 1.
    """
    grey = [image.sampled(points) for points in _points()]
    shown = grey
    if outlines.has_template:
        shown = [values * near for values, near in zip(grey, _near_brain(), strict=True)]
    positive = np.concatenate([values[values > 0] for values in shown] or [np.zeros(0)])
    brightest = float(np.percentile(positive, 99)) if len(positive) else 1.0
    tiles = []
    for number, (values, points) in enumerate(zip(shown, _points(), strict=True)):
        tile = np.repeat(np.clip(values / brightest, 0, 1)[..., None], 3, axis=2)
        if outlines.has_template:
            for edge in _template_edges(number):
                tile[edge & _dots(edge.shape)] = TEMPLATE_COLOUR
        if outlines.bold is not None:
            tile[_edge(outlines.bold.sampled(points) >= 0.5)] = BOLD_COLOUR
        tiles.append(tile)
    return _side_by_side(tiles)


@lru_cache(maxsize=1)
def _points() -> tuple[np.ndarray, ...]:
    """Coordinates (3, height, width) of the pixels of each slice; up is superior or anterior."""
    ranges = [np.arange(low, high, PIXEL) for low, high in EXTENT]
    slices = []
    for axis, place in SLICES:
        across, up = [n for n in range(3) if n != axis]
        grid = np.empty((3, len(ranges[up]), len(ranges[across])))
        grid[axis] = place
        grid[across] = ranges[across][None, :]
        grid[up] = ranges[up][::-1, None]
        slices.append(grid)
    return tuple(slices)


@lru_cache(maxsize=1)
def _template() -> tuple[Volume, Volume]:
    """Brain mask and white matter of the MNI152 template."""
    # Seconds to import; pages of time series have no brains.
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_wm_template

    images = load_mni152_brain_mask(resolution=2), load_mni152_wm_template(resolution=2)
    brain, white = (Volume(i.get_fdata(dtype=np.float32), i.affine) for i in images)
    return brain, white


@lru_cache(maxsize=len(SLICES))
def _template_edges(number: int) -> tuple[np.ndarray, np.ndarray]:
    points = _points()[number]
    brain, white = (_edge(volume.sampled(points) >= 0.5) for volume in _template())
    return brain, white


@lru_cache(maxsize=1)
def _near_brain() -> tuple[np.ndarray, ...]:
    brain, width = _template()[0], round(MARGIN / PIXEL)
    masks = (brain.sampled(points) >= 0.5 for points in _points())
    return tuple(binary_dilation(mask, iterations=width) for mask in masks)


def _edge(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask & ~binary_erosion(mask))


def _dots(shape: tuple[int, ...]) -> np.ndarray:
    """Every other pixel, so that the template's line differs without colour, too."""
    return np.indices(shape).sum(axis=0) % 2 == 0


def _side_by_side(tiles: list[np.ndarray]) -> np.ndarray:
    """Join pictures of different heights, centred on black."""
    height = max(len(tile) for tile in tiles)
    padded = []
    for tile in tiles:
        above = (height - len(tile)) // 2
        below = height - len(tile) - above
        padded.append(np.pad(tile, ((above, below), (1, 1), (0, 0))))
    return np.concatenate(padded, axis=1)

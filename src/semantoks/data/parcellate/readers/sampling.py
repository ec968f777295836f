"""Which of several images of a run, in the same space, fits an atlas or another image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.data.parcellate.images.cifti import vertices_of, vertices_of_file
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.errors import ScanError

SAME_SIZE = 0.01  # relative difference of the volumes of voxels that is rounding of headers


def nearest_resolution(images: Sequence[Path], affine: np.ndarray) -> Path:
    """Choose the image whose voxels have the size of a grid, or the most similar size.

    Parameters
    ----------
    images : sequence of Path
    affine : ndarray, shape (4, 4)
        Of the grid.

    Raises
    ------
    ScanError
        When several images fit equally well, or one cannot be read.
    """
    ratios = [_voxel_volume(open_image(path).affine) / _voxel_volume(affine) for path in images]
    distances = np.abs(np.log(ratios))
    return _only(
        [
            path
            for path, distance in zip(images, distances, strict=True)
            if distance <= distances.min() + SAME_SIZE
        ]
    )


def same_density(images: Sequence[Path], atlas: Any) -> Path:
    """Choose the CIFTI image on the meshes of an atlas; if there is none, the first.

    Parameters
    ----------
    images : sequence of Path
    atlas : nibabel CIFTI image

    Raises
    ------
    ScanError
        When several images are on these meshes, or one cannot be read.
    """
    meshes = vertices_of(atlas.header.get_axis(1))
    fitting = [path for path in images if vertices_of_file(path) == meshes]
    # The first is then refused for its meshes, which are the reason that matters.
    return _only(fitting) if fitting else images[0]


def _voxel_volume(affine: np.ndarray) -> float:
    return float(abs(np.linalg.det(affine[:3, :3])))


def _only(images: list[Path]) -> Path:
    if len(images) > 1:
        names = ", ".join(path.name for path in images)
        raise ScanError(f"several images of this run fit equally well ({names})")
    return images[0]

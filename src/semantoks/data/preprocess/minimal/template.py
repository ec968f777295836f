"""The MNI152 template that nilearn carries, on any grid.

Its files are the *symmetric* ICBM 2009a template (mirrored voxels are equal), although nilearn's
documentation calls it asymmetrical; hence the space label.
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
from scipy.ndimage import binary_dilation, distance_transform_edt

from semantoks.config import MINIMAL_SPACE
from semantoks.data.preprocess.minimal.geometry import grid_points

SPACE = MINIMAL_SPACE
DEPTH = 12.0  # mm below the surface of the brain where fluid is surely in a ventricle
PURE = {"white_matter": 0.95, "csf": 0.5}  # tissue share of a voxel; ventricles are narrow
MARGIN = 6.0  # mm around the brain that is written too


@dataclass(frozen=True)
class Template:
    """Template on a grid; arrays of shape (x, y, z)."""

    affine: np.ndarray
    t1w: np.ndarray
    brain: np.ndarray  # bool
    white_matter: np.ndarray  # bool: surely white matter
    csf: np.ndarray  # bool: surely ventricle

    @property
    def surroundings(self) -> np.ndarray:
        """The brain and a margin around it, bool."""
        voxel = float(self.affine[0, 0])
        return np.asarray(binary_dilation(self.brain, iterations=max(1, round(MARGIN / voxel))))

    def points(self) -> np.ndarray:
        """MNI mm (3, n) of all voxels."""
        return grid_points(self.t1w.shape, self.affine)


@lru_cache(maxsize=1)
def _full_resolution() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    image = load_mni152_template(resolution=1)
    loaders = {
        "brain": load_mni152_brain_mask,
        "grey": load_mni152_gm_template,
        "white": load_mni152_wm_template,
    }
    arrays = {n: load(resolution=1).get_fdata(dtype=np.float32) for n, load in loaders.items()}
    return image.affine, {"t1w": image.get_fdata(dtype=np.float32), **arrays}


@lru_cache(maxsize=4)
def load_template(voxel_size: float) -> Template:
    """Resample the template.

    Parameters
    ----------
    voxel_size
        Edge of a voxel in mm; the first voxel lies where the full template has it.

    Returns
    -------
    Template
    """
    full_affine, full = _full_resolution()
    shape = tuple(int(np.ceil(n / voxel_size)) for n in full["t1w"].shape)
    affine = np.diag([voxel_size] * 3 + [1.0])
    affine[:3, 3] = full_affine[:3, 3]
    # Tissue is averaged over a voxel; the T1w image stays sharp: blurred alike, it cost
    # registration 0.4 mm of 1.4 mm accuracy.
    blur = {"t1w": 0.0, "brain": voxel_size, "grey": voxel_size, "white": voxel_size}
    t1w, brain, grey, white = (
        _sampled(full[name], shape, voxel_size, fwhm) for name, fwhm in blur.items()
    )
    inside = brain >= 0.5
    deep = distance_transform_edt(inside) * voxel_size > DEPTH
    fluid = brain - grey - white
    return Template(affine, t1w, inside, white > PURE["white_matter"], (fluid > PURE["csf"]) & deep)


def _sampled(
    image: np.ndarray, shape: tuple[int, ...], voxel_size: float, fwhm: float
) -> np.ndarray:
    """Sample an image of 1 mm voxels every `voxel_size` mm, blurred to `fwhm` mm.

    Grids are parallel, so that each axis is one matrix product.
    """
    sigma = max(fwhm / 2.355, 0.25)
    x, y, z = (
        _weights(n, before, voxel_size, sigma, bool(fwhm))
        for n, before in zip(shape, image.shape, strict=True)
    )
    rows = (x @ image.reshape(len(image), -1)).reshape(-1, *image.shape[1:])
    return np.asarray((y @ rows) @ z.T)


def _weights(n: int, before: int, voxel_size: float, sigma: float, air: bool) -> np.ndarray:
    """Weights (n, before) of the old voxels along one axis in each new one."""
    away = np.arange(n)[:, None] * voxel_size - np.arange(before)
    weights = np.exp(-((away / sigma) ** 2) / 2).astype(np.float32)
    # Beyond the image there is air: its weight is lost, not handed to the last voxel.
    total = sigma * np.sqrt(2 * np.pi) if air else weights.sum(1, keepdims=True)
    return np.asarray(weights / total, np.float32)

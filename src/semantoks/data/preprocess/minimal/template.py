"""The MNI152 template shipped with nilearn, resampled to any voxel size.

nilearn's documentation calls it asymmetric, but its files are the *symmetric* ICBM 2009a template
(mirrored voxels are equal), and the derivatives' space label says so.
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
DEPTH = 12.0  # mm below the surface of the brain, beyond which CSF is ventricular
# Minimal tissue fraction of a voxel; that of CSF is lower because ventricles are narrow.
PURE = {"white_matter": 0.95, "csf": 0.5}
MARGIN = 6.0  # mm around the brain that derivatives include


@dataclass(frozen=True)
class Template:
    """The template on a grid; arrays have shape (x, y, z).

    Attributes
    ----------
    affine : ndarray, shape (4, 4)
        Voxels to MNI mm.
    t1w : ndarray of float32
    brain, white_matter, csf : ndarray of bool
        Conservative masks: white matter without partial volume, CSF in ventricles only.
    """

    affine: np.ndarray
    t1w: np.ndarray
    brain: np.ndarray
    white_matter: np.ndarray
    csf: np.ndarray

    @property
    def surroundings(self) -> np.ndarray:
        """Mask of the brain and a margin of `MARGIN` mm."""
        voxel = float(self.affine[0, 0])
        return np.asarray(binary_dilation(self.brain, iterations=max(1, round(MARGIN / voxel))))

    def points(self) -> np.ndarray:
        """Compute the MNI coordinates (3, n) of all voxels in mm."""
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
    voxel_size : float
        Edge of a voxel in mm; the first voxel has the same centre as in the 1 mm template.

    Returns
    -------
    Template
    """
    full_affine, full = _full_resolution()
    shape = tuple(int(np.ceil(n / voxel_size)) for n in full["t1w"].shape)
    affine = np.diag([voxel_size] * 3 + [1.0])
    affine[:3, 3] = full_affine[:3, 3]
    # Tissue fractions are averages over a voxel. The T1w image stays sharp: blurring it as
    # well worsened the registration error of about 1.4 mm by 0.4 mm.
    blur = {"t1w": 0.0, "brain": voxel_size, "grey": voxel_size, "white": voxel_size}
    t1w, brain, grey, white = (
        _sampled(full[name], shape, voxel_size, fwhm) for name, fwhm in blur.items()
    )
    inside = brain >= 0.5
    # CSF near the surface borders grey matter, whose signal must stay out of the confounds.
    deep = distance_transform_edt(inside) * voxel_size > DEPTH
    # nilearn has no CSF map: it is what is neither grey nor white matter.
    csf = brain - grey - white
    return Template(affine, t1w, inside, white > PURE["white_matter"], (csf > PURE["csf"]) & deep)


def _sampled(
    image: np.ndarray, shape: tuple[int, ...], voxel_size: float, fwhm: float
) -> np.ndarray:
    """Sample an image of 1 mm voxels every `voxel_size` mm, blurred to `fwhm` mm.

    The grids are parallel, so the blur is separable and each axis is a matrix product.
    """
    sigma = max(fwhm / 2.355, 0.25)
    x, y, z = (
        _weights(n, n_source, voxel_size, sigma, bool(fwhm))
        for n, n_source in zip(shape, image.shape, strict=True)
    )
    rows = (x @ image.reshape(len(image), -1)).reshape(-1, *image.shape[1:])
    return np.asarray((y @ rows) @ z.T)


def _weights(
    n: int, n_source: int, voxel_size: float, sigma: float, zero_padded: bool
) -> np.ndarray:
    """Compute Gaussian weights (n, n_source) of source voxels along an axis.

    With `zero_padded` the image is 0 beyond its edge; otherwise weights are renormalised there.
    """
    distance = np.arange(n)[:, None] * voxel_size - np.arange(n_source)
    weights = np.exp(-((distance / sigma) ** 2) / 2).astype(np.float32)
    total = sigma * np.sqrt(2 * np.pi) if zero_padded else weights.sum(1, keepdims=True)
    return np.asarray(weights / total, np.float32)

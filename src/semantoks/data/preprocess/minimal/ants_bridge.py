"""Call ANTs with arrays, and return its transforms as functions of coordinates in mm (RAS).

The conversion is necessary because ITK's coordinates point to left and posterior (LPS), those of
NIfTI to right and anterior.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# With several threads, ITK sums in varying order and results differ in the last bits. ITK reads the
# variable when it is loaded.
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"

import ants
import nibabel as nib
import numpy as np
from scipy.ndimage import map_coordinates

from semantoks.data.preprocess.minimal.geometry import transform

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS ↔ LPS
SEED = 1  # together with a single ITK thread this makes transforms reproducible to the last bit
SAMPLING = 0.5  # fraction of voxels at which the metric is evaluated
# A third level at full resolution would triple the time without improving the result after SyN.
ITERATIONS, SHRINK = (200, 100), (3, 2)
# Voxels. With less smoothing, affine registration fails for rotated heads.
SMOOTHING = {"Affine": (2, 1), "Rigid": (1, 0)}
# The last level takes most of the time: its 5 iterations improve accuracy by 1 mm, 5 more by 0.15.
SYN_ITERATIONS = (40, 20, 5)


@dataclass(frozen=True)
class Image:
    """A three-dimensional array and its affine (voxels to mm, RAS)."""

    data: np.ndarray
    affine: np.ndarray

    def to_ants(self) -> ants.ANTsImage:
        """Copy to an ANTs image."""
        affine = FLIP @ self.affine
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        return ants.from_numpy(
            np.ascontiguousarray(self.data, dtype=np.float32),
            origin=affine[:3, 3].tolist(),
            spacing=spacing.tolist(),
            direction=affine[:3, :3] / spacing,
        )


@dataclass(frozen=True)
class Warp:
    """A displacement field (x, y, z, 3) in mm, and the affine of its grid."""

    displacement: np.ndarray
    affine: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Displace points (3, n) in mm."""
        voxels = transform(np.linalg.inv(self.affine), points)
        displacements = [
            # Beyond the field the displacement of its edge continues; 0 would tear the head there.
            map_coordinates(self.displacement[..., axis], voxels, order=1, mode="nearest")
            for axis in range(3)
        ]
        return np.asarray(points + np.stack(displacements))


def correct_bias(image: Image, spacing: float, mask: np.ndarray | None = None) -> Image:
    """Correct intensity non-uniformity with N4.

    Source: Tustison et al. 2010, doi:10.1109/TMI.2010.2046908.

    Parameters
    ----------
    image : Image
    spacing : float
        Approximate voxel size in mm at which the bias field is estimated. It is smooth, so coarse
        voxels suffice.
    mask : ndarray of bool, shape of the image, optional
        Voxels used for the estimate; all by default.

    Returns
    -------
    Image
    """
    voxel = float(np.abs(np.linalg.det(image.affine[:3, :3])) ** (1 / 3))
    corrected = ants.n4_bias_field_correction(
        image.to_ants(),
        mask=None if mask is None else Image(mask, image.affine).to_ants(),
        shrink_factor=max(1, round(spacing / voxel)),
        convergence={"iters": [20, 20], "tol": 1e-4},
    )
    return Image(corrected.numpy(), image.affine)


def register_linear(
    kind: str, fixed: Image, mask: np.ndarray, moving: Image, start: np.ndarray
) -> np.ndarray:
    """Estimate a rigid or affine transform by maximising mutual information.

    Parameters
    ----------
    kind : {"Rigid", "Affine"}
    fixed : Image
        Image to register to.
    mask : ndarray of bool
        Voxels of `fixed` at which the metric is evaluated.
    moving : Image
        Image to register.
    start : ndarray, shape (4, 4)
        Initial transform, from mm of `fixed` to mm of `moving`.

    Returns
    -------
    ndarray, shape (4, 4)
        From mm of `fixed` to mm of `moving`.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = ants.registration(
            fixed.to_ants(),
            moving.to_ants(),
            kind,
            initial_transform=[_write_matrix(start, Path(folder) / "start.mat")],
            mask=Image(mask, fixed.affine).to_ants(),
            # By default ANTs applies the mask in the last stage only.
            mask_all_stages=True,
            aff_random_sampling_rate=SAMPLING,
            random_seed=SEED,
            outprefix=f"{folder}/",
            aff_iterations=ITERATIONS,
            aff_shrink_factors=SHRINK,
            aff_smoothing_sigmas=SMOOTHING[kind],
        )
        # In the forward direction ANTs lists the affine last.
        return _read_matrix(result["fwdtransforms"][-1])


def register_syn(
    fixed: Image, mask: np.ndarray, moving: Image, affine: np.ndarray
) -> tuple[Warp, Warp]:
    """Refine an affine transform by symmetric normalisation (SyN).

    Source: Avants et al. 2008, doi:10.1016/j.media.2007.06.004.

    Parameters
    ----------
    fixed, mask, moving
        As for `register_linear`.
    affine : ndarray, shape (4, 4)
        Result of `register_linear`.

    Returns
    -------
    forward, inverse : Warp
        A point p of `fixed` corresponds to ``affine @ forward(p)`` in `moving`, a point q of
        `moving` to ``inverse(inv(affine) @ q)`` in `fixed`.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = ants.registration(
            fixed.to_ants(),
            moving.to_ants(),
            "SyNOnly",
            initial_transform=[_write_matrix(affine, Path(folder) / "affine.mat")],
            mask=Image(mask, fixed.affine).to_ants(),
            mask_all_stages=True,
            reg_iterations=SYN_ITERATIONS,
            random_seed=SEED,
            outprefix=f"{folder}/",
        )
        # ANTs lists the warp first in the forward direction and last in the inverse one.
        return _read_warp(result["fwdtransforms"][0]), _read_warp(result["invtransforms"][-1])


def _write_matrix(matrix: np.ndarray, path: Path) -> str:
    lps = FLIP @ matrix @ FLIP
    affine = ants.create_ants_transform(
        transform_type="AffineTransform", matrix=lps[:3, :3], offset=lps[:3, 3]
    )
    ants.write_transform(affine, str(path))
    return str(path)


def _read_matrix(path: str) -> np.ndarray:
    stored = ants.read_transform(path)
    numbers, centre = np.asarray(stored.parameters), np.asarray(stored.fixed_parameters)
    lps = np.eye(4)
    lps[:3, :3] = numbers[:9].reshape(3, 3)
    # ITK rotates about a centre of its own, which is absorbed into the translation.
    lps[:3, 3] = numbers[9:] + centre - lps[:3, :3] @ centre
    return np.asarray(FLIP @ lps @ FLIP)


def _read_warp(path: str) -> Warp:
    image = nib.load(path)
    # ITK stores vectors as a fifth dimension, after a fourth of length 1, and in LPS.
    displacement = np.asarray(image.dataobj, dtype=np.float32)[:, :, :, 0, :]
    return Warp(displacement * np.array([-1, -1, 1], np.float32), image.affine)

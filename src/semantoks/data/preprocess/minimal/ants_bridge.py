"""ANTs behind arrays: images in, transforms out as functions of millimetres (RAS).

ITK counts its millimetres towards left and posterior (LPS), NIfTI towards right and anterior.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ants
import nibabel as nib
import numpy as np
from scipy.ndimage import map_coordinates

from semantoks.data.preprocess.minimal.geometry import transform

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS ↔ LPS
SEED = 1  # with one ITK thread the same images give the same transform to the last bit
SAMPLING = 0.5  # fraction of voxels the metric looks at
# Two levels of resolution; a third, the full one, triples the time and gains nothing after SyN.
ITERATIONS, SHRINK = (200, 100), (3, 2)
SMOOTHING = {"Affine": (2, 1), "Rigid": (1, 0)}  # voxels; less, and Affine misses turned heads
SYN_ITERATIONS = (40, 20, 5)  # the last level costs most: its 5 rounds gain 1 mm, 5 more 0.15 mm


@dataclass(frozen=True)
class Image:
    """A three-dimensional array and its affine (voxel → mm, RAS)."""

    data: np.ndarray
    affine: np.ndarray

    def to_ants(self) -> Any:
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
    """Displacement (x, y, z, 3) in mm on a grid."""

    displacement: np.ndarray
    affine: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Move points (3, n)."""
        voxels = transform(np.linalg.inv(self.affine), points)
        moves = [
            map_coordinates(self.displacement[..., axis], voxels, order=1, mode="nearest")
            for axis in range(3)
        ]
        return np.asarray(points + np.stack(moves))


def correct_bias(image: Image, spacing: float, mask: np.ndarray | None = None) -> Image:
    """Even out the coil's sensitivity (N4, Tustison et al. 2010).

    Parameters
    ----------
    image
        Image to correct.
    spacing
        Work on voxels of about this size in mm; sensitivity is smooth.
    mask
        Where to look (bool, shape of the image); by default everywhere.

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
    """Find a Rigid or Affine transform by mutual information.

    Parameters
    ----------
    kind
        "Rigid" or "Affine".
    fixed
        Image to register to.
    mask
        Its voxels to look at, bool.
    moving
        Image to register.
    start
        First guess, (4, 4), from fixed to moving mm.

    Returns
    -------
    ndarray, shape (4, 4)
        From points (mm) of the fixed image to points of the moving image.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = ants.registration(
            fixed.to_ants(),
            moving.to_ants(),
            kind,
            initial_transform=[_write_matrix(start, Path(folder) / "start.mat")],
            mask=Image(mask, fixed.affine).to_ants(),
            mask_all_stages=True,
            aff_random_sampling_rate=SAMPLING,
            random_seed=SEED,
            outprefix=f"{folder}/",
            aff_iterations=ITERATIONS,
            aff_shrink_factors=SHRINK,
            aff_smoothing_sigmas=SMOOTHING[kind],
        )
        return _read_matrix(result["fwdtransforms"][-1])


def register_syn(
    fixed: Image, mask: np.ndarray, moving: Image, affine: np.ndarray
) -> tuple[Warp, Warp]:
    """Refine an affine transform by symmetric diffeomorphic normalisation (Avants et al. 2008).

    Parameters
    ----------
    fixed, mask, moving
        As for `register_linear`.
    affine
        What `register_linear` found.

    Returns
    -------
    forward, inverse : Warp
        A point p of the fixed image lies at ``affine @ forward(p)`` in the moving image, a point q
        of the moving image at ``inverse(inv(affine) @ q)`` in the fixed image.
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
    lps[:3, 3] = numbers[9:] + centre - lps[:3, :3] @ centre
    return np.asarray(FLIP @ lps @ FLIP)


def _read_warp(path: str) -> Warp:
    image = nib.load(path)
    displacement = np.asarray(image.dataobj, dtype=np.float32)[:, :, :, 0, :]
    return Warp(displacement * np.array([-1, -1, 1], np.float32), image.affine)

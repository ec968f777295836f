"""A simulated person in native space, with FSL's registration to MNI152.

Everything is computed from formulas, not by the code that is tested. In standard space, the signal
at a position x (mm) and time t is ``1000 + sum_k a_k(t) cos(w_k · x + p_k)``. A smooth map
`to_standard` leads from native to standard positions; the native image is the signal at the mapped
positions of its voxels. `to_native` inverts the map by fixed-point iteration.

FSL's conventions are spelled out once more here (fslpy, ``fsl.transform.nonlinear`` and
``fsl.data.image.Nifti.getAffine``): the FSL coordinate of voxel (i, j, k) is (i·dx, j·dy, k·dz) if
the determinant of the affine is negative, and ((N - 1 - i)·dx, j·dy, k·dz) if it is positive. The
warp field lies on the grid of the reference (MNI152). Its value in a voxel, added to the FSL
coordinate of that voxel, is the FSL coordinate in the source (the run) of the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.data.atlas.atlas import Atlas

VOLUMES, WAVES, CUBE = 24, 40, 24.0  # edge of a region in mm
# FSL's MNI152 is stored radiologically: x = 90 - 2 i, y = 2 j - 126, z = 2 k - 72; here with 4 mm.
SIZE = 4.0
SHAPE = (46, 55, 46)
MNI = np.array([[-SIZE, 0, 0, 90], [0, SIZE, 0, -126], [0, 0, SIZE, -72], [0, 0, 0, 1]])
RUN_SIZE, RUN_SHAPE = 4.5, (50, 52, 40)
TILT = 0.2  # rad by which the slices of the run are tilted
REGISTRATION = "reg/example_func2standard_warp.nii.gz"


def _tilted() -> np.ndarray:
    """Affine of the run, radiological: slices tilted about the left-right axis."""
    cos, sin = np.cos(TILT), np.sin(TILT)
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag([-RUN_SIZE, RUN_SIZE, RUN_SIZE])
    centre = (np.array(RUN_SHAPE) - 1) / 2
    affine[:3, 3] = np.array([4.0, -12, 20]) - affine[:3, :3] @ centre
    return affine


RUN = _tilted()


def to_standard(native_V3: np.ndarray) -> np.ndarray:
    """Map positions of the head in the scanner to MNI152: shift, rotation, scale, and waves."""
    cos, sin = np.cos(0.1), np.sin(0.1)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    scaled = (native_V3 - [4.0, -12, 20]) @ rotation.T * [1.08, 1.12, 1.05] + [0.0, -18, 18]
    return np.asarray(scaled + 4 * np.sin(native_V3[:, [1, 2, 0]] / 22 + [0.3, 1.0, 2.0]))


def to_native(standard_V3: np.ndarray) -> np.ndarray:
    """Invert `to_standard`."""
    native_V3 = standard_V3.copy()
    for _ in range(200):
        native_V3 = native_V3 - 0.7 * (to_standard(native_V3) - standard_V3)
    assert np.abs(to_standard(native_V3) - standard_V3).max() < 1e-6
    return native_V3


def positions(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """World coordinates (mm) of all voxels, the last axis fastest."""
    index_V3 = np.indices(shape).reshape(3, -1).T
    return np.asarray(index_V3 @ affine[:3, :3].T + affine[:3, 3])


def signal(standard_V3: np.ndarray, seed: int = 0) -> np.ndarray:
    """Signal at positions in standard space, shape (positions, volumes)."""
    rng = np.random.default_rng(seed)
    direction_K3 = rng.standard_normal((WAVES, 3))
    length_K = rng.uniform(25, 60, WAVES)
    wave_K3 = 2 * np.pi * direction_K3 / np.linalg.norm(direction_K3, axis=1)[:, None]
    phase_KV = (wave_K3 / length_K[:, None]) @ standard_V3.T + rng.uniform(0, 6, (WAVES, 1))
    course_KT = rng.standard_normal((WAVES, VOLUMES))
    return np.asarray(1000 + 5 * np.cos(phase_KV).T @ course_KT)


def is_brain(standard_V3: np.ndarray) -> np.ndarray:
    """Whether positions lie in an ellipsoid that has the size of the brain in MNI152."""
    scaled_V3 = (standard_V3 - [0.0, -18, 18]) / [70, 88, 72]
    return np.asarray((scaled_V3**2).sum(axis=1) < 1)


def fsl_coordinates(voxel_V3: np.ndarray, image: nib.Nifti1Image) -> np.ndarray:
    """FSL coordinates of voxels, as the docstring of this module says."""
    voxel_V3 = voxel_V3.copy()
    if np.linalg.det(image.affine[:3, :3]) > 0:
        voxel_V3[:, 0] = image.shape[0] - 1 - voxel_V3[:, 0]
    return np.asarray(voxel_V3 * image.header.get_zooms()[:3])


def native_atlas(affine: np.ndarray = MNI, shape: tuple[int, ...] = SHAPE) -> Atlas:
    """Cubes that fill the brain, on a grid in MNI152."""
    standard_V3 = positions(shape, affine)
    cube_V3 = np.floor(standard_V3 / CUBE).astype(int) + 10
    code_V = np.where(is_brain(standard_V3), cube_V3 @ [400, 20, 1], 0)
    codes, count = np.unique(code_V, return_counts=True)
    kept = [
        code for code, n in zip(codes, count, strict=True) if code and n * abs(affine[0, 0]) > 400
    ]
    label_V = np.zeros(len(code_V), np.int16)
    for label, code in enumerate(kept, 1):
        label_V[code_V == code] = label
    names = [f"r{label}" for label in range(1, len(kept) + 1)]
    regions = pd.DataFrame({"index": range(1, len(kept) + 1), "name": names, "network": names})
    return Atlas(
        "cubes", nib.Nifti1Image(label_V.reshape(shape), affine), regions, "MNI152NLin6Asym", "0"
    )


def expected_means(atlas: Atlas, seed: int = 0) -> np.ndarray:
    """Regional means of the signal in standard space, shape (volumes, regions)."""
    label_V = np.asarray(atlas.image.dataobj).ravel()
    value_VT = signal(positions(atlas.image.shape, atlas.image.affine), seed)
    return np.stack(
        [value_VT[label_V == label].mean(axis=0) for label in atlas.regions["index"]], 1
    )


@dataclass(frozen=True)
class Person:
    """Native images of a simulated person: run, brain mask, warp field and affine matrix."""

    run: nib.Nifti1Image
    mask: nib.Nifti1Image
    warp: nib.Nifti1Image
    affine: np.ndarray

    def write(self, folder: Path) -> Path:
        """Write them as UK Biobank has them; return the path of the run."""
        (folder / "reg").mkdir(parents=True, exist_ok=True)
        bold = folder / "filtered_func_data_clean.nii.gz"
        nib.save(self.run, bold)
        nib.save(self.mask, folder / "mask.nii.gz")
        nib.save(self.warp, folder / REGISTRATION)
        np.savetxt(folder / "reg/example_func2standard.mat", self.affine)
        return bold


def simulate(seed: int = 0, *, neurological: bool = False) -> Person:
    """Simulate a person whose run is stored radiologically (as UK Biobank's), or the other way."""
    standard_V3 = to_standard(positions(RUN_SHAPE, RUN))
    brain = is_brain(standard_V3)
    data = np.where(brain[:, None], signal(standard_V3, seed), 0).reshape(*RUN_SHAPE, VOLUMES)
    mask, affine = brain.reshape(RUN_SHAPE), RUN
    if neurological:
        # The same image: the order of the voxels along x is reversed, and the affine with it.
        data, mask = data[::-1], mask[::-1]
        reverse = np.diag([-1.0, 1, 1, 1])
        reverse[0, 3] = RUN_SHAPE[0] - 1
        affine = RUN @ reverse
    assert (np.linalg.det(affine[:3, :3]) > 0) == neurological
    run = _image(data.astype(np.float32), affine, 1)
    warp, matrix = registration(run)
    return Person(run, _image(mask.astype(np.uint8), affine, 1), warp, matrix)


def registration(
    run: nib.Nifti1Image, shape: tuple[int, ...] = SHAPE, affine: np.ndarray = MNI
) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Compute FSL's warp field on a grid in MNI152, and FLIRT's matrix.

    FLIRT's matrix leads from FSL coordinates of the run to those of MNI152; here it is the affine
    that fits the warp best.
    """
    field = _image(np.zeros((*shape, 3), np.float32), affine, 4)
    reference_V3 = fsl_coordinates(np.indices(shape).reshape(3, -1).T.astype(float), field)
    to_voxel = np.linalg.inv(run.affine)
    native_V3 = to_native(positions(shape, affine))
    source_V3 = fsl_coordinates(native_V3 @ to_voxel[:3, :3].T + to_voxel[:3, 3], run)
    relative = (source_V3 - reference_V3).reshape(*shape, 3).astype(np.float32)
    ones = np.ones((len(source_V3), 1))
    solution = np.linalg.lstsq(np.hstack([source_V3, ones]), reference_V3, rcond=None)[0]
    matrix = np.vstack([solution.T, [0, 0, 0, 1]])
    warp = _image(relative, affine, 4)
    warp.header.set_intent("fnirt disp field", allow_unknown=True)
    return warp, matrix


def _image(data: np.ndarray, affine: np.ndarray, code: int) -> nib.Nifti1Image:
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    return image

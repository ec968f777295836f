"""A volume atlas, and runs of noise on another grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -30], [0, 0, 3, -30], [0, 0, 0, 1]])
SHAPE = (20, 18, 16)
LABELS = [5, 2, 9]


@pytest.fixture
def volume_atlas() -> nib.Nifti1Image:
    """Labels on a finer grid whose first axis points the other way."""
    labels = np.zeros((30, 27, 24), np.int16)
    labels[3:12, 3:20, 3:20], labels[14:20, 5:20, 4:18], labels[22:28, 3:9, 3:9] = 5, 2, 9
    affine = np.array([[2.0, 0, 0, -28], [0, 2, 0, -30], [0, 0, 2, -30], [0, 0, 0, 1]])
    return nib.Nifti1Image(labels, affine)


def write(folder: Path, data: np.ndarray, name: str = "bold.nii.gz") -> Path:
    nib.save(nib.Nifti1Image(data, AFFINE), folder / name)
    return folder / name


def noise(dtype: str = "int16", volumes: int = 12) -> np.ndarray:
    data = np.random.default_rng(0).normal(1000, 50, (*SHAPE, volumes))
    return (data / 8 if dtype == "uint8" else data).astype(dtype)


def full_mask(folder: Path) -> Path:
    return write(folder, np.ones(SHAPE, np.uint8), "mask.nii.gz")

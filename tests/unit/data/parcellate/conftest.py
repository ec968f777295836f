"""Runs and atlases: volumes in fMRIPrep's layout, and CIFTI dense time series."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, LabelAxis, SeriesAxis

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import RawScan

AFFINE = np.diag([4.0, 4, 4, 1])
SHAPE = (10, 10, 10)
SCAN = "sub-01_task-rest"
LEFT, RIGHT = "CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"


@pytest.fixture
def atlas() -> Atlas:
    """Three cubes on a finer grid than the runs."""
    labels = np.zeros((20, 20, 20), np.int16)
    labels[2:8, 2:8, 2:8], labels[12:18, 2:8, 2:8], labels[2:8, 12:18, 2:8] = 1, 2, 3
    regions = pd.DataFrame({"index": [2, 1, 3], "name": ["b", "a", "c"], "network": list("BAC")})
    image = nib.Nifti1Image(labels, np.diag([2.0, 2, 2, 1]))
    return Atlas("toy", image, regions, "MNI152", "0" * 64)


def write_run(folder: Path, scan: str, volumes: int = 100) -> np.ndarray:
    """Write one run in fMRIPrep's layout; region 3 lies outside the brain mask."""
    rng = np.random.default_rng(0)
    data = rng.normal(1000, 10, (*SHAPE, volumes)).astype(np.float32)
    mask = np.ones(SHAPE, np.uint8)
    mask[1:4, 6:9] = 0
    func = folder / scan.split("_")[0] / "func"
    func.mkdir(parents=True, exist_ok=True)
    stem = f"{func}/{scan}_space-MNI152NLin2009aSym"
    nib.save(nib.Nifti1Image(data, AFFINE), f"{stem}_desc-preproc_bold.nii.gz")
    nib.save(nib.Nifti1Image(mask, AFFINE), f"{stem}_desc-brain_mask.nii.gz")
    Path(f"{stem}_desc-preproc_bold.json").write_text(json.dumps({"RepetitionTime": 2.5}))
    names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"] + ["csf"]
    names += ["white_matter", "global_signal"]
    suffixes = ("", "_derivative1", "_power2", "_derivative1_power2")
    columns = [f"{name}{suffix}" for name in names for suffix in suffixes]
    confounds = pd.DataFrame(rng.standard_normal((volumes, len(columns))), columns=columns)
    confounds["cosine00"] = np.cos(np.linspace(0, np.pi, volumes))
    confounds.to_csv(f"{func}/{scan}_desc-confounds_timeseries.tsv", sep="\t", index=False)
    Path(f"{func}/{scan}_desc-confounds_timeseries.json").write_text("{}")
    return data


def raw_scan(participant: str) -> RawScan:
    """A row of a shard table: a resting-state run whose sidecar states no TR."""
    return RawScan(
        scan=f"{participant}_task-rest",
        participant_id=participant,
        session="",
        task="rest",
        run="",
        bold=f"{participant}/func/{participant}_task-rest_bold.nii.gz",
        t1w="",
        repetition_time=float("nan"),
        slice_timing="",
        slice_encoding_direction="k",
        version="",
        problem="",
    )


def dense_axis(left: np.ndarray, right: np.ndarray, vertices: int = 100) -> BrainModelAxis:
    """Grayordinates of both cortices, and of two voxels of the thalamus."""
    thalamus = np.zeros((4, 4, 4), bool)
    thalamus[1, 1, 1:3] = True
    return (
        BrainModelAxis.from_surface(left, vertices, LEFT)
        + BrainModelAxis.from_surface(right, vertices, RIGHT)
        + BrainModelAxis.from_mask(thalamus, "thalamus_left", affine=np.diag([2.0, 2, 2, 1]))
    )


@pytest.fixture
def dense_atlas() -> Atlas:
    axis = dense_axis(np.arange(100), np.arange(100))
    labels = np.zeros((1, len(axis)), np.float32)
    labels[0, :30], labels[0, 30:60], labels[0, 100:140], labels[0, -2:] = 3, 4, 7, 9
    names = LabelAxis(["toy"], {0: ("???", (0, 0, 0, 0))})
    image = nib.Cifti2Image(labels, (names, axis))
    regions = pd.DataFrame({"index": [4, 3, 7, 9], "name": list("abcd"), "network": list("AABC")})
    return Atlas("toy", image, regions, "fsLR", "0" * 64)


def write_dense(folder: Path, axis: BrainModelAxis, step: float = 0.8) -> tuple[Path, np.ndarray]:
    data = np.random.default_rng(0).normal(100, 3, (50, len(axis))).astype(np.float32)
    path = folder / "sub-01_task-rest_space-fsLR_den-91k_bold.dtseries.nii"
    nib.save(nib.Cifti2Image(data, (SeriesAxis(0, step, 50), axis)), path)
    return path, data

"""Write derivatives under fMRIPrep's names; each file appears complete or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks import __version__
from semantoks.artifacts.files import atomic, write_json
from semantoks.data.preprocess.minimal.confound_table import Metadata
from semantoks.data.preprocess.minimal.template import SPACE, Template
from semantoks.data.preprocess.tsv import write_tsv

COMPRESSION = 1  # higher levels take much longer and save little, since BOLD is mostly noise


def write_description(out: Path) -> None:
    """Write ``dataset_description.json``, which names this engine and its version."""
    description = {
        "Name": "Semantoks minimal preprocessing",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "semantoks minimal", "Version": __version__}],
    }
    write_json(out / "dataset_description.json", description)


def write_anatomy(out: Path, t1w: str, image: np.ndarray, template: Template) -> None:
    """Write a T1w image (x, y, z) in template space; `t1w` is the relative path of the raw file."""
    folder, stem = (out / t1w).parent, Path(t1w).name.split(".")[0].removesuffix("_T1w")
    path = folder / f"{stem}_space-{SPACE}_desc-preproc_T1w.nii.gz"
    _write_volumes(path, image[..., None].astype(np.float32), template.affine, None)
    write_json(_sidecar(path), {"SkullStripped": False, "Sources": [f"bids:raw:{t1w}"]})


def write_brain(out: Path, t1w: str, brain: np.ndarray, affine: np.ndarray) -> None:
    """Write the brain mask of a T1w image, bool (x, y, z), on the grid of the raw image."""
    folder, stem = (out / t1w).parent, Path(t1w).name.split(".")[0].removesuffix("_T1w")
    path = folder / f"{stem}_desc-brain_mask.nii.gz"
    _write_volumes(path, brain[..., None].astype(np.uint8), affine, None)
    write_json(_sidecar(path), {"Type": "Brain", "Sources": [f"bids:raw:{t1w}"]})


@dataclass(frozen=True)
class RunFiles:
    """Writer of the derivatives of a run.

    Attributes
    ----------
    out : Path
        Folder of derivatives.
    scan : str
        First part of the file names.
    bold : str
        Path of the raw file relative to its data set.
    """

    out: Path
    scan: str
    bold: str

    def _path(self, suffix: str) -> Path:
        return (self.out / self.bold).parent / f"{self.scan}_{suffix}"

    def write_bold(
        self,
        series: np.ndarray,
        mask: np.ndarray,
        template: Template,
        repetition_time: float,
        metadata: Mapping[str, object],
    ) -> None:
        """Write the preprocessed image and its sidecar.

        Parameters
        ----------
        series : ndarray, shape (voxels, volumes)
        mask : ndarray of bool, shape (x, y, z)
            Position of these voxels on the grid of the template; the others are 0.
        template : Template
        repetition_time : float
            Seconds per volume.
        metadata : mapping
            Additional entries of the sidecar.
        """
        path = self._path(f"space-{SPACE}_desc-preproc_bold.nii.gz")
        _write_volumes(path, series, template.affine, mask, repetition_time)
        basic = {"RepetitionTime": repetition_time, "SkullStripped": True, "Space": SPACE}
        write_json(_sidecar(path), {**basic, "Sources": [f"bids:raw:{self.bold}"], **metadata})

    def write_mask(self, mask: np.ndarray, template: Template) -> None:
        """Write the brain mask of the run, bool (x, y, z)."""
        path = self._path(f"space-{SPACE}_desc-brain_mask.nii.gz")
        _write_volumes(path, mask[..., None].astype(np.uint8), template.affine, None)
        sidecar = {"Type": "Brain", "Space": SPACE, "Sources": [f"bids:raw:{self.bold}"]}
        write_json(_sidecar(path), sidecar)

    def write_confounds(self, table: pd.DataFrame, metadata: Metadata) -> None:
        """Write the confounds and their sidecar."""
        path = self._path("desc-confounds_timeseries.tsv")
        write_json(path.with_suffix(".json"), metadata)
        write_tsv(path, table)


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.replace(".nii.gz", ".json"))


def _write_volumes(
    path: Path,
    values: np.ndarray,
    affine: np.ndarray,
    mask: np.ndarray | None,
    repetition_time: float | None = None,
) -> None:
    """Write a compressed NIfTI file volume by volume: the full grid of a run may exceed memory.

    `values` has shape (x, y, z, volumes), or (voxels, volumes) where a mask (x, y, z) is given.
    """
    shape = values.shape[:3] if mask is None else mask.shape
    volumes = values.shape[-1]
    # A one-voxel image gives a complete header without allocating the grid of the run.
    header = nib.Nifti1Image(np.zeros((1, 1, 1), values.dtype), affine).header
    header.set_data_shape((*shape, volumes) if repetition_time else shape)
    header.set_xyzt_units("mm", "sec")
    if repetition_time:
        header["pixdim"][4] = repetition_time
    header["vox_offset"] = 352  # NIfTI-1 header of 348 bytes and 4 bytes of extension flags
    with (
        atomic(path) as temporary,
        temporary.open("wb") as raw,
        # Without time and file name in the gzip header, equal runs give equal bytes.
        gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as file,
    ):
        header.write_to(file)
        for number in range(volumes):
            volume = values[..., number]
            if mask is not None:
                volume = np.zeros(shape, values.dtype)
                volume[mask] = values[:, number]
            file.write(volume.tobytes(order="F"))

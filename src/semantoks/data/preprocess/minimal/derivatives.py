"""Files below the output folder, under fMRIPrep's names; each appears whole or not at all."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks import __version__
from semantoks.artifacts.files import atomic, write_json
from semantoks.data.preprocess.minimal.template import SPACE, Template

COMPRESSION = 1  # higher levels cost much time and save little on noise


def describe(out: Path) -> None:
    """Write `dataset_description.json`."""
    about = {
        "Name": "Semantoks minimal preprocessing",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "semantoks minimal", "Version": __version__}],
    }
    write_json(out / "dataset_description.json", about)


def write_anatomy(out: Path, t1w: str, image: np.ndarray, template: Template) -> None:
    """Write a T1w image (x, y, z) in template space; `t1w` is the raw file's relative path."""
    folder, stem = (out / t1w).parent, Path(t1w).name.split(".")[0].removesuffix("_T1w")
    path = folder / f"{stem}_space-{SPACE}_desc-preproc_T1w.nii.gz"
    _write_volumes(path, image[..., None].astype(np.float32), template.affine, None)
    write_json(_sidecar(path), {"SkullStripped": False, "Sources": [f"bids:raw:{t1w}"]})


def write_brain(out: Path, t1w: str, brain: np.ndarray, affine: np.ndarray) -> None:
    """Write the brain of a T1w image, bool (x, y, z), on the image's own grid."""
    folder, stem = (out / t1w).parent, Path(t1w).name.split(".")[0].removesuffix("_T1w")
    path = folder / f"{stem}_desc-brain_mask.nii.gz"
    _write_volumes(path, brain[..., None].astype(np.uint8), affine, None)
    write_json(_sidecar(path), {"Type": "Brain", "Sources": [f"bids:raw:{t1w}"]})


@dataclass(frozen=True)
class RunFiles:
    """Where the derivatives of one run go."""

    out: Path
    scan: str
    bold: str  # path of the raw file in its data set

    def _path(self, suffix: str) -> Path:
        return (self.out / self.bold).parent / f"{self.scan}_{suffix}"

    def write_bold(
        self,
        series: np.ndarray,
        where: np.ndarray,
        template: Template,
        repetition_time: float,
        metadata: dict[str, Any],
    ) -> None:
        """Write the run.

        Parameters
        ----------
        series
            Voxels that are not zero, shape (voxels, volumes).
        where
            Which these are, bool, shape of the template.
        template
            The grid.
        repetition_time
            Seconds per volume.
        metadata
            More for the sidecar.
        """
        path = self._path(f"space-{SPACE}_desc-preproc_bold.nii.gz")
        _write_volumes(path, series, template.affine, where, repetition_time)
        about = {"RepetitionTime": repetition_time, "SkullStripped": True, "Space": SPACE}
        write_json(_sidecar(path), {**about, "Sources": [f"bids:raw:{self.bold}"], **metadata})

    def write_mask(self, mask: np.ndarray, template: Template) -> None:
        """Write the brain mask of the run, bool (x, y, z)."""
        path = self._path(f"space-{SPACE}_desc-brain_mask.nii.gz")
        _write_volumes(path, mask[..., None].astype(np.uint8), template.affine, None)
        about = {"Type": "Brain", "Space": SPACE, "Sources": [f"bids:raw:{self.bold}"]}
        write_json(_sidecar(path), about)

    def write_confounds(self, table: pd.DataFrame, metadata: dict[str, Any]) -> None:
        """Write the confounds and what they are."""
        path = self._path("desc-confounds_timeseries.tsv")
        write_json(path.with_suffix(".json"), metadata)
        write_tsv(path, table)


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as BIDS wants it."""
    with atomic(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")


def _sidecar(image: Path) -> Path:
    return image.with_name(image.name.replace(".nii.gz", ".json"))


def _write_volumes(
    path: Path,
    values: np.ndarray,
    affine: np.ndarray,
    where: np.ndarray | None,
    repetition_time: float | None = None,
) -> None:
    """Write volume by volume: a whole run on the template's grid may not fit into memory."""
    shape = values.shape[:3] if where is None else where.shape
    volumes = values.shape[-1]
    header = nib.Nifti1Image(np.zeros((1, 1, 1), values.dtype), affine).header
    header.set_data_shape((*shape, volumes) if repetition_time else shape)
    header.set_xyzt_units("mm", "sec")
    if repetition_time:
        header["pixdim"][4] = repetition_time
    header["vox_offset"] = 352
    with (
        atomic(path) as temporary,
        temporary.open("wb") as raw,
        # No time and no name in the gzip header: the same run gives the same bytes.
        gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as file,
    ):
        header.write_to(file)
        for number in range(volumes):
            volume = values[..., number]
            if where is not None:
                volume = np.zeros(shape, values.dtype)
                volume[where] = values[:, number]
            file.write(volume.tobytes(order="F"))

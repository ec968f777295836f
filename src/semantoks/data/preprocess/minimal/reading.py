"""Raw images, and what is wrong with them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

from semantoks.data.preprocess.minimal.ants_bridge import Image
from semantoks.data.signals import repetition_time as checked_tr
from semantoks.errors import ScanError

MIN_VOLUMES = 10  # fewer cannot be told from a reference image


@dataclass(frozen=True)
class Run:
    """A BOLD run as scanned."""

    images: np.ndarray  # (x, y, z, volumes), float32
    affine: np.ndarray
    repetition_time: float  # s

    @property
    def volumes(self) -> int:
        """Number of volumes."""
        return int(self.images.shape[3])

    def volume(self, number: int) -> Image:
        """One volume."""
        return Image(np.ascontiguousarray(self.images[..., number]), self.affine)


def read_bold(path: Path, repetition_time: float) -> Run:
    """Read a run.

    Parameters
    ----------
    path
        NIfTI file.
    repetition_time
        Seconds per volume as the sidecar says, NaN when it does not.

    Returns
    -------
    Run

    Raises
    ------
    ScanError
        When the file cannot be read, or is not a run.
    """
    repetition_time = checked_tr(repetition_time, f"the sidecars of {path.name}")
    data, affine = _read(path)
    if data.ndim != 4 or data.shape[3] < MIN_VOLUMES:
        raise ScanError(
            f"{path.name} has shape {data.shape}: a run needs four dimensions "
            f"and at least {MIN_VOLUMES} volumes"
        )
    holes = np.isnan(data).all(axis=(0, 1, 2))
    if holes.any():
        raise ScanError(f"{holes.sum()} of {len(holes)} volumes of {path.name} are NaN throughout")
    data = np.nan_to_num(data, copy=False)
    if not data.any():
        raise ScanError(f"{path.name} is empty: all voxels are 0")
    return Run(data, affine, repetition_time)


def read_t1w(path: Path) -> Image:
    """Read an anatomical image.

    Raises
    ------
    ScanError
        When the file cannot be read, or is not a volume.
    """
    data, affine = _read(path)
    data = np.nan_to_num(data, copy=False)
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3 or not data.any():
        raise ScanError(f"{path.name} has shape {data.shape}: no three-dimensional image in it")
    return Image(data, affine)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        image = nib.load(path)
        data = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError, zlib.error, ImageFileError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ScanError(f"{path.name} cannot be read, it may be cut short ({reason})") from error
    return data, image.affine

"""Read raw images and reject those that cannot be used."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semantoks.data.declared import MAX_IN_MEMORY, require_at_most
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.preprocess.minimal.ants_bridge import Image
from semantoks.data.signals import require_repetition_time as checked_tr
from semantoks.errors import ScanError

MIN_VOLUMES = 10  # a file with fewer is more likely a single-band reference than a run


@dataclass(frozen=True)
class RawBold:
    """A BOLD run as acquired.

    Attributes
    ----------
    images : ndarray of float32, shape (x, y, z, volumes)
    affine : ndarray, shape (4, 4)
        Voxels to scanner mm (RAS).
    repetition_time : float
        Seconds per volume.
    """

    images: np.ndarray
    affine: np.ndarray
    repetition_time: float

    @property
    def n_volumes(self) -> int:
        """Number of volumes."""
        return int(self.images.shape[3])

    def volume(self, index: int) -> Image:
        """Return a single volume."""
        return Image(np.ascontiguousarray(self.images[..., index]), self.affine)


def read_bold(path: Path, repetition_time: float) -> RawBold:
    """Read a BOLD run.

    Parameters
    ----------
    path : Path
        NIfTI file.
    repetition_time : float
        Seconds per volume from the sidecar, NaN if the sidecar has none.

    Returns
    -------
    RawBold
        Isolated NaN voxels are 0.

    Raises
    ------
    ScanError
        If the file cannot be read, is not a run, or a volume is entirely NaN.
    """
    repetition_time = checked_tr(repetition_time, f"the sidecars of {path.name}")
    data, affine = _read(path)
    if data.ndim != 4 or data.shape[3] < MIN_VOLUMES:
        raise ScanError(
            f"{path.name} has shape {data.shape}: a run needs four dimensions "
            f"and at least {MIN_VOLUMES} volumes"
        )
    all_nan = np.isnan(data).all(axis=(0, 1, 2))
    if all_nan.any():
        raise ScanError(
            f"{all_nan.sum()} of {len(all_nan)} volumes of {path.name} are NaN throughout"
        )
    # The spline filter would spread a single NaN over the whole volume.
    data = np.nan_to_num(data, copy=False)
    if not data.any():
        raise ScanError(f"{path.name} is empty: all voxels are 0")
    return RawBold(data, affine, repetition_time)


def read_t1w(path: Path) -> Image:
    """Read an anatomical image; NaN voxels are set to 0.

    Raises
    ------
    ScanError
        If the file cannot be read, is not three-dimensional, or is zero throughout.
    """
    data, affine = _read(path)
    data = np.nan_to_num(data, copy=False)
    if data.ndim != 3:
        raise ScanError(f"{path.name} has shape {data.shape}: a T1w image needs three dimensions")
    if not data.any():
        raise ScanError(f"{path.name} is empty: all voxels are 0")
    return Image(data, affine)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Load an image into memory as float32; return its data and affine.

    Trailing axes of length 1, which some converters write, are removed.
    """
    image = open_image(path)
    require_at_most(image.shape, MAX_IN_MEMORY, path.name)
    try:
        # `get_fdata` would return float64 by default and keep a second copy in the image's cache.
        data = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ScanError(f"{path.name} cannot be read, it may be truncated ({reason})") from error
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    return data, image.affine

"""Read NIfTI files one volume at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from isal import igzip
from isal.isal_zlib import IsalError

from semantoks.data.declared import (
    MAX_VOXELS,
    require_at_most,
    require_plausible_volumes,
)
from semantoks.data.stacks import StackedVolumes, is_stack, join, load_image, volumes_of
from semantoks.errors import ScanError

FORM_CODES = ("qform_code", "sform_code")


def open_image(path: Path) -> Any:
    """Open an image, or the stack of its volumes; its data are not read yet.

    Returns
    -------
    nibabel image

    Raises
    ------
    ScanError
        When it is missing or unreadable, its header does not define an orientation, or volumes of
        a stack are missing or differ.
    """
    if is_stack(path):
        volumes = volumes_of(path)
        return join([open_image(volume) for volume in volumes], volumes)
    try:
        image = load_image(path)
    except ScanError:
        raise
    except Exception as error:  # nibabel raises many types of errors on malformed headers
        raise ScanError(f"{path.name} is not a readable image ({error})") from error
    if isinstance(image, nib.Cifti2Image):
        raise ScanError(f"{path.name} is CIFTI, a volume is needed")
    if image.get_data_dtype().kind not in "iuf":
        kind = image.get_data_dtype()
        raise ScanError(f"{path.name} holds values of type {kind}, real numbers are needed")
    # Without qform and sform, nibabel makes up an affine from the voxel sizes.
    # Formats without these fields always store an affine, hence the default of 1.
    codes = [image.header.get(key, 1) for key in FORM_CODES]
    determinant = float(np.linalg.det(image.affine[:3, :3]))
    if not any(codes) or not np.isfinite(determinant) or determinant == 0:
        raise ScanError(f"{path.name} has no orientation (qform and sform are not set)")
    _require_one_orientation(image, path)
    require_plausible_volumes(image, path)
    return image


def _require_one_orientation(image: Any, path: Path) -> None:
    """Refuse a header whose qform and sform disagree about the axes, such as left and right."""
    if "qform_code" not in image.header or not all(image.header[c] for c in FORM_CODES):
        return
    qform, sform = (nib.aff2axcodes(form) for form in (image.get_qform(), image.get_sform()))
    if qform != sform:
        raise ScanError(
            f"{path.name} has two orientations: {'-'.join(qform)} by its qform, "
            f"{'-'.join(sform)} by its sform; set the right one in both"
        )


def read_data(image: Any, path: Path) -> np.ndarray:
    """Read the whole array of an image, scaled.

    Raises
    ------
    ScanError
        When the file is damaged, or declares more than is plausible.
    """
    require_at_most(image.shape, MAX_VOXELS, path.name)
    try:
        return np.asarray(image.dataobj)
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise ScanError(f"{path.name} cannot be read to its end ({error})") from error


def scaling_of(image: Any) -> tuple[float, float]:
    """Slope and intercept that turn stored numbers into values."""
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    return (
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
    )


@contextmanager
def stored_volumes(path: Path, image: Any) -> Iterator[Iterator[np.ndarray]]:
    """Yield an iterator over the volumes of a run as they are stored: flat and not scaled.

    Each volume is a view of the same buffer, valid until the next one is read.

    Parameters
    ----------
    path : Path
    image : nibabel image
        The same file, opened.

    Raises
    ------
    ScanError
        When the image is not 4-D, or the file is truncated or fails its checksum.
    """
    if image.ndim != 4 or image.shape[3] < 2:
        raise ScanError(f"{path.name} is not a run: its shape is {image.shape}, 4-D is needed")
    try:
        if isinstance(image.dataobj, StackedVolumes):
            yield _read_stack(path, image.dataobj)
            return
        with _open(path) as file:
            yield _read(path, file, image)
    except (EOFError, gzip.BadGzipFile, IsalError, OSError) as error:  # type: ignore[misc]
        raise ScanError(f"{path.name} is damaged or truncated ({error})") from error


def _open(path: Path) -> Any:
    if path.suffix != ".gz":
        return path.open("rb")
    # ISA-L decompresses in 0.4 of the time that zlib takes.
    return igzip.open(path)  # type: ignore[no-untyped-call]


def _read(path: Path, file: BinaryIO, image: Any) -> Iterator[np.ndarray]:
    # In file order: `dataobj[..., t]` of a .gz decompresses from the beginning for every volume.
    dtype, count = image.dataobj.dtype, int(np.prod(image.shape[:3]))
    file.seek(image.dataobj.offset)
    buffer = bytearray(dtype.itemsize * count)
    volumes = image.shape[3] if image.ndim > 3 else 1
    for number in range(volumes):
        if _fill(file, memoryview(buffer)) < len(buffer):
            raise ScanError(f"{path.name} is truncated after {number} of {volumes} volumes")
        yield np.frombuffer(buffer, dtype)
    file.read(1)  # gzip checks its checksum only when the end is read


def _read_stack(path: Path, data: StackedVolumes) -> Iterator[np.ndarray]:
    for volume, image in zip(volumes_of(path), data.volumes, strict=True):
        with _open(volume) as file:
            yield from _read(volume, file, image)


def _fill(file: Any, buffer: memoryview) -> int:
    """Fill a buffer, as `readinto` may return fewer bytes; return how many were read."""
    filled = 0
    while filled < len(buffer):
        count = file.readinto(buffer[filled:])
        if not count:
            break
        filled += count
    return filled

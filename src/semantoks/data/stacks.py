"""Runs that are stored as a stack: one file per volume, such as ``rsfmri/vol_0001`` of SRPBS.

SPM's converters write such files. Those of SRPBS (doi:10.1038/s41597-021-01004-8) are NIfTI, though
their names have no extension. A stack is named by its files with ``*`` in place of the number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from semantoks.data.declared import require_plausible_image
from semantoks.errors import ScanError
from semantoks.gate import require_file

NUMBERED = re.compile(r"(.*?)(\d+)((?:\.nii)?(?:\.gz)?)")
EXTENSIONS = (".nii", ".nii.gz")
AFFINE_TOLERANCE = 1e-3  # mm; headers store float32
# Of a single file, by the magic number of its header.
SINGLE_FILES = {b"n+1\0": nib.Nifti1Image, b"n+2\0": nib.Nifti2Image}


def stack_of(paths: Sequence[Path]) -> Path | None:
    """Return the name of the stack that files are, with ``*`` for their numbers; or None.

    Parameters
    ----------
    paths : sequence of Path
        Of one folder.

    Returns
    -------
    Path or None
        None if their names differ in more than a number, or the first is a run by itself.
    """
    matches = [NUMBERED.fullmatch(path.name) for path in paths]
    names = {(match[1], match[3]) for match in matches if match}
    if len(paths) < 2 or None in matches or len(names) > 1:
        return None
    (start, extension) = names.pop()
    try:
        shape = load_image(paths[0]).shape
    except Exception:  # nibabel raises many types; what is wrong with it is said when it is read
        shape = ()
    is_run = len(shape) > 3 and shape[3] > 1
    return None if is_run or "*" in start else paths[0].with_name(f"{start}*{extension}")


def is_stack(path: Path) -> bool:
    """Whether a path names a stack; a file that really has a star in its name is none."""
    return "*" in path.name and not os.path.lexists(path)


def volumes_of(stack: Path) -> list[Path]:
    """List the files of a stack in the order of their numbers.

    Raises
    ------
    ScanError
        When there are none, or numbers are missing or occur twice.
    """
    start, _, extension = stack.name.partition("*")
    numbered = list[tuple[int, Path]]()
    for path in stack.parent.iterdir() if stack.parent.is_dir() else ():
        middle = path.name.removeprefix(start).removesuffix(extension)
        if path.name == f"{start}{middle}{extension}" and re.fullmatch(r"[0-9]+", middle):
            numbered.append((int(middle), path))
    if not numbered:
        raise ScanError(f"{stack.name} is missing: no volume has such a name")
    numbered.sort()
    numbers = [number for number, _ in numbered]
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing or len(set(numbers)) < len(numbers):
        what = f"lack number {missing[0]}" if missing else "have a number twice"
        raise ScanError(
            f"the volumes {numbered[0][1].name} to {numbered[-1][1].name} {what}, so time would "
            "have a gap"
        )
    return [path for _, path in numbered]


def load_image(path: Path) -> Any:
    """Load an image with nibabel; a NIfTI file need not have an extension.

    Raises
    ------
    ScanError
        When it may not be opened.
    """
    require_plausible_image(require_file(path))
    if not path.name.endswith(EXTENSIONS):
        with path.open("rb") as file:
            start = file.read(352)
        # The magic number is at the end of a header of 348 bytes, or after the size in NIfTI-2.
        kind = SINGLE_FILES.get(start[344:348]) or SINGLE_FILES.get(start[4:8])
        if kind is not None:
            return kind.from_file_map({"image": nib.FileHolder(filename=str(path))})
    return nib.load(path)


def join(volumes: Sequence[Any], paths: Sequence[Path]) -> nib.Nifti1Image:
    """Return a stack as an image of four dimensions, whose data are not read yet.

    Parameters
    ----------
    volumes : sequence of nibabel images
        Of three dimensions, opened.
    paths : sequence of Path
        Their files, for messages.

    Raises
    ------
    ScanError
        When shapes, affines, types or scalings differ, or a file is not a single volume.
    """
    first = volumes[0]
    for image, path in zip(volumes, paths, strict=True):
        if image.ndim != 3 and not (image.ndim == 4 and image.shape[3] == 1):
            raise ScanError(f"{path.name} is not 3-D, but a volume of a run: shape {image.shape}")
        same = {
            "shapes": image.shape == first.shape,
            "affines": np.allclose(image.affine, first.affine, atol=AFFINE_TOLERANCE),
            "data types": image.get_data_dtype() == first.get_data_dtype(),
            "scalings": _scaling(image) == _scaling(first),
        }
        differing = next((name for name, is_same in same.items() if not is_same), None)
        if differing:
            raise ScanError(
                f"{path.name} and {paths[0].name} differ in their {differing}, so they are not "
                "volumes of one run"
            )
    header = first.header.copy()
    data = StackedVolumes(volumes)
    joined = nib.Nifti1Image(data, first.affine, header)
    # The field is not the TR where a file has three dimensions.
    joined.header["pixdim"][4] = 0
    return joined


def _scaling(image: Any) -> tuple[float, float]:
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    return (1.0 if slope is None else float(slope)), float(intercept or 0)


class StackedVolumes:
    """The data of a stack: like nibabel's array proxies, but read from several files.

    Parameters
    ----------
    volumes : sequence of nibabel images
    """

    is_proxy = True

    def __init__(self, volumes: Sequence[Any]) -> None:
        self.volumes = volumes
        first = volumes[0]
        self.shape = (*first.shape[:3], len(volumes))
        self.ndim, self.dtype = 4, first.get_data_dtype()
        self.slope, self.inter = _scaling(first)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Read all volumes, scaled."""
        array = np.empty(self.shape, dtype or np.float64, order="F")
        for number, image in enumerate(self.volumes):
            array[..., number] = np.asarray(image.dataobj).reshape(self.shape[:3])
        return array

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read all volumes, and return a part."""
        part: np.ndarray = np.asarray(self)[key]
        return part

"""A BIDS data set of the participants of a call, for raw images that are in another layout.

fMRIPrep reads nothing else. It lies in the folder of the call and is removed with it, so that disk
space is needed for the participants of a call only. Voxels are written as they are stored.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nibabel as nib

from semantoks.artifacts.files import atomic, write_json
from semantoks.data.index.shards import RawScan
from semantoks.data.parcellate.images.nifti import open_image, scaling_of, stored_volumes
from semantoks.data.signals import require_repetition_time
from semantoks.errors import ScanError
from semantoks.gate import require_file

COMPRESSION = 1  # higher levels take much longer and save little, since BOLD is mostly noise
OFFSET = 352  # NIfTI-1 header of 348 bytes and 4 bytes of extension flags


def arrange(scans: Iterable[RawScan], data: Path, folder: Path) -> dict[str, str]:
    """Write the runs and T1w images of participants as BIDS; what is there already is kept.

    Parameters
    ----------
    scans : iterable of RawScan
    data : Path
        The raw data set, to which their paths are relative.
    folder : Path
        Of the BIDS data set.

    Returns
    -------
    dict of str to str
        Why a run could not be written, by scan.
    """
    description = {"Name": "Raw images", "BIDSVersion": "1.9.0", "DatasetType": "raw"}
    write_json(folder / "dataset_description.json", description)
    problems = dict[str, str]()
    for scan in scans:
        try:
            tr = require_repetition_time(scan.repetition_time, "`repetition_time`")
            _write_run(data / scan.bold, folder / scan.bold_name, tr)
            if scan.t1w:
                _copy(data / scan.t1w, folder / scan.t1w_name)
        except ScanError as error:
            problems[scan.scan] = str(error)
            continue
        name = scan.bold_name.removesuffix(".nii.gz")
        sidecar = {"TaskName": scan.task, "RepetitionTime": tr}
        write_json(folder / f"{name}.json", sidecar)
    return problems


def _write_run(bold: Path, target: Path, tr: float) -> None:
    """Write a run, or the stack of its volumes, as one compressed file."""
    if target.exists():
        return
    image = open_image(bold)
    header = _header(image, tr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        stored_volumes(bold, image) as volumes,
        atomic(target) as temporary,
        gzip.open(temporary, "wb", COMPRESSION) as file,
    ):
        header.write_to(file)
        for volume in volumes:
            file.write(volume.astype(header.get_data_dtype(), copy=False).tobytes())


def _header(image: Any, tr: float) -> nib.Nifti1Header:
    """Return the header of a file of its own: with the scaling that nibabel keeps elsewhere."""
    header = nib.Nifti1Header.from_header(image.header, check=False)
    header.extensions.clear()
    header.set_data_shape(image.shape)
    header.set_sform(image.affine, 1)
    header.set_qform(image.affine, 1)
    header.set_slope_inter(*scaling_of(image))
    header.set_xyzt_units("mm", "sec")
    header["pixdim"][4] = tr
    header["magic"], header["vox_offset"] = header.single_magic, OFFSET
    return header


def _copy(t1w: Path, target: Path) -> None:
    """Copy an image; one without an extension is not compressed."""
    if not t1w.name.endswith(".gz"):
        target = target.with_suffix("")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic(target) as temporary:
            shutil.copyfile(require_file(t1w), temporary)

"""What a file declares is compared with limits before memory is taken for it."""

from __future__ import annotations

import gzip
import os
import resource
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.io import savemat

from semantoks.data.atlas.images import read_label_image
from semantoks.data.declared import (
    MAX_DENSE,
    MAX_VOXELS,
    require_at_most,
    require_plausible_parquet,
)
from semantoks.data.hdf5 import member
from semantoks.data.parcellate.images.nifti import open_image, read_data
from semantoks.data.parcellate.readers import matlab
from semantoks.data.parcellate.readers.arrays import read_numpy
from semantoks.data.parcellate.readers.matlab import read_matlab
from semantoks.errors import ScanError, UserError

PARQUET_ROWS = 2_000_000


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Whoever takes memory for what a file declares fails here at once."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (12 * 10**9, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def write_header(path: Path, shape: tuple[int, ...], kind: Any = np.int16, zeros: int = 0) -> Path:
    """Write the header of an image, and not its data but zeros."""
    header = nib.Nifti1Header()
    header.set_data_dtype(kind)
    header.set_data_shape(shape)
    header.set_sform(np.eye(4), 1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    content = header.binaryblock + bytes(4 + zeros)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((104, 104, 72, 4500), np.float32),  # an hour at a TR of 0.8 s
        ((140, 140, 96, 7200), np.float32),  # an hour at a TR of 0.5 s and 1.5 mm
        ((130, 160, 130, 900), np.float32),  # 7 tesla
        ((640, 880, 880), np.int16),  # a head in voxels of 0.25 mm
    ],
)
def test_long_and_fine_acquisitions_pass(tmp_path: Path, shape: tuple[int, ...], kind: Any) -> None:
    path = write_header(tmp_path / "a.nii", shape, kind)
    declared = int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
    with path.open("r+b") as file:
        file.truncate(352 + declared)  # a hole, which takes no space
    assert open_image(path).shape == shape


def test_a_dense_hour_passes() -> None:
    require_at_most((7200, 170_494), MAX_DENSE, "a.dtseries.nii")


@pytest.mark.parametrize("name", ["bold.nii", "bold.nii.gz"])
def test_images_that_no_scanner_makes(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScanError, match="declares 2000 × 2000 × 2000 values, at most 500,000,000"):
        open_image(write_header(tmp_path / name, (2000, 2000, 2000)))
    with pytest.raises(ScanError, match=r"declares .* GB \(shape .*not plausible for a file of"):
        open_image(write_header(tmp_path / name, (300, 300, 300, 20_000)))


def test_gzip_of_zeros_is_read_as_far_as_declared(tmp_path: Path) -> None:
    bomb = write_header(tmp_path / "mask.nii.gz", (10, 10, 10), zeros=50_000_000)
    assert read_data(open_image(bomb), bomb).shape == (10, 10, 10)
    bomb = write_header(tmp_path / "mask.nii.gz", (100, 100, 100, 2000), np.uint8, zeros=5_000_000)
    with pytest.raises(ScanError, match="not plausible for a file of"):
        open_image(bomb)


@pytest.mark.parametrize("length", [0x7FFFFFF0, -16, 8])
@pytest.mark.parametrize("offset", [0, 2_000_000_000])
@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
def test_a_header_of_gigabytes(tmp_path: Path, kind: Any, offset: int, length: int) -> None:
    header = kind()
    header.set_data_shape((10, 10, 10))
    header["vox_offset"] = offset
    start = header.binaryblock + b"\1\0\0\0" + struct.pack("<ii", 32, 6) + bytes(24)
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(start + struct.pack("<ii", length, 6) + bytes(5_000_000)))
    with pytest.raises(ScanError, match="declares a header of"):
        open_image(path)
    with pytest.raises(UserError, match="declares a header of"):
        read_label_image(path)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("size", [0, 348, 540, 1543569408])
@pytest.mark.parametrize("name", ["a.nii.gz"])
def test_a_long_header_that_nibabel_repairs(
    tmp_path: Path, name: str, size: int, order: str
) -> None:
    header = nib.Nifti1Header(endianness=order)
    header.set_data_shape((10, 10, 10))
    header["magic"], header["vox_offset"], header["sizeof_hdr"] = b"n+1", 2_000_000_000, size
    extension = struct.pack(f"{order}ii", 0x7FFFFFF0, 6)
    content = header.binaryblock + b"\1\0\0\0" + extension + bytes(5_000_000)
    (tmp_path / name).write_bytes(gzip.compress(content))
    with pytest.raises(ScanError, match="declares a header of"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii.bz2", "a.nii.BZ2", "a.nii.zst", "a.img.gz", "a.HDR.gz"])
def test_other_compression_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ScanError, match="nii or .nii.gz is needed"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("length", [3, 348, 540])
def test_a_header_that_is_cut_off(tmp_path: Path, length: int) -> None:
    for kind in (nib.Nifti1Header, nib.Nifti2Header):
        (tmp_path / "a.nii.gz").write_bytes(gzip.compress(kind().binaryblock[:length]))
        with pytest.raises(ScanError, match="is not a readable image|no orientation"):
            open_image(tmp_path / "a.nii.gz")


def test_a_header_with_extensions_passes(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.full((10, 10, 10), -1, np.int16), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a comment" * 1000))
    image.header.set_sform(np.eye(4), 1)
    for name in ("a.nii", "a.nii.gz"):
        nib.save(image, tmp_path / name)
        assert open_image(tmp_path / name).shape == (10, 10, 10)


def test_an_atlas_of_16_gb_is_one_sentence(tmp_path: Path) -> None:
    for shape in ((2000, 2000, 2000), (100, 100, 100, 8000)):
        with pytest.raises(UserError, match=r"The atlas image .*/a.nii.gz cannot be used: a.nii"):
            read_label_image(write_header(tmp_path / "a.nii.gz", shape))
    (tmp_path / "zero.nii").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="zero.nii is a device, a file is needed"):
        read_label_image(tmp_path / "zero.nii")


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        shape = {"descr": "<f8", "fortran_order": False, "shape": (1_000_000, 1000)}
        np.lib.format.write_array_header_1_0(file, shape)
    with pytest.raises(ScanError, match="a.npy declares 1000000 × 1000"):
        read_numpy(path)


def test_matlab_files(tmp_path: Path) -> None:
    # Version 5: a matrix of class double (6) whose header says 100000 × 10000, without data.
    flags = struct.pack("<IIII", 6, 8, 6, 0)
    dimensions = struct.pack("<IIii", 5, 8, 100_000, 10_000)
    name = struct.pack("<II8s", 1, 3, b"abc")
    body = flags + dimensions + name + struct.pack("<II", 9, 0)
    start = b"MATLAB 5.0".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    path = tmp_path / "a.mat"
    path.write_bytes(start + struct.pack("<II", 14, len(body)) + body)
    with pytest.raises(ScanError, match="a.mat declares 1000000000 values"):
        read_matlab(path)
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("ROISignals", (10**6, 10**6), "f8", chunks=(10, 10))
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3".ljust(124) + struct.pack("<H2s", 0x0200, b"IM"))
    with pytest.raises(ScanError, match="ROISignals of a.mat declares 8,000.0 GB"):
        read_matlab(path)


def test_matlab_files_that_unpack_to_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    savemat(tmp_path / "a.mat", {"ROISignals": np.eye(300)}, do_compression=True)
    assert read_matlab(tmp_path / "a.mat")[0].shape == (300, 300)
    monkeypatch.setattr(matlab, "MAX_TABLE", 50_000)
    with pytest.raises(ScanError, match="a.mat is unpacked to more than 400,000 bytes"):
        matlab._require_plausible_content(tmp_path / "a.mat")
    savemat(tmp_path / "a.mat", {"x": 1}, do_compression=True)
    matlab._require_plausible_content(tmp_path / "a.mat")


def write_hdf5(path: Path) -> Path:
    """Write HDF5 whose members keep their data elsewhere, or declare what they do not have."""
    (path.parent / "secret").write_bytes(bytes(80))
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource(path.parent / "other.h5", "x", (10,))
    with h5py.File(path, "w") as file:
        file["good"] = np.arange(10.0)
        raw = [(str(path.parent / "secret"), 0, 80)]
        file.create_dataset("external", (10,), "f8", external=raw)
        file["link"] = h5py.ExternalLink(path.parent / "other.h5", "x")
        file["soft"] = h5py.SoftLink("/link/x")
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("huge", (10**6, 10**6), "f8", chunks=(10, 10))
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("external", "external of a.h5 keeps its data in other files; store them in the file"),
        ("virtual", "virtual of a.h5 keeps its data in other files"),
        ("link", "link of a.h5 is a link; store the data themselves in its place"),
        ("soft", "soft of a.h5 is a link"),
        ("huge", "huge of a.h5 declares 8,000.0 GB"),
        ("absent", "a.h5 has no absent"),
    ],
)
def test_hdf5_has_its_data_in_itself(tmp_path: Path, name: str, reason: str) -> None:
    with h5py.File(write_hdf5(tmp_path / "a.h5")) as file:
        assert member(file, "good")[3] == 3
        assert member(file, "huge", by_row=True).shape == (10**6, 10**6)
        with pytest.raises(ScanError, match=reason):
            member(file, name)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a_timeseries.parquet"
    pq.write_table(pa.table({"scan": pa.array(["a"] * 3), "x": pa.array([1, 2, 3])}), path)
    require_plausible_parquet(path, ["scan"])
    with pytest.raises(ScanError, match="has no column task"):
        require_plausible_parquet(path, ["scan", "task"])
    rows = pa.array(np.zeros(PARQUET_ROWS, np.int8))
    pq.write_table(pa.table({"scan": rows}), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(ScanError, match="declares 2000000 values, at most 1,000,000"):
        require_plausible_parquet(path, ["scan"])


def test_the_limit_of_voxels_is_above_any_head() -> None:
    assert MAX_VOXELS > 640 * 880 * 880


@pytest.mark.parametrize("name", ["s.img", "s.hdr", "S.IMG", "s.img.gz", "s.nii.bz2", "s.nii.GZ"])
def test_images_of_two_files_are_refused_before_the_other_is_opened(
    tmp_path: Path, name: str
) -> None:
    for other in ("s.img", "s.hdr", "S.HDR", "s.hdr.gz"):
        os.mkfifo(tmp_path / other)  # opening it would block
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).write_bytes(bytes(1000))
    with pytest.raises(ScanError, match=r"is an image in .*, \.nii or \.nii\.gz is needed"):
        open_image(tmp_path / name)
    with pytest.raises(UserError, match=r"\.nii or \.nii\.gz is needed"):
        read_label_image(tmp_path / name)

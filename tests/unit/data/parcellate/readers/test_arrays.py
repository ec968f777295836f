"""NumPy arrays and HDF5 files of the reference implementation are read."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import read


def test_hdf5_of_the_reference_is_read_without_its_padding(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    padded = np.full((2, 4, 50), np.nan, np.float32)
    padded[0, :, :30], padded[1] = values.T, 7
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["timeseries/toy"] = padded
        file["long_subject_id"] = ["sub-01", "sub-02"]
    scan = read(tmp_path / "a.h5", named_atlas)
    np.testing.assert_allclose(scan.means_TC, values, rtol=1e-6)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["timeseries/toy"][0, :, 7] = np.nan
    with pytest.raises(ScanError, match="1 of 30 volumes have no data in any region"):
        clean_scan(read(tmp_path / "a.h5", named_atlas), Parcellation())


def test_a_malformed_array_is_a_reason(tmp_path: Path, named_atlas: Atlas) -> None:
    (tmp_path / "array.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(ScanError, match="array.npy"):
        read(tmp_path / "array.npy", named_atlas)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.arange(30.0), r"has the shape \(30,\), a table of volumes and 4 regions"),
        (np.float64(3), r"has the shape \(\)"),
        (np.zeros((5, 30, 4)), r"has the shape \(5, 30, 4\)"),
        (np.ones((30, 4), complex), "not an array of real numbers .* complex"),
        (np.zeros((0, 4)), "no region of the atlas has data"),
    ],
)
def test_arrays_of_another_shape_are_a_sentence(
    tmp_path: Path, named_atlas: Atlas, array: np.ndarray, reason: str
) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ScanError, match=reason):
        read(tmp_path / "a.npy", named_atlas)


def test_axes_of_one_are_dropped(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values[None])
    np.testing.assert_allclose(read(tmp_path / "a.npy", named_atlas).means_TC, values)


def test_a_header_in_an_array_is_no_volume(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    labels = [11.0, 12, 30, 41]
    for array in (np.vstack([labels, values]), np.vstack([labels, values]).T):
        np.save(tmp_path / "a.npy", array)
        np.testing.assert_allclose(read(tmp_path / "a.npy", named_atlas).means_TC, values)


def test_a_column_of_row_numbers_is_no_region(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    for counter in (np.arange(30), np.arange(1, 31), np.arange(30) * 0.72):
        np.save(tmp_path / "a.npy", np.column_stack([counter, values[:, :3]]))
        with pytest.raises(ScanError, match="counts volumes or seconds and is no region"):
            read(tmp_path / "a.npy", named_atlas)


def test_other_hdf5_is_a_sentence(tmp_path: Path, named_atlas: Atlas) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = np.zeros((3, 3))
    with pytest.raises(ScanError, match="is not HDF5 of the reference implementation"):
        read(tmp_path / "a.h5", named_atlas)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["timeseries/toy"], file["long_subject_id"] = np.zeros((1, 4, 50)), ["sub-02"]
    with pytest.raises(ScanError, match="has no scan 'sub-01'"):
        read(tmp_path / "a.h5", named_atlas)

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

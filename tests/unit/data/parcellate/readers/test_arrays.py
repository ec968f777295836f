"""NumPy arrays and HDF5 files of the reference implementation are read."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
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


PARTS = {"schaefer400": 400, "tian3": 50, "buckner7": 7}


def atlas_of(name: str, regions: int) -> Atlas:
    table = pd.DataFrame(
        {"index": range(1, regions + 1), "name": [f"r{n}" for n in range(regions)]}
    )
    return Atlas(name, None, table, "MNI152NLin6Asym", "0" * 64)


def write_parts(path: Path, **arrays: np.ndarray) -> None:
    """Write time series of two people; the file lists its parts by alphabet."""
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[f"timeseries/{name}"] = array
        file["long_subject_id"] = ["sub-00", "sub-01"]


def parts_of(volumes: int = 60) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(2, n, volumes)) for name, n in PARTS.items()}
    for array in arrays.values():
        array[:, :, -10:] = np.nan
    return arrays


def test_the_parts_of_the_reference_are_joined_in_the_order_of_the_atlas(tmp_path: Path) -> None:
    arrays = parts_of()
    write_parts(tmp_path / "a.h5", **arrays)
    means_TC = read(tmp_path / "a.h5", atlas_of("semantoks457", 457)).means_TC
    assert means_TC.shape == (50, 457)
    for name, first in (("schaefer400", 0), ("tian3", 400), ("buckner7", 450)):
        expected_TC = arrays[name][1, :, :50].T
        np.testing.assert_array_equal(means_TC[:, first : first + PARTS[name]], expected_TC)
    cortex_TC = read(tmp_path / "a.h5", atlas_of("schaefer400x7", 400)).means_TC
    np.testing.assert_array_equal(cortex_TC, means_TC[:, :400])
    with pytest.raises(ScanError, match="has no timeseries/cc200 .buckner7, schaefer400, tian3."):
        read(tmp_path / "a.h5", atlas_of("cc200", 200))


def test_a_part_that_the_file_lacks_has_no_data(tmp_path: Path) -> None:
    arrays = parts_of()
    write_parts(tmp_path / "a.h5", schaefer400=arrays["schaefer400"])
    means_TC = read(tmp_path / "a.h5", atlas_of("semantoks457", 457)).means_TC
    assert np.isfinite(means_TC[:, :400]).all() and np.isnan(means_TC[:, 400:]).all()


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("tian3", (2, 54, 60), "timeseries/tian3 .* 2 participants × 50 × 60 volumes are expected"),
        ("tian3", (2, 50, 61), "2 participants × 50 × 60 volumes are expected"),
        ("buckner7", (1, 7, 60), "timeseries/buckner7 of a.h5 has the shape .1, 7, 60."),
        ("buckner7", (2, 7), "2 participants × 7 × 60 volumes are expected"),
    ],
)
def test_parts_of_another_size_are_a_reason(
    tmp_path: Path, name: str, shape: tuple[int, ...], reason: str
) -> None:
    write_parts(tmp_path / "a.h5", **{**parts_of(), name: np.ones(shape)})
    with pytest.raises(ScanError, match=reason):
        read(tmp_path / "a.h5", atlas_of("semantoks457", 457))

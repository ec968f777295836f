"""MATLAB files of both formats are read, or it is said why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.timeseries import read_timeseries
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import read

Writer = Callable[[Path, dict[str, np.ndarray]], None]


def write_version_5(path: Path, content: dict[str, np.ndarray]) -> None:
    savemat(path, content)


def write_version_7(path: Path, content: dict[str, np.ndarray]) -> None:
    """Write HDF5 as MATLAB does: after 512 bytes of text, arrays column by column."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in content.items():
            file[name] = np.atleast_2d(value).T
        file.create_group("#refs#")
    head = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(head)


both = pytest.mark.parametrize("write", [write_version_5, write_version_7])


@both
def test_the_only_table_or_the_standard_name_is_read(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, write: Writer
) -> None:
    path = tmp_path / "a.mat"
    for content in (
        {"x": values, "n": np.array([[7.0]])},
        {"ROISignals": values, "ROICorrelation": np.eye(4)},
        {"x": values.T},
    ):
        write(path, content)
        scan = read(path, named_atlas)
        np.testing.assert_allclose(scan.means_TC, values)
        assert scan.tr == 2.0


@both
def test_what_is_ambiguous_is_a_reason(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, write: Writer
) -> None:
    path = tmp_path / "a.mat"
    write(path, {"before": values, "after": values + 1, "word": np.array([[1.0]])})
    with pytest.raises(ScanError, match=r"several tables of numbers \(after, before\); .*variable"):
        read(path, named_atlas)
    scan = read_timeseries(path, "sub-01", named_atlas, 2.0, None, "after")
    np.testing.assert_allclose(scan.means_TC, values + 1)
    with pytest.raises(ScanError, match=r"no table of numbers 'word' .*before 30 × 4"):
        read_timeseries(path, "sub-01", named_atlas, 2.0, None, "word")
    with pytest.raises(ScanError, match=r"no table of numbers 'other'"):
        read_timeseries(path, "sub-01", named_atlas, 2.0, None, "other")
    write(path, {"n": np.array([[1.0]])})
    with pytest.raises(ScanError, match=r"has no table of numbers \(variables: n 1 × 1\)"):
        read(path, named_atlas)


@both
def test_the_tr_of_the_file_is_used(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, write: Writer
) -> None:
    write(tmp_path / "a.mat", {"x": values, "TR": np.array([[0.8]])})
    assert read(tmp_path / "a.mat", named_atlas, 2.0).tr == 0.8
    (tmp_path / "a.json").write_text('{"RepetitionTime": 0.72}')
    with pytest.raises(ScanError, match=r"not clear: 0.72 s in a.json .*, 0.8 s in a.mat"):
        read(tmp_path / "a.mat", named_atlas, 2.0)


def test_cells_structs_and_damaged_files_are_a_reason(tmp_path: Path, named_atlas: Atlas) -> None:
    path = tmp_path / "a.mat"
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.eye(3), np.eye(3)
    savemat(path, {"data": cells, "s": {"ts": np.eye(3)}})
    with pytest.raises(ScanError, match=r"no table of numbers \(variables: data .cell., s .str"):
        read(path, named_atlas)
    for content in (b"", b"\0" * 300, path.read_bytes()[:150], b"MATLAB 7.3 MAT-file" * 40):
        path.write_bytes(content)
        with pytest.raises(ScanError, match="a.mat"):
            read(path, named_atlas)

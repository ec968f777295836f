"""Lists in HDF5 files are read only as far as is plausible."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from semantoks.data import hdf5
from semantoks.data.hdf5 import IDS, read_ids, read_lists
from semantoks.data.index.people.participants import read_participants
from semantoks.data.parcellate.readers.matlab import read_matlab
from semantoks.errors import ScanError, UserError
from semantoks.people.layout import Layout


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hdf5, "MAX_TEXT", 20_000_000)
    tracemalloc.start()
    yield
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


def add_repeated_text(file: h5py.File, name: str, length: int) -> None:
    """Add a list whose entries all refer to the same text of 60 kB."""
    kind = h5py.string_dtype()
    single = file.create_dataset("single", (1,), kind, chunks=(1,))
    single[0] = "s" * 60_000
    file.flush()
    reference = single.id.read_direct_chunk((0,))[1]
    item = file.create_dataset(name, (length,), kind, chunks=(length,), compression="gzip")
    item.id.write_direct_chunk((0,), zlib.compress(reference * length, 9))
    del file["single"]


@pytest.mark.usefixtures("little_memory")
def test_text_that_is_stored_only_once(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        add_repeated_text(file, IDS, 20_000)
    assert path.stat().st_size < 100_000
    with h5py.File(path) as file, pytest.raises(ScanError, match="more text than is plausible"):
        read_ids(file)
    with h5py.File(path, "w") as file:
        file[IDS] = np.arange(20_000)
        add_repeated_text(file, "site", 20_000)
    with pytest.raises(UserError, match=r"/site of a.h5 has more text than is plausible"):
        read_participants([path], Layout((IDS,)))


@pytest.mark.usefixtures("little_memory")
def test_text_beside_the_table_of_a_matlab_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        add_repeated_text(file, "text", 20_000)
        file["ROISignals"] = np.random.default_rng(0).random((30, 5))
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    assert read_matlab(path)[0].shape == (5, 30)
    with pytest.raises(ScanError, match=r"no table of numbers 'text' .* text 20000\)"):
        read_matlab(path, "text")


def test_several_tables_that_are_large_together(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name in "abc":
            file.create_dataset(name, (1000, 100_000), "f8", chunks=(10, 100))
        file["x"] = np.eye(5)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(ScanError, match="declares 300000025 values"):
        read_matlab(path)
    assert read_matlab(path, "x")[0].shape == (5, 5)


@pytest.mark.parametrize(
    ("shape", "kind", "reason"),
    [
        ((20_000_000,), "i4", "declares 20000000 values, at most 1,000,000"),
        ((3, 3), "i4", "is not a list of text or numbers"),
        ((3,), h5py.vlen_dtype(np.int32), "is not a list of text or numbers"),
        ((1_000_000,), "S4000", "more text than is plausible|declares"),
    ],
)
def test_ids_are_a_list(
    tmp_path: Path,
    shape: tuple[int, ...],
    kind: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hdf5, "MAX_TEXT", 20_000_000)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(IDS, shape, kind, chunks=tuple(min(n, 1000) for n in shape))
        with pytest.raises(ScanError, match=reason):
            read_ids(file)


def test_lists_are_limited_together(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[IDS] = ["a", "b"]
        file["age"], file["sex"], file["other"] = [1.5, 2.5], ["m", "f"], [1, 2, 3]
        file["references"] = np.array([file["age"].ref] * 2, h5py.ref_dtype)
        lists = read_lists(file, 2)
        assert {name: list(values) for name, values in lists.items()} == {
            IDS: ["a", "b"],
            "age": [1.5, 2.5],
            "sex": ["m", "f"],
        }
        for number in range(501):
            file.create_dataset(f"x{number}", (1_000_000,), "f8", chunks=(1000,))
        with pytest.raises(ScanError, match="the lists of a.h5 declare 4.0 GB"):
            read_lists(file, 1_000_000)


def test_lists_may_be_in_the_group_of_labels(tmp_path: Path) -> None:
    """The group is read beside the lists at the top, or instead of them."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file[IDS], file["age"] = ["a", "b"], [1.5, np.nan]
        file["labels/sex_bi"], file["labels/age"] = [0, 1], [1.5, np.nan]
        file["labels/site"] = ["x", "y"]
    table = read_participants([path], Layout())
    assert table["sex_bi"].tolist() == [0, 1] and table["site"].tolist() == ["x", "y"]
    assert table["age"].isna().tolist() == [False, True]
    with h5py.File(path, "a") as file:
        file["labels/age"][0] = 2.5
        with pytest.raises(ScanError, match="has the list age twice, at its top and in `labels`"):
            read_lists(file, 2)
        del file["labels/age"]
        file["labels/iq"] = [1, 2, 3]
        with pytest.raises(
            ScanError, match="iq in the group `labels` of a.h5 is not a list of .* with 2 values"
        ):
            read_lists(file, 2)
        del file["labels"]
        file["labels"] = [3, 4]
        assert list(read_lists(file, 2)["labels"]) == [3, 4]


def test_ids_of_a_large_cohort_pass(tmp_path: Path) -> None:
    ids = [f"sub-{number:05d}{'x' * 30}" for number in range(40_000)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[IDS] = ids
        file["timeseries"] = np.zeros(1_000_000)
        assert read_ids(file) == ids


def test_text_in_another_encoding_is_a_reason(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[IDS] = np.array(["Müller".encode("latin-1")])
        with pytest.raises(ScanError, match="long_subject_id of a.h5 has text that is not UTF-8"):
            read_ids(file)

"""Time series that others made go in by name, from every format that labs have."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.run import Run
from semantoks.data.parcellate.stage import scan_timeseries
from semantoks.data.parcellate.timeseries_files import read_names, read_timeseries
from semantoks.errors import ScanError, UserError

NAMES = ["7Networks_LH_Vis_1", "7Networks_RH_Vis_1", "HIP-rh", "Network1"]


@pytest.fixture
def atlas() -> Atlas:
    regions = pd.DataFrame(
        {"index": [11, 12, 30, 41], "name": NAMES, "network": ["Vis", "Vis", "Sub", "Cer"]}
    )
    return Atlas("toy", None, regions, "MNI152NLin6Asym", "0" * 64)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 4))


def read(path: Path, atlas: Atlas, tr: float = 2.0, names: list[str] | None = None) -> Run:
    return read_timeseries(path, "sub-01", atlas, tr, names)


def test_columns_are_put_in_order_by_name(tmp_path: Path, atlas: Atlas, values: np.ndarray) -> None:
    shuffled = pd.DataFrame(values, columns=NAMES)[[NAMES[2], NAMES[0], NAMES[3], NAMES[1]]]
    shuffled.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    shuffled.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.tsv", "a.csv"):
        np.testing.assert_allclose(read(tmp_path / name, atlas).means_TC, values)


def test_label_numbers_name_columns_too(tmp_path: Path, atlas: Atlas, values: np.ndarray) -> None:
    header = "#30\t#11\t#41\t#12"  # as C-PAC writes .1D files
    np.savetxt(
        tmp_path / "a.1D", values[:, [2, 0, 3, 1]], delimiter="\t", header=header, comments=""
    )
    np.testing.assert_allclose(read(tmp_path / "a.1D", atlas).means_TC, values)


def test_what_is_missing_is_nan_and_what_is_unknown_is_left_out(
    tmp_path: Path, atlas: Atlas, values: np.ndarray
) -> None:
    np.save(tmp_path / "a.npy", values.T[:3])  # regions first
    run = read(tmp_path / "a.npy", atlas, names=[NAMES[1], "amygdala", NAMES[0]])
    np.testing.assert_allclose(run.means_TC[:, [1, 0]], values[:, [0, 2]])
    assert np.isnan(run.means_TC[:, 2:]).all()


def test_tables_without_names_are_in_the_order_of_the_atlas(
    tmp_path: Path, atlas: Atlas, values: np.ndarray
) -> None:
    np.savetxt(tmp_path / "a.1D", values)
    np.testing.assert_allclose(read(tmp_path / "a.1D", atlas).means_TC, values)
    np.savetxt(tmp_path / "b.1D", values[:, :3])
    with pytest.raises(ScanError, match=r"shape \(30, 3\), a table with 4 regions is expected"):
        read(tmp_path / "b.1D", atlas)


def test_another_order_of_networks_is_noticed(
    tmp_path: Path, atlas: Atlas, values: np.ndarray
) -> None:
    names = [name.replace("7Networks", "17Networks") for name in NAMES[:2]] + ["x", "y"]
    pd.DataFrame(values, columns=names).to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    with pytest.raises(ScanError, match=r"in the order of 17 networks, the atlas of 7"):
        read(tmp_path / "a.tsv", atlas)


@pytest.mark.parametrize("first", ["volume", ""])
def test_numbered_columns_are_labels_or_count_from_zero(
    tmp_path: Path, atlas: Atlas, values: np.ndarray, first: str
) -> None:
    table = pd.DataFrame(values)  # its header is 0, 1, 2, 3
    table.to_csv(tmp_path / "zero.csv", index=False)
    table.rename_axis(first).to_csv(tmp_path / "index.csv")
    table[[2, 0, 3, 1]].set_axis([30, 11, 41, 12], axis=1).to_csv(
        tmp_path / "labels.tsv", sep="\t", index=False
    )
    table.set_axis([1, 2, 3, 4], axis=1).rename_axis("volume").to_csv(tmp_path / "one.csv")
    for name in ("zero.csv", "index.csv", "labels.tsv"):
        np.testing.assert_allclose(read(tmp_path / name, atlas).means_TC, values)
    with pytest.raises(ScanError, match=r"numbers its columns \(1 to 4\), but not by the labels"):
        read(tmp_path / "one.csv", atlas)


def test_what_cannot_be_told_is_refused(tmp_path: Path, atlas: Atlas, values: np.ndarray) -> None:
    np.save(tmp_path / "square.npy", values[:4])
    with pytest.raises(ScanError, match="is square"):
        read(tmp_path / "square.npy", atlas)
    header = ",".join([NAMES[0], NAMES[0], NAMES[1], NAMES[2]])
    np.savetxt(tmp_path / "twice.csv", values, delimiter=",", header=header, comments="")
    with pytest.raises(ScanError, match="two columns of one region"):
        read(tmp_path / "twice.csv", atlas)
    missing = pd.DataFrame(values)
    missing[1] = np.nan  # a region without data in the middle stays in its place
    missing.to_csv(tmp_path / "hole.1D", sep="\t", index=False, header=False, na_rep="n/a")
    assert np.isnan(read(tmp_path / "hole.1D", atlas).means_TC).all(0).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_xcpd_tables_have_their_tr_beside_them(
    tmp_path: Path, atlas: Atlas, values: np.ndarray
) -> None:
    table = pd.DataFrame(values, columns=NAMES)
    table[NAMES[3]] = np.nan  # XCP-D writes n/a for a parcel without coverage
    path = tmp_path / "sub-01_seg-toy_stat-mean_timeseries.tsv"
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match="there is no sub-01_seg-toy_stat-mean_timeseries.json"):
        read(path, atlas, float("nan"))
    path.with_suffix(".json").write_text(json.dumps({"SamplingFrequency": 1.25}))
    run = read(path, atlas, float("nan"))
    assert run.tr == 0.8 and np.isnan(run.means_TC[:, 3]).all()
    np.testing.assert_allclose(run.means_TC[:, :3], values[:, :3])


def test_the_references_hdf5(tmp_path: Path, atlas: Atlas, values: np.ndarray) -> None:
    padded = np.full((2, 4, 50), np.nan, np.float32)
    padded[0, :, :30], padded[1] = values.T, 7
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["timeseries/toy"] = padded
        file["long_subject_id"] = ["sub-01", "sub-02"]
    run = read(tmp_path / "a.h5", atlas)
    np.testing.assert_allclose(run.means_TC, values, rtol=1e-6)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["timeseries/toy"][0, :, 7] = np.nan
    with pytest.raises(ScanError, match="1 of 30 volumes have no data in any region"):
        scan_timeseries(read(tmp_path / "a.h5", atlas), Parcellation())


def test_our_own_files(
    tmp_path: Path, atlas: Atlas, values: np.ndarray, manifest: Manifest
) -> None:
    order = [3, 2, 1, 0]
    theirs = manifest.model_copy(
        update={"labels": tuple(NAMES[i] for i in order), "networks": ("a",) * 4, "tr": 0.72}
    )
    rows = pd.DataFrame({"scan": ["sub-01", "sub-02"], "participant_id": ["sub-01", "sub-02"]})
    rows = rows.assign(session="", task="", run="", status="ok", reason="")
    write_timeseries(tmp_path / "t.parquet", rows, [values.T[order], None], theirs)
    run = read(tmp_path / "t.parquet", atlas)
    np.testing.assert_allclose(run.means_TC, values, rtol=1e-6)
    assert (run.tr, run.space) == (0.72, "MNI152NLin2009aSym")
    with pytest.raises(ScanError, match="excluded there"):
        read_timeseries(tmp_path / "t.parquet", "sub-02", atlas, 2.0, None)


def test_odd_files_are_a_reason(tmp_path: Path, atlas: Atlas) -> None:
    for name, content in {
        "empty.tsv": b"",
        "words.tsv": b"a\tb\tc\td\n1\t2\t3\tfour\n",
        "binary.csv": b"\xff\xfe\x00\x9d\n",
        "array.npy": b"\x93NUMPY\x01",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ScanError, match=name):
            read(tmp_path / name, atlas)


def test_names_of_columns(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("row\tname\n1\tx\n2\ty\n")
    (tmp_path / "a.txt").write_text("x\ny\n")
    assert read_names(tmp_path / "a.tsv") == read_names(tmp_path / "a.txt") == ["x", "y"]
    with pytest.raises(UserError, match="`regions` of a data set names a table"):
        read_names(tmp_path / "b.tsv")

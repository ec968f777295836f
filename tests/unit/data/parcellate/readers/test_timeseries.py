"""Time series of other software are read with their repetition time."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from nibabel.cifti2 import ParcelsAxis, SeriesAxis
from scipy.io import savemat

from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.readers.timeseries import read_region_names, read_timeseries
from semantoks.errors import ScanError, UserError
from tests.unit.data.parcellate.conftest import dense_axis, write_dense
from tests.unit.data.parcellate.readers.conftest import NAMES, read


@pytest.mark.parametrize(
    ("header", "regions", "is_known"),
    [
        (None, None, False),
        ([0, 1, 2, 3], None, False),  # as pandas counts, be it regions or volumes
        (["", 0, 1, 2, 3], None, False),
        (["volume", 0, 1, 2, 3], None, True),
        (NAMES, None, True),
        ([11, 12, 30, 41], None, True),  # labels of the atlas
        (None, NAMES, True),
        ([0, 1, 2, 3], NAMES, True),
    ],
)
def test_square_tables_need_names_of_regions(
    tmp_path: Path,
    named_atlas: Atlas,
    values: np.ndarray,
    header: list[object] | None,
    regions: list[str] | None,
    is_known: bool,
) -> None:
    table, path = pd.DataFrame(values[:4]), tmp_path / "a.csv"
    if header and len(header) == 5:
        table.insert(0, "row", range(4))
    table.to_csv(path, index=False, header=False if header is None else list(map(str, header)))
    if is_known:
        scan = read(path, named_atlas, names=regions)
        np.testing.assert_allclose(scan.means_TC, values[:4])
    else:
        with pytest.raises(ScanError, match=r"a.csv is square.* or set `regions`"):
            read(path, named_atlas)


def test_square_arrays_are_refused(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values[:4])
    savemat(tmp_path / "a.mat", {"ROISignals": values[:4]})
    # The first row counts, but what?
    np.save(tmp_path / "b.npy", np.vstack([[0, 1, 2, 3], values[:4]]))
    for name in ("a.npy", "a.mat", "b.npy"):
        with pytest.raises(ScanError, match=f"{name} is square"):
            read(tmp_path / name, named_atlas)


def test_xcpd_tables_have_their_tr_in_the_sidecar(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    table = pd.DataFrame(values, columns=NAMES)
    table[NAMES[3]] = np.nan  # XCP-D writes n/a for a parcel without coverage
    path = tmp_path / "sub-01_seg-toy_stat-mean_timeseries.tsv"
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(ScanError, match="there is no sub-01_seg-toy_stat-mean_timeseries.json"):
        read(path, named_atlas, float("nan"))
    path.with_suffix(".json").write_text(json.dumps({"SamplingFrequency": 1.25}))
    scan = read(path, named_atlas, float("nan"))
    assert scan.tr == 0.8 and np.isnan(scan.means_TC[:, 3]).all()
    np.testing.assert_allclose(scan.means_TC[:, :3], values[:, :3])


def write_parcellated(path: Path, data: np.ndarray, names: list[str], step: float = 0.8) -> None:
    vertices = [{"CIFTI_STRUCTURE_CORTEX_LEFT": np.array([n])} for n in range(len(names))]
    voxels, meshes = [np.empty((0, 3))] * len(names), {"CIFTI_STRUCTURE_CORTEX_LEFT": 100}
    parcels = ParcelsAxis(names, voxels, vertices, nvertices=meshes)
    series = SeriesAxis(0, step, len(data))
    nib.save(nib.Cifti2Image(data.astype(np.float32), (series, parcels)), path)


def test_parcels_of_cifti_are_matched_by_name(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    path = tmp_path / "sub-01_task-rest_seg-toy_den-91k_stat-mean_timeseries.ptseries.nii"
    write_parcellated(path, values, [NAMES[3], "elsewhere", NAMES[0], NAMES[1]])
    scan = read(path, named_atlas, math.nan)
    assert scan.tr == pytest.approx(0.8)
    np.testing.assert_allclose(scan.means_TC[:, [3, 0, 1]], values[:, [0, 2, 3]], rtol=1e-6)
    assert np.isnan(scan.means_TC[:, 2]).all()
    square = values[:4]  # no matter, since the axes are named
    write_parcellated(path, square, NAMES)
    np.testing.assert_allclose(read(path, named_atlas).means_TC, square, rtol=1e-6)
    path.with_name(path.name.replace(".ptseries.nii", ".json")).write_text('{"RepetitionTime": 2}')
    with pytest.raises(ScanError, match=r"not clear: 2 s in .*json .*, 0.8 s in .*ptseries.nii"):
        read(path, named_atlas)


def test_other_cifti_is_a_sentence(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    path = tmp_path / "a.ptseries.nii"
    dense, _ = write_dense(tmp_path, dense_axis(np.arange(100), np.arange(100)))
    dense.rename(path)
    with pytest.raises(ScanError, match="not a parcellated time series: its axes are Series"):
        read(path, named_atlas)
    write_parcellated(path, values, ["a", "b", "c", "d"])
    with pytest.raises(ScanError, match="0 of 4 columns of a.ptseries.nii are regions"):
        read(path, named_atlas)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ScanError, match="a.ptseries.nii is truncated"):
        read(path, named_atlas)


def test_parquet_files_of_semantoks(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, manifest: Manifest
) -> None:
    order = [3, 2, 1, 0]
    theirs = manifest.model_copy(
        update={"labels": tuple(NAMES[i] for i in order), "networks": ("a",) * 4, "tr": 0.72}
    )
    rows = pd.DataFrame({"scan": ["sub-01", "sub-02"], "participant_id": ["sub-01", "sub-02"]})
    rows = rows.assign(session="", task="", run="", status="ok", reason="")
    write_timeseries(tmp_path / "t.parquet", rows, [values.T[order], None], theirs)
    scan = read(tmp_path / "t.parquet", named_atlas)
    np.testing.assert_allclose(scan.means_TC, values, rtol=1e-6)
    assert (scan.tr, scan.space) == (0.72, "MNI152NLin2009aSym")
    with pytest.raises(ScanError, match="excluded there"):
        read_timeseries(tmp_path / "t.parquet", "sub-02", named_atlas, 2.0, None)
    amplitudes = [np.log([2.0, 1, 1, 3]), None]
    path = tmp_path / "amplitude.parquet"
    write_timeseries(path, rows, [values.T[order], None], theirs, amplitudes=amplitudes)
    scan = read(path, named_atlas)
    np.testing.assert_allclose(scan.means_TC, values * [3, 1, 1, 2], rtol=1e-6)
    pq.write_table(pq.read_table(tmp_path / "t.parquet"), tmp_path / "t.parquet")
    with pytest.raises(ScanError, match="t.parquet was written again .* 2 scans in 1 row groups"):
        read(tmp_path / "t.parquet", named_atlas)


def test_parquet_files_of_semantoks_keep_start_and_motion(
    tmp_path: Path, named_atlas: Atlas, manifest: Manifest
) -> None:
    """Without the start, windows of events would be moved by the volumes that were dropped."""
    path, labels = tmp_path / "t.parquet", {"labels": tuple(NAMES), "networks": ("a",) * 4}
    values_CT = np.random.default_rng(0).standard_normal((4, 200))
    scans = [f"sub-{number:02d}" for number in range(3)]
    rows = pd.DataFrame({"scan": scans, "participant_id": scans})
    rows = rows.assign(session="", task="", run="", status="ok", reason="")
    measured = {"start": [12.0, np.nan, 0.0], "mean_fd": [0.12, np.nan, 0.9], "dvars": 1.5}
    rows = rows.assign(**measured, tsnr="a", seconds=7.0)  # a text is no measure
    write_timeseries(path, rows, [values_CT] * 3, manifest.model_copy(update=labels))
    first, second, third = (
        read_timeseries(path, scan, named_atlas, 2.0, None)
        for scan in ("sub-00", "sub-01", "sub-02")
    )
    assert first.measures == {"start": 12.0, "mean_fd": 0.12, "dvars": 1.5}
    measures = clean_scan(replace(first, sample_mask=np.arange(3, 200)), Parcellation())[1]
    assert measures["start"] == 12 + 3 * first.tr and measures["mean_fd"] == 0.12
    assert measures["seconds"] == 197 * first.tr
    assert clean_scan(second, Parcellation())[1]["start"] == 0
    with pytest.raises(ScanError, match=r"head motion: mean framewise displacement 0\.90 mm"):
        clean_scan(third, Parcellation())


def test_names_of_regions_are_a_table_or_lines(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("row\tname\n1\tx\n2\ty\n")
    (tmp_path / "a.txt").write_text("x\ny\n")
    assert (
        read_region_names(tmp_path / "a.tsv") == read_region_names(tmp_path / "a.txt") == ["x", "y"]
    )
    with pytest.raises(UserError, match="`regions` of a data set names a table"):
        read_region_names(tmp_path / "b.tsv")
    (tmp_path / "c.csv").write_text("\ufeffname,x\na ,1\n")
    assert read_region_names(tmp_path / "c.csv") == ["a"]
    (tmp_path / "d.csv").write_text("region,x\na,1\n")
    with pytest.raises(UserError, match=r"has no column `name` \(columns: region, x\)"):
        read_region_names(tmp_path / "d.csv")


@pytest.mark.parametrize(
    ("sidecar", "configured", "expected"),
    [
        (None, 2.0, 2.0),
        ({"RepetitionTime": 0.8}, 2.0, 0.8),  # the file says
        ({"SamplingFrequency": 1.25}, 2.0, 0.8),
        ({"RepetitionTime": None, "SamplingFrequency": 1.25}, 2.0, 0.8),
        ({"RepetitionTime": 0.8, "SamplingFrequency": "TR"}, 2.0, 0.8),
        ({"SamplingFrequency": "n/a"}, 2.0, 2.0),
        ({"SamplingFrequency": "n/a"}, math.nan, "no repetition time: no RepetitionTime in a.json"),
        ({"RepetitionTime": "n/a"}, math.nan, "no repetition time"),
        (None, math.nan, "there is no a.json beside a.tsv, and no `repetition_time`"),
        ({"SamplingFrequency": "fast"}, 2.0, "SamplingFrequency is 'fast' in a.json"),
        ({"SamplingFrequency": 0}, 2.0, "SamplingFrequency is '0' in a.json"),
        ({"SamplingFrequency": [1.25]}, 2.0, "a number of Hz is needed"),
        ({"RepetitionTime": [0.8]}, 2.0, "RepetitionTime is '\\[0.8\\]' in a.json"),
        ({"RepetitionTime": 800}, 2.0, "is it in milliseconds"),
        ({"RepetitionTime": 2, "SamplingFrequency": 1.25}, 2.0, "repetition time is not clear"),
        ("{", 2.0, "the sidecar a.json cannot be read"),
        ("[]", 2.0, "the sidecar a.json cannot be read .it is not a JSON object"),
        ("\ufeff{}", 2.0, 2.0),
    ],
)
def test_the_files_state_the_tr_and_the_configuration_where_they_do_not(
    tmp_path: Path,
    named_atlas: Atlas,
    values: np.ndarray,
    sidecar: dict[str, object] | str | None,
    configured: float,
    expected: float | str,
) -> None:
    pd.DataFrame(values, columns=NAMES).to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    if sidecar is not None:
        text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
        (tmp_path / "a.json").write_text(text, encoding="utf-8")
    if isinstance(expected, str):
        with pytest.raises(ScanError, match=expected):
            read(tmp_path / "a.tsv", named_atlas, configured)
    else:
        assert read(tmp_path / "a.tsv", named_atlas, configured).tr == expected


def test_constant_regions_count_as_no_data(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    signals = np.tile(values, (4, 1)) + np.random.default_rng(1).normal(size=(120, 4))
    signals[:, 0], signals[:, 2] = 0, 1e4 + np.arange(120) % 2 * 1e-3  # rounding of float32
    np.save(tmp_path / "a.npy", signals)
    scan = read(tmp_path / "a.npy", named_atlas)
    assert np.isnan(scan.means_TC).all(0).tolist() == [True, False, True, False]
    timeseries_CT, measures, _ = clean_scan(scan, Parcellation())
    assert measures["coverage"] == 0.5
    assert np.isnan(timeseries_CT).all(1).tolist() == [True, False, True, False]
    with pytest.raises(ScanError, match="50% of the atlas covered"):
        clean_scan(scan, Parcellation(min_scan_coverage=0.6))
    signals[:, 2] = np.random.default_rng(2).normal(size=120) * 1e-13  # a constant, demeaned
    np.save(tmp_path / "a.npy", signals)
    assert np.isnan(read(tmp_path / "a.npy", named_atlas).means_TC[:, 2]).all()


def test_nothing_that_changes_and_volumes_of_zeros_are_a_reason(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    np.save(tmp_path / "a.npy", np.full((30, 4), 7.0))
    with pytest.raises(ScanError, match="no region changes over time"):
        read(tmp_path / "a.npy", named_atlas)
    values[[3, 29]] = 0
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ScanError, match="2 of 30 volumes of a.npy are 0 in every region"):
        read(tmp_path / "a.npy", named_atlas)

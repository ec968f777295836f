"""Time series of other software are read with their repetition time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.timeseries import read_region_names, read_timeseries
from semantoks.errors import ScanError, UserError
from tests.unit.data.parcellate.readers.conftest import NAMES, read


def test_square_arrays_are_refused(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    np.save(tmp_path / "square.npy", values[:4])
    with pytest.raises(ScanError, match="is square"):
        read(tmp_path / "square.npy", named_atlas)


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


def test_names_of_regions_are_a_table_or_lines(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("row\tname\n1\tx\n2\ty\n")
    (tmp_path / "a.txt").write_text("x\ny\n")
    assert (
        read_region_names(tmp_path / "a.tsv") == read_region_names(tmp_path / "a.txt") == ["x", "y"]
    )
    with pytest.raises(UserError, match="`regions` of a data set names a table"):
        read_region_names(tmp_path / "b.tsv")

"""Text tables are read with and without headers of names, labels or numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import read


def test_labels_name_columns_too(tmp_path: Path, named_atlas: Atlas, values: np.ndarray) -> None:
    header = "#30\t#11\t#41\t#12"  # as C-PAC writes .1D files
    np.savetxt(
        tmp_path / "a.1D", values[:, [2, 0, 3, 1]], delimiter="\t", header=header, comments=""
    )
    np.testing.assert_allclose(read(tmp_path / "a.1D", named_atlas).means_TC, values)


def test_tables_without_header_are_in_the_order_of_the_atlas(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    np.savetxt(tmp_path / "a.1D", values)
    np.testing.assert_allclose(read(tmp_path / "a.1D", named_atlas).means_TC, values)
    np.savetxt(tmp_path / "b.1D", values[:, :3])
    with pytest.raises(ScanError, match=r"shape \(30, 3\), a table with 4 regions is expected"):
        read(tmp_path / "b.1D", named_atlas)


@pytest.mark.parametrize("first", ["volume", ""])
def test_numbered_columns_are_labels_or_count_from_zero(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray, first: str
) -> None:
    table = pd.DataFrame(values)  # its header is 0, 1, 2, 3
    table.to_csv(tmp_path / "zero.csv", index=False)
    table.rename_axis(first).to_csv(tmp_path / "index.csv")
    table[[2, 0, 3, 1]].set_axis([30, 11, 41, 12], axis=1).to_csv(
        tmp_path / "labels.tsv", sep="\t", index=False
    )
    table.set_axis([1, 2, 3, 4], axis=1).rename_axis("volume").to_csv(tmp_path / "one.csv")
    for name in ("zero.csv", "index.csv", "labels.tsv"):
        np.testing.assert_allclose(read(tmp_path / name, named_atlas).means_TC, values)
    with pytest.raises(ScanError, match=r"numbers its columns \(1 to 4\), but not by the labels"):
        read(tmp_path / "one.csv", named_atlas)


def test_a_region_without_data_keeps_its_column(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    table = pd.DataFrame(values)
    table[1] = np.nan
    table.to_csv(tmp_path / "hole.1D", sep="\t", index=False, header=False, na_rep="n/a")
    means_TC = read(tmp_path / "hole.1D", named_atlas).means_TC
    assert np.isnan(means_TC).all(0).tolist() == [False, True, False, False]


def test_malformed_tables_are_a_reason(tmp_path: Path, named_atlas: Atlas) -> None:
    for name, content in {
        "empty.tsv": b"",
        "words.tsv": b"a\tb\tc\td\n1\t2\t3\tfour\n",
        "binary.csv": b"\xff\xfe\x00\x9d\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ScanError, match=name):
            read(tmp_path / name, named_atlas)

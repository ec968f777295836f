"""Columns are matched with the regions of the atlas, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import ScanError
from tests.unit.data.parcellate.readers.conftest import NAMES, read


def test_columns_are_ordered_by_name(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    shuffled = pd.DataFrame(values, columns=NAMES)[[NAMES[2], NAMES[0], NAMES[3], NAMES[1]]]
    shuffled.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    shuffled.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.tsv", "a.csv"):
        np.testing.assert_allclose(read(tmp_path / name, named_atlas).means_TC, values)


def test_missing_regions_are_nan_and_unknown_columns_are_dropped(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    np.save(tmp_path / "a.npy", values.T[:3])  # regions first
    scan = read(tmp_path / "a.npy", named_atlas, names=[NAMES[1], "amygdala", NAMES[0]])
    np.testing.assert_allclose(scan.means_TC[:, [1, 0]], values[:, [0, 2]])
    assert np.isnan(scan.means_TC[:, 2:]).all()


def test_another_order_of_networks_is_refused(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    names = [name.replace("7Networks", "17Networks") for name in NAMES[:2]] + ["x", "y"]
    pd.DataFrame(values, columns=names).to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    with pytest.raises(ScanError, match=r"in the order of 17 networks, the atlas of 7"):
        read(tmp_path / "a.tsv", named_atlas)


def test_two_columns_of_one_region_are_refused(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    header = ",".join([NAMES[0], NAMES[0], NAMES[1], NAMES[2]])
    np.savetxt(tmp_path / "twice.csv", values, delimiter=",", header=header, comments="")
    with pytest.raises(ScanError, match="two columns of one region"):
        read(tmp_path / "twice.csv", named_atlas)


def test_a_column_that_pandas_renamed_is_a_second_of_its_region(
    tmp_path: Path, named_atlas: Atlas, values: np.ndarray
) -> None:
    columns = [NAMES[0], NAMES[1], f"{NAMES[0]}.1", NAMES[2]]
    pd.DataFrame(values, columns=columns).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ScanError, match="two columns of one region"):
        read(tmp_path / "a.csv", named_atlas)
    np.savetxt(tmp_path / "b.csv", values, delimiter=",", header="x,11,12,12.0", comments="")
    with pytest.raises(ScanError, match="two columns of one region"):
        read(tmp_path / "b.csv", named_atlas)


def test_names_that_are_labels_of_other_regions_are_refused(
    tmp_path: Path, values: np.ndarray
) -> None:
    regions = pd.DataFrame({"index": [1, 2, 3, 4], "name": ["4", "3", "2", "1"]})
    np.savetxt(tmp_path / "a.csv", values, delimiter=",", header="1,2,3,4", comments="")
    with pytest.raises(ScanError, match="labels of some regions .* and names of others"):
        read(tmp_path / "a.csv", Atlas("toy", None, regions, "", "0"))


@pytest.mark.parametrize("header", ["1,2,3,4", "1.0,2.0,3.0,4.0", "volume,1,2,3,4", "1,2,3"])
def test_numbers_from_1_are_no_labels_of_an_atlas_with_a_gap(
    tmp_path: Path, values: np.ndarray, header: str
) -> None:
    """Desikan-Killiany has the labels 1 to 3 and 5 to 35: behind the gap, all would shift."""
    regions = pd.DataFrame({"index": [1, 2, 4, 5], "name": ["a", "b", "c", "d"]})
    atlas, count = Atlas("toy", None, regions, "", "0"), len(header.split(","))
    table = np.column_stack([np.random.default_rng(1).standard_normal(len(values)), values])
    np.savetxt(tmp_path / "a.csv", table[:, -count:], delimiter=",", header=header, comments="")
    with pytest.raises(ScanError, match=r"from 1 to [34], and 3 is no label of the atlas toy"):
        read(tmp_path / "a.csv", atlas)


def test_labels_may_have_a_gap_and_numbers_count_with_regions(
    tmp_path: Path, values: np.ndarray
) -> None:
    regions = pd.DataFrame({"index": [1, 2, 4, 5], "name": ["a", "b", "c", "d"]})
    atlas = Atlas("toy", None, regions, "", "0")
    wider = np.insert(values, 2, np.random.default_rng(1).standard_normal(len(values)), axis=1)
    for header, table, names in (
        ("1,2,4,5", values, None),
        ("0,1,2,3", values, None),
        ("1,2,3,4", values, ["a", "b", "c", "d"]),
        ("1,2,3,4,5", wider, None),  # more than there are regions, so they are labels
    ):
        np.savetxt(tmp_path / "a.csv", table, delimiter=",", header=header, comments="")
        np.testing.assert_allclose(read(tmp_path / "a.csv", atlas, names=names).means_TC, values)

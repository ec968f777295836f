from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import (
    FeatureBlock,
    has_features,
    read_participant_features,
    read_windows,
    write_representation,
)
from semantoks.artifacts.tables import read_metadata
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.errors import UserError


def test_features_of_a_participant_are_the_mean_of_their_scans(tmp_path: Path) -> None:
    scans = pd.DataFrame(
        {"scan": ["b_2", "a_1", "b_1"], "participant_id": ["b", "a", "b"], "session": ""}
    ).assign(task="", run="")
    features = np.array([[3.0, np.nan], [1, 2], [5, np.nan]])
    write_representation(tmp_path / "r.parquet", scans, features)
    means = read_participant_features(tmp_path / "r.parquet")
    assert means.participant_id == ["a", "b"]
    assert np.array_equal(means.features_PF, [[1, 2], [4, np.nan]], equal_nan=True)


def test_selected_participants_are_read_from_several_row_groups(tmp_path: Path) -> None:
    names = [f"sub-{number}" for number in range(100)]
    scans = pd.DataFrame(dict.fromkeys(SCAN_ENTITIES, names))
    # "_" sorts after digits, so sub-10_rest precedes sub-1_rest, but sub-1 precedes sub-10.
    scans["scan"] = [f"{name}_rest" for name in names]
    path = tmp_path / "r.parquet"
    write_representation(path, scans, np.arange(100.0)[:, None])
    everybody = read_participant_features(path)
    assert everybody.participant_id == sorted(names)
    by_value = [f"sub-{value:.0f}" for value in everybody.features_PF[:, 0]]
    assert by_value == everybody.participant_id
    selected = read_participant_features(path, ["sub-99", "sub-0", "absent"])
    assert selected.participant_id == ["sub-0", "sub-99"]
    assert selected.features_PF.tolist() == [[0], [99]]
    assert read_participant_features(path, ["absent"]).participant_id == []


def test_windows_are_stored_beside_their_mean(tmp_path: Path) -> None:
    scans = pd.DataFrame({"scan": ["a_1", "a_2", "b_1"], "participant_id": ["a", "a", "b"]})
    scans = scans.assign(session="", task="", run="")
    values = [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0]]]
    path = tmp_path / "r.parquet"
    write_representation(path, scans, map(np.array, values), windows=True)
    # The mean of a is that of its scans, (1, 2) and (4, 5), not that of its three windows.
    assert read_participant_features(path).features_PF.tolist() == [[2.5, 3.5], [7, 8]]
    assert {name: rows.tolist() for name, rows in read_windows(path).items()} == {
        "a": values[0] + values[1],
        "b": values[2],
    }
    write_representation(path, scans, np.ones((3, 2)))
    assert read_windows(path) == {}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_without_a_finite_number_are_refused(
    tmp_path: Path, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"sub-{number:02d}" for number in range(64)]  # two row groups
    scans = pd.DataFrame(dict.fromkeys(SCAN_ENTITIES, names))
    path, features = tmp_path / "r.parquet", np.full((64, 2), value)
    for rows in (features, iter(features)):
        with pytest.raises(UserError, match="None of 64 scans has a feature"):
            write_representation(path, scans, rows)
        assert not list(tmp_path.iterdir())
    features[0, 1] = 1
    write_representation(path, scans, features)
    assert "63 of 64 scans have no features: sub-01, sub-02, " in caplog.text
    known = has_features(read_participant_features(path).features_PF)
    assert known.tolist() == [True] + [False] * 63
    write_representation(path, scans, np.empty((64, 0)))  # chance
    assert has_features(np.empty((3, 0))).all()


def test_windows_without_values_do_not_stand_beside_others(tmp_path: Path) -> None:
    scans = pd.DataFrame({"scan": ["a_1", "a_2", "b_1"], "participant_id": ["a", "a", "b"]})
    scans = scans.assign(session="", task="", run="")
    values = [[[1.0, 2.0], [3.0, 4.0]], [[np.nan, np.nan]], [[np.nan, np.nan]]]
    write_representation(tmp_path / "r.parquet", scans, map(np.array, values), windows=True)
    windows = read_windows(tmp_path / "r.parquet")
    assert windows["a"].tolist() == values[0]
    assert windows["b"].shape == (1, 2) and np.isnan(windows["b"]).all()


def test_an_iterable_of_features_needs_sorted_scans(tmp_path: Path) -> None:
    table = pd.DataFrame({key: ["b", "a"] for key in SCAN_ENTITIES})
    with pytest.raises(ValueError, match="sorted"):
        write_representation(tmp_path / "r.parquet", table, iter(np.ones((2, 3))))
    rows = np.arange(6.0).reshape(2, 3)
    write_representation(tmp_path / "1.parquet", table, rows)
    write_representation(tmp_path / "2.parquet", table.iloc[::-1], iter(rows[::-1]))
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_blocks_of_columns_are_read_as_written(tmp_path: Path) -> None:
    scans = pd.DataFrame({key: ["a", "b"] for key in SCAN_ENTITIES})
    path = tmp_path / "r.parquet"
    blocks = (FeatureBlock("networks", 1), FeatureBlock("coupling", 2, 0.5))
    write_representation(path, scans, np.ones((2, 3)), blocks=blocks)
    assert read_participant_features(path).blocks == blocks
    assert read_participant_features(path, ["absent"]).blocks == blocks
    write_representation(path, scans, np.ones((2, 3)))
    assert read_participant_features(path).blocks == ()
    # Files of one block have the bytes that they had before there were blocks.
    assert "blocks" not in read_metadata(path)


@pytest.mark.parametrize(
    "blocks",
    [
        [FeatureBlock("networks", 2)],
        [FeatureBlock("networks", 3), FeatureBlock("empty", 0)],
        [FeatureBlock("a", 1), FeatureBlock("a", 2)],
        [FeatureBlock("a", 3, -1.0)],
    ],
)
def test_blocks_that_do_not_fit_the_features_are_refused(
    tmp_path: Path, blocks: list[FeatureBlock]
) -> None:
    scans = pd.DataFrame({key: ["a", "b"] for key in SCAN_ENTITIES})
    with pytest.raises(ValueError, match="blocks"):
        write_representation(tmp_path / "r.parquet", scans, np.ones((2, 3)), blocks=blocks)
    with pytest.raises(ValueError, match="have no blocks"):
        write_representation(
            tmp_path / "r.parquet",
            scans,
            np.ones((2, 3)),
            fitted="tangent",
            blocks=[FeatureBlock("a", 3)],
        )
    assert not list(tmp_path.iterdir())

"""Copies of a recording are recognised under any name; other people and other sessions are not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    FINGERPRINTS,
    OVER_TIME,
    connectivity_fingerprint,
    read_signals,
    temporal_fingerprint,
)
from semantoks.artifacts.recordings import (
    SAME_RECORDING,
    copies_of,
    recording_names,
    same_recordings,
    similarity_over_time,
)
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.artifacts.zscores import zscore
from semantoks.data.parcellate.shard import fingerprint
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.scans.stage import scans
from semantoks.data.signals import clean, resample_time

TR = 2.0


def prepared(means_TC: np.ndarray, tr: float = TR) -> np.ndarray:
    """Time series as `parcellate` makes them."""
    signals_TC = clean(means_TC.astype(float), None, tr, 0.1, 0.01)
    return zscore(resample_time(signals_TC, tr, TR).T).astype(np.float32)


def described(timeseries: list[np.ndarray], tr: list[float] | None = None) -> pd.DataFrame:
    """Rows of a scan table; the scan of the n-th time series is named after n."""
    return pd.DataFrame(
        {
            "scan": [f"{n:03d}" for n in range(len(timeseries))],
            "fingerprint": [fingerprint(array) for array in timeseries],
            CONNECTIVITY: [connectivity_fingerprint(array) for array in timeseries],
            OVER_TIME: [temporal_fingerprint(array) for array in timeseries],
            "repetition_time": tr or [TR] * len(timeseries),
        }
    )


@pytest.fixture(scope="module")
def people() -> list[np.ndarray]:
    """Regional means of 20 people with connectivity of their own; two recordings of each."""
    rng = np.random.default_rng(0)
    common_RC = rng.standard_normal((8, 40))
    recordings = []
    for _ in range(20):
        weights_RC = common_RC + 0.5 * rng.standard_normal((8, 40))
        for _ in range(2):
            networks_TR = rng.standard_normal((200, 8))
            means_TC = networks_TR @ weights_RC + 2 * rng.standard_normal((200, 40))
            recordings.append(1000 + 5 * means_TC)
    return recordings


@pytest.fixture(scope="module")
def originals(people: list[np.ndarray]) -> list[np.ndarray]:
    return [prepared(means_TC) for means_TC in people]


def noise(means_TC: np.ndarray, share: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return means_TC + share * means_TC.std(axis=0) * rng.standard_normal(means_TC.shape)


def without_global_signal(means_TC: np.ndarray) -> np.ndarray:
    signal_T = means_TC.mean(axis=1) - means_TC.mean()
    return means_TC - np.outer(signal_T, signal_T @ means_TC / (signal_T @ signal_T))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ten times the value": lambda x: 10 * x,
    "other units in each region": lambda x: x * np.linspace(0.2, 3, x.shape[1]) - 500,
    "half precision": lambda x: x.astype(np.float16),
    "a volume less": lambda x: x[1:],
    "first half": lambda x: x[:100],
    "second half": lambda x: x[100:],
    "the middle": lambda x: x[40:160],
    "0.1 % noise": lambda x: noise(x, 0.001),
    "5 % noise": lambda x: noise(x, 0.05),
    "50 % noise": lambda x: noise(x, 0.5),
    "without global signal": without_global_signal,
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_recognised(
    people: list[np.ndarray], originals: list[np.ndarray], name: str
) -> None:
    copies = [prepared(COPIES[name](means_TC)) for means_TC in people[::8]]
    matches = same_recordings(described(originals + copies))
    assert [(match.first, match.second) for match in matches] == [
        (8 * n, len(people) + n) for n in range(len(copies))
    ]


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_recognised_among_the_scans_of_others(
    people: list[np.ndarray], originals: list[np.ndarray], name: str
) -> None:
    """The second recording of each person is no copy of the first."""
    copies = [prepared(COPIES[name](means_TC)) for means_TC in people[:16:8]]
    scans = described([originals[1], *copies, *originals[17::2], originals[2]])
    is_copy = copies_of(described(originals[:16:2]), scans)
    assert np.flatnonzero(is_copy).tolist() == [1, 2, len(scans) - 1]
    assert not copies_of(scans[:0], scans).any() and not len(copies_of(scans, scans[:0]))


@pytest.mark.parametrize("is_resampled", [True, False])
def test_a_copy_at_another_tr_is_recognised(
    people: list[np.ndarray], originals: list[np.ndarray], is_resampled: bool
) -> None:
    """Exported at another TR, or the same volumes with another TR declared."""
    copies = []
    for means_TC in people[::8]:
        slow_TC = clean(means_TC, None, TR, 0.12, 0.001) if is_resampled else means_TC
        copies.append(prepared(resample_time(slow_TC, TR, 2.5) if is_resampled else slow_TC, 2.5))
    table = described(originals + copies, [TR] * len(originals) + [2.5] * len(copies))
    assert {(match.first, match.second) for match in same_recordings(table)} == {
        (8 * n, len(people) + n) for n in range(len(copies))
    }


def test_two_recordings_of_a_person_are_not_the_same(originals: list[np.ndarray]) -> None:
    assert same_recordings(described(originals)) == []


def test_two_scans_are_compared_though_they_have_nobody_around_them(
    people: list[np.ndarray],
) -> None:
    first, copy, other = (prepared(x) for x in (people[0], 10 * people[0][1:], people[2]))
    assert len(same_recordings(described([first, copy]))) == 1
    assert same_recordings(described([first, other])) == []
    assert same_recordings(described([first])) == []


def test_matches_of_matches_are_the_same_recording(people: list[np.ndarray]) -> None:
    whole = people[0]
    table = described([prepared(x) for x in (whole[:100], people[2], whole, whole[100:])])
    names = recording_names(table["scan"], same_recordings(table))
    assert names.tolist() == ["000", "001", "000", "000"]


def test_regions_without_data_do_not_hide_a_copy(originals: list[np.ndarray]) -> None:
    arrays = originals[:20]
    copy = arrays[4].copy()
    copy[[3, 17]] = np.nan
    (match,) = same_recordings(described([*arrays, copy]))
    assert (match.first, match.second) == (4, 20)


def test_short_scans_are_compared_by_their_hash_only(people: list[np.ndarray]) -> None:
    short = [array[:, :20] for array in (prepared(people[0]), prepared(people[2]))]
    signals = [read_signals(temporal_fingerprint(array)) for array in short]
    assert similarity_over_time(signals[0], signals[0]) == -1
    matches = same_recordings(described([*short, short[1]]))
    assert [(match.first, match.second, match.similarity) for match in matches] == [(1, 2, 1.0)]


def test_the_scan_table_names_the_recording_and_the_log_the_pair(
    tmp_path: Path,
    people: list[np.ndarray],
    manifest: Manifest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrays = [prepared(x) for x in (people[0], people[2], 10 * people[0][1:])]
    rows = described(arrays).assign(status="ok", reason="", participant_id=["a", "b", "c"])
    rows.loc[3] = {"scan": "003", "status": "excluded", "reason": "head motion"}
    shards = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    write_timeseries(shards[0], rows[:2], arrays[:2], manifest)
    write_timeseries(shards[1], rows[2:], [arrays[2], None], manifest)
    with caplog.at_level(logging.WARNING):
        scans(ScansSettings(), timeseries=shards, out=tmp_path / "scans.parquet")
    table = read_table(tmp_path / "scans.parquet")
    assert table["recording"].tolist() == ["000", "001", "000", "003"]
    assert "000 and 002 are the same recording" in caplog.text
    assert set(FINGERPRINTS) <= set(table)
    only_excluded = tmp_path / "3.parquet"
    write_timeseries(only_excluded, rows[3:], [None], manifest)
    scans(ScansSettings(), timeseries=[only_excluded], out=tmp_path / "none.parquet")
    assert read_table(tmp_path / "none.parquet")["recording"].tolist() == ["003"]


def test_only_the_known_copies_are_recognised_in_abide(shared: Path) -> None:
    """Of the people of Yale, two have the same motion to ten digits, but not the same diagnosis."""
    folder = shared / "data/abide1_cc200"
    with np.load(folder / "timeseries.npz") as file:
        z, ids, tr = file["z"], file["participant_id"], file["tr"]
        rows = list(zip(file["row_start"], file["row_stop"], strict=True))
    chosen = np.flatnonzero(np.char.startswith(ids, "Yale"))
    table = described([prepared(z[slice(*rows[i])], float(tr[i])) for i in chosen])
    (match,) = same_recordings(table)
    names = ids[chosen]
    assert {names[match.first], names[match.second]} == {"Yale_0050578", "Yale_0050602"}
    assert match.similarity > 0.9 > SAME_RECORDING

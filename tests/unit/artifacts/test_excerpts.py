"""The first seconds of scans are as if no more had been recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semantoks.artifacts.excerpts import cut, first_seconds
from semantoks.artifacts.timeseries import Scan
from semantoks.artifacts.zscores import log_deviation, zscore

SIGNALS_CT = np.random.default_rng(0).standard_normal((3, 100)) * [[1.0], [5.0], [0.1]]


def scan_of(signals_CT: np.ndarray, participant: str = "sub-01") -> Scan:
    """A scan of a TR of 2 s, z-scored, with its amplitude."""
    return Scan(
        participant,
        participant,
        *("", "", ""),
        2.0,
        zscore(signals_CT).astype(np.float32),
        log_deviation(signals_CT).astype(np.float32),
    )


def test_the_cut_part_is_that_of_a_shorter_recording() -> None:
    part = cut(scan_of(SIGNALS_CT), 60.5)
    shorter = scan_of(SIGNALS_CT[:, :30])
    np.testing.assert_allclose(part.timeseries_CT, shorter.timeseries_CT, atol=1e-5)
    assert part.amplitude_C is not None and shorter.amplitude_C is not None
    np.testing.assert_allclose(part.amplitude_C, shorter.amplitude_C, atol=1e-5)
    assert part.timeseries_CT.dtype == part.amplitude_C.dtype == np.float32
    assert cut(replace(scan_of(SIGNALS_CT), amplitude_C=None), 60).amplitude_C is None


def test_a_region_that_is_constant_in_the_part_has_no_data_there() -> None:
    signals_CT = SIGNALS_CT.copy()
    signals_CT[1, :40] = 7
    part = cut(scan_of(signals_CT), 60)
    assert np.isnan(part.timeseries_CT).all(axis=1).tolist() == [False, True, False]
    assert part.amplitude_C is not None
    assert np.isnan(part.amplitude_C).tolist() == [False, True, False]


def test_shorter_scans_are_whole_and_their_participants_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scans = [scan_of(SIGNALS_CT), *[scan_of(SIGNALS_CT[:, :50], "sub-02")] * 2]
    lengths = [scan.timeseries_CT.shape[1] for scan in first_seconds(scans, 120)]
    assert lengths == [60, 50, 50]
    assert caplog.messages == [
        "1 participants have scans of less than 120 s, which are taken whole"
    ]
    caplog.clear()
    assert list(first_seconds(scans, None)) == scans
    assert [scan.timeseries_CT.shape[1] for scan in first_seconds(scans, 100)] == [50] * 3
    assert not caplog.messages

"""Slice timing correction."""

from __future__ import annotations

import re

import numpy as np
import pytest

from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.minimal.reading import RawBold
from semantoks.data.preprocess.minimal.session import correct_timing
from semantoks.data.preprocess.minimal.slice_timing import (
    SliceTiming,
    SliceTimingError,
    correct_slice_timing,
)
from semantoks.errors import ScanError


def test_slices_are_interpolated_to_the_middle_of_the_volume() -> None:
    tr, times = 2.0, np.array([0.0, 1.0, 0.5, 1.5])
    moments = np.arange(60) * tr + times[:, None]
    images = np.tile(np.sin(2 * np.pi * 0.05 * moments), (3, 3, 1, 1)).astype(np.float32)
    middle = correct_slice_timing(images, tr, times, axis=2)
    expected = np.sin(2 * np.pi * 0.05 * (np.arange(60) * tr + middle))
    assert middle == 0.75
    np.testing.assert_allclose(
        images[..., 3:-3], np.broadcast_to(expected, images.shape)[..., 3:-3], atol=5e-3
    )


def test_a_negative_slice_encoding_direction_reverses_the_times() -> None:
    timing = SliceTiming.from_bids("[0.0, 1.0, 2.0]", "j-")
    assert timing.axis == 1
    assert timing.times.tolist() == [2.0, 1.0, 0.0]


def test_times_that_contradict_the_repetition_time_are_rejected() -> None:
    with pytest.raises(ScanError, match="SliceTiming reaches 1500 s but RepetitionTime is 2 s"):
        SliceTiming.from_bids("[0, 500, 1000, 1500]", "k").check((3, 3, 4, 60), 2.0)


@pytest.mark.parametrize(
    ("times", "direction", "reason"),
    [
        ("[]", "k", "SliceTiming lists 0 slices, the image has 4"),
        ("[0, 0.5, 1]", "k", "SliceTiming lists 3 slices, the image has 4"),
        ("[0, 0.5, 1, 1.5, 1.7]", "k", "SliceTiming lists 5 slices, the image has 4"),
        ("[0, 0.5, -1, 1.5]", "k", "SliceTiming has a negative time, -1 s"),
        ("[0, 0.5, 1, 1.5]", "z", "SliceEncodingDirection is 'z', not one of i, i-, j, j-, k, k-"),
        ("[0, 0.5, 1, 1.5]", "-k", "SliceEncodingDirection is '-k'"),
    ],
)
def test_unknown_timing_skips_the_correction_and_says_so(
    times: str, direction: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    images = np.random.default_rng(0).random((3, 3, 4, 60)).astype(np.float32)
    scan = RawScan("sub-01", "sub-01", slice_timing=times, slice_encoding_direction=direction)
    metadata = correct_timing(RawBold(images.copy(), np.eye(4), 2.0), scan)
    assert metadata["SliceTimingCorrected"] is False
    assert reason in str(metadata["SliceTimingProblem"])
    assert f"sub-01: slice timing is not corrected, since {reason}" in caplog.text
    with pytest.raises(SliceTimingError, match=re.escape(reason)):
        SliceTiming.from_bids(times, direction).check((3, 3, 4, 60), 2.0)

"""Slice timing correction."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.data.preprocess.minimal.slice_timing import SliceTiming, correct_slice_timing
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


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("[0, 500, 1000, 1500]", "SliceTiming reaches 1500 s but RepetitionTime is 2 s"),
        ("[0, 0.5, 1]", "SliceTiming lists 3 slices, the image has 4"),
    ],
)
def test_times_that_contradict_the_image_are_rejected(times: str, reason: str) -> None:
    with pytest.raises(ScanError, match=reason):
        SliceTiming.from_bids(times, "k").check((3, 3, 4, 60), 2.0)

"""Resampling and overlap of masks."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.data.preprocess.minimal.reading import RawBold
from semantoks.data.preprocess.minimal.resample import dice, resample


def test_points_move_with_the_head() -> None:
    ramp = np.broadcast_to(np.arange(20.0)[:, None, None], (20, 20, 20))
    bold = RawBold(np.stack([ramp, ramp - 3], axis=-1).astype(np.float32), np.eye(4), 2.0)
    motion = np.zeros((2, 6))
    motion[1, 0] = 3  # in the second volume the head, and so its intensities, are 3 mm to the right
    points = np.array([[8.0, 10.5], [9.0, 9.0], [9.0, 9.0]])
    np.testing.assert_allclose(resample(bold, points, motion), [[8, 8], [10.5, 10.5]], atol=0.01)


def test_dice() -> None:
    a = np.array([True, True, False, False])
    assert dice(a, a) == 1
    assert dice(a, ~a) == 0
    assert dice(a, np.array([True, False, False, False])) == pytest.approx(2 / 3)

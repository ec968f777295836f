"""Each confound against a case whose result is known."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.data.preprocess.minimal.confound_table import (
    acompcor,
    cosine_basis,
    count_non_steady,
    dvars,
    framewise_displacement,
)


def test_framewise_displacement_measures_rotations_at_fifty_millimetres() -> None:
    motion = np.zeros((3, 6))
    motion[1] = [1, 0, -1, 0.01, 0, 0]
    np.testing.assert_allclose(framewise_displacement(motion), [np.nan, 2.5, 2.5])


def test_std_dvars_of_white_noise_is_1() -> None:
    series = np.random.default_rng(0).normal(1000, 10, (2000, 100))
    raw, standardised = dvars(series)
    assert np.isnan(raw[0])
    assert np.nanmean(raw) == pytest.approx(10 * np.sqrt(2), rel=0.05)
    assert np.nanmean(standardised) == pytest.approx(1, rel=0.05)


def test_cosines_are_orthonormal_and_slow() -> None:
    basis = cosine_basis(96, 2.5)
    assert basis.shape == (96, 3)  # periods of 480, 240 and 160 s
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-9)


def test_acompcor_recovers_a_common_signal() -> None:
    rng = np.random.default_rng(0)
    pulse = np.sin(np.arange(100) * 2.1)
    series = 100 + rng.normal(0, 1, (300, 100)) + 2 * rng.normal(0, 1, (300, 1)) * pulse
    components, metadata = acompcor(series, cosine_basis(100, 2.0))
    assert abs(np.corrcoef(components[:, 0], pulse)[0, 1]) > 0.95
    assert list(metadata) == [f"a_comp_cor_{i:02d}" for i in range(components.shape[1])]
    assert list(metadata.values())[-1]["CumulativeVarianceExplained"] >= 0.5


def test_bright_initial_volumes_are_counted() -> None:
    images = np.random.default_rng(0).normal(100, 1, (6, 6, 6, 40))
    assert count_non_steady(images) == 0
    images[..., :2] += 30
    assert count_non_steady(images) == 2

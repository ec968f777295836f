"""Amplitude and spectrum of single regions."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.model.embed.regional import BANDS, band_edges, centred_amplitude, spectrum
from tests.unit.model.conftest import make_manifest

EDGES = np.array([0.0, 0.02, 0.04, 0.06, 0.08])


def sine(hertz: float, volumes: int = 200, tr: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * tr * np.arange(volumes))


def test_amplitude_is_centred_over_known_regions() -> None:
    amplitude_C = np.array([1.0, np.nan, 3.0], np.float32)
    np.testing.assert_array_equal(centred_amplitude(amplitude_C), [-1, np.nan, 1])
    assert np.isnan(centred_amplitude(np.full(3, np.nan))).all()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"high_pass": 0.008, "low_pass": 0.088}, [0.008, 0.028, 0.048, 0.068, 0.088]),
        ({"high_pass": None, "low_pass": None}, [0.01, 0.0325, 0.055, 0.0775, 0.1]),
        ({"high_pass": 0.01, "low_pass": 0.5, "tr": 2.5}, [0.01, 0.0575, 0.105, 0.1525, 0.2]),
    ],
)
def test_bands_are_equally_wide_within_the_filter(
    changes: dict[str, float | None], expected: list[float]
) -> None:
    np.testing.assert_allclose(band_edges(make_manifest(**changes)), expected)


def test_power_is_in_the_band_of_the_frequency() -> None:
    """Of two sines of the same power in bands 1 and 3, each has half of the power."""
    edges = np.array([0.01, 0.03, 0.05, 0.07, 0.09])
    x_CT = np.stack([sine(0.02) + sine(0.06), sine(0.09), np.full(200, 1.0)])
    x_CT[2, 0] = np.nan
    share_CB = np.exp(spectrum(x_CT, 2.0, edges).reshape(3, BANDS))
    # Bands have as many frequencies but for the last, to which its upper edge belongs.
    np.testing.assert_allclose(share_CB[0], [0.5, 1e-6, 0.5, 1e-6], rtol=0.05)
    assert share_CB[1].argmax() == 3
    assert np.isnan(share_CB[2]).all()


def test_white_noise_has_equal_shares_whatever_the_length() -> None:
    rng = np.random.default_rng(0)
    for volumes in (60, 90, 400):
        x_CT = rng.standard_normal((2000, volumes))
        shares = np.exp(spectrum(x_CT, 2.0, EDGES).reshape(-1, BANDS))
        np.testing.assert_allclose(shares.mean(axis=0), 1 / BANDS, atol=0.03)


def test_scale_and_mean_do_not_matter() -> None:
    x_CT = np.random.default_rng(0).standard_normal((3, 100))
    edges = EDGES + 0.01
    expected = spectrum(x_CT, 2.0, edges)
    np.testing.assert_allclose(spectrum(7 * x_CT + 5, 2.0, edges), expected, atol=1e-9)


def test_a_band_without_a_frequency_is_unknown() -> None:
    """20 s have the frequencies 0.05 and 0.1 Hz."""
    edges = band_edges(make_manifest())
    block_CT = np.random.default_rng(0).standard_normal((2, 10))
    known = np.isfinite(spectrum(block_CT, 2.0, edges).reshape(2, BANDS))
    assert known.tolist() == [[False, True, False, True]] * 2
    assert np.isnan(spectrum(block_CT[:, :3], 2.0, edges)).all()

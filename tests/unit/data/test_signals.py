"""Cleaning, resampling and z-scoring of time series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from nilearn.signal import butterworth
from nilearn.signal import clean as nilearn_clean
from scipy.interpolate import interp1d

from semantoks.data.signals import clean, require_repetition_time, resample_time
from semantoks.errors import ScanError


def sine(hertz: float, tr: float, volumes: int, phase: float = 0.3) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * tr * np.arange(volumes) + phase)


def test_only_the_band_passes() -> None:
    tr, volumes = 1.0, 600
    signals = np.stack([sine(f, tr, volumes) for f in (0.003, 0.05, 0.2)], axis=1)
    cleaned = clean(signals, None, tr, low_pass=0.1, high_pass=0.01)
    middle = cleaned[100:-100].std(axis=0) / signals[100:-100].std(axis=0)
    assert middle[1] > 0.95
    assert middle[0] < 0.05
    assert middle[2] < 0.05


def test_cleaned_signals_are_uncorrelated_with_confounds() -> None:
    rng = np.random.default_rng(0)
    confound = rng.standard_normal(300)
    signals = rng.standard_normal((300, 3)) + 2 * confound[:, None]
    frame = pd.DataFrame({"c": confound})
    cleaned = clean(signals, frame, 2.0, low_pass=0.1, high_pass=0.01)
    in_band = clean(confound[:, None], None, 2.0, low_pass=0.1, high_pass=0.01)[:, 0]
    assert np.abs([np.corrcoef(column, in_band)[0, 1] for column in cleaned.T]).max() < 1e-6


def test_censored_volumes_do_not_affect_the_others() -> None:
    signals = np.stack([sine(0.04, 2.0, 500)], axis=1)
    corrupted = signals.copy()
    corrupted[[250, 320]] += 100
    sample_mask = np.setdiff1d(np.arange(500), [0, 250, 320])
    cleaned = clean(corrupted, None, 2.0, 0.1, 0.01, sample_mask)
    assert len(cleaned) == 499  # volume 0 is dropped, the others are interpolated
    whole = clean(signals, None, 2.0, 0.1, 0.01)[1:]
    assert np.abs(cleaned - whole)[150:-150].max() < 0.02


@pytest.mark.parametrize("first", [0, 4], ids=["from the first", "from the fifth"])
@pytest.mark.parametrize(
    "censored",
    [[150, 249], [200, 201, 198, 199], [0, 399], [0, 120, 279, 399]],
    ids=["i and n-1-i", "the middle", "first and last", "all of these"],
)
def test_artefacts_in_censored_volumes_vanish(censored: list[int], first: int) -> None:
    """nilearn 0.13 keeps volume i where volume n-1-i is censored as well."""
    tr, volumes = 2.0, 400
    rng = np.random.default_rng(0)
    signals = np.stack([sine(0.03, tr, volumes), sine(0.05, tr, volumes)], axis=1)
    confounds = pd.DataFrame(np.cumsum(rng.normal(size=(volumes, 2)), axis=0), columns=["a", "b"])
    sample_mask = np.setdiff1d(np.arange(first, volumes), censored)
    given = sample_mask.copy()
    clean_reference = clean(signals, confounds, tr, 0.1, 0.01, sample_mask)
    signals[censored] += 1000
    confounds.iloc[censored] -= 500
    cleaned = clean(signals, confounds, tr, 0.1, 0.01, sample_mask)
    np.testing.assert_array_equal(cleaned, clean_reference)
    np.testing.assert_array_equal(sample_mask, given)  # nilearn would shift it in place
    assert len(cleaned) == sample_mask[-1] - sample_mask[0] + 1


def test_censoring_both_ends_does_not_shift_the_scan() -> None:
    tr, volumes = 2.0, 400
    signals = np.stack([sine(0.03, tr, volumes), sine(0.05, tr, volumes)], axis=1)
    whole = clean(signals, None, tr, 0.1, 0.01)
    corrupted = signals.copy()
    corrupted[[0, 150, 249, 399]] += 1000
    uncensored = np.setdiff1d(np.arange(volumes), [0, 150, 249, 399])
    cleaned = clean(corrupted, None, tr, 0.1, 0.01, uncensored)
    assert np.abs(cleaned - whole[1:-1])[150:-150].max() < 0.02


def test_the_regression_uses_only_uncensored_volumes() -> None:
    """Step by step: interpolate, filter, drop the censored volumes, regress."""
    rng = np.random.default_rng(0)
    signals, confounds = rng.normal(size=(300, 3)), rng.normal(size=(300, 2))
    mask = np.setdiff1d(np.arange(300), [70, 100, 101, 102, 130])
    frame = pd.DataFrame(confounds, columns=["a", "b"])
    ours = clean(signals, frame, 2.0, 0.1, 0.01, mask)[mask]
    is_kept = np.isin(np.arange(300), mask)[:, None]

    def filled(values: np.ndarray) -> np.ndarray:
        lines = interp1d(mask, values[mask], axis=0)(np.arange(300))
        for _ in range(2):
            smooth = butterworth(lines, 0.5, low_pass=0.1, copy=True)
            lines = np.where(is_kept, values, smooth)
        return lines

    band = {"t_r": 2.0, "low_pass": 0.1, "high_pass": 0.01, "detrend": True, "standardize": None}
    in_band = nilearn_clean(filled(signals), **band)[mask]
    regressors = nilearn_clean(filled(confounds), **band)[mask]
    by_nilearn = nilearn_clean(in_band, confounds=regressors, detrend=False, standardize=None)
    np.testing.assert_allclose(ours, by_nilearn, atol=1e-8)


def test_a_gap_of_many_volumes_leaves_the_others_as_they_are() -> None:
    """Splines leave the range of the data in a gap, and correlations fall to half."""
    tr, volumes = 2.0, 240
    rng = np.random.default_rng(0)
    spectrum = np.zeros((volumes // 2 + 1, 20), complex)
    spectrum[2:40] = rng.normal(size=(38, 20, 2)) @ [1, 1j] / np.sqrt(np.arange(2, 40))[:, None]
    shared = np.fft.irfft(spectrum, volumes, axis=0) @ rng.normal(size=(20, 20))
    signals = shared / shared.std() + 0.6 * rng.normal(size=(volumes, 20))
    sample_mask = np.setdiff1d(np.arange(volumes), np.arange(100, 130))
    pairs = np.triu_indices(20, 1)
    whole = np.corrcoef(clean(signals, None, tr, 0.1, 0.01).T)[pairs]
    signals[100:130] += 50
    cleaned = clean(signals, None, tr, 0.1, 0.01, sample_mask)
    assert np.abs(cleaned[100:130]).max() < np.abs(cleaned).max()
    assert np.corrcoef(np.corrcoef(cleaned.T)[pairs], whole)[0, 1] > 0.97


def test_resampling_preserves_the_signal_and_its_timing() -> None:
    signals = np.stack([sine(0.05, 2.5, 97)], axis=1)
    resampled = resample_time(signals, 2.5, 2.0)
    assert len(resampled) == 121  # 240 s between the first and the last volume
    truth = sine(0.05, 2.0, 121)
    assert np.abs(resampled[3:-3, 0] - truth[3:-3]).max() < 0.01
    assert resample_time(signals, 2.0, 2.0) is signals


@pytest.mark.parametrize("value", ["2.0", True, [2.0], {"s": 2}, None, float("inf"), -1, "n/a"])
def test_what_is_no_number_is_no_repetition_time(value: object) -> None:
    with pytest.raises(ScanError):
        require_repetition_time(value, "sub-01_bold.json")

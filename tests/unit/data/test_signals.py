"""Cleaning, resampling and z-scoring of time series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semantoks.data.signals import clean, resample_time, zscore


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


def test_resampling_preserves_the_signal_and_its_timing() -> None:
    signals = np.stack([sine(0.05, 2.5, 97)], axis=1)
    resampled = resample_time(signals, 2.5, 2.0)
    assert len(resampled) == 121  # 240 s between the first and the last volume
    truth = sine(0.05, 2.0, 121)
    assert np.abs(resampled[3:-3, 0] - truth[3:-3]).max() < 0.01
    assert resample_time(signals, 2.0, 2.0) is signals


def test_zscore_of_a_constant_region_is_nan() -> None:
    scores = zscore(np.array([[1.0, 2, 3, 4], [5, 5, 5, 5]]))
    assert np.isclose(scores[0].mean(), 0)
    assert np.isclose(scores[0].std(), 1)
    assert np.isnan(scores[1]).all()

import numpy as np
import pytest

from semantoks.config import Simulation
from semantoks.data.simulate.activity import STEP, load_regions, region_signals, sample, slow_noise
from semantoks.data.simulate.participants import draw_participants


def test_slow_noise_has_unit_variance_and_the_given_centre() -> None:
    noise = slow_noise(np.random.default_rng(0), np.full(400, 0.035), 600)
    assert noise.var() == pytest.approx(1, abs=0.1)
    power = (np.abs(np.fft.rfft(noise, axis=1)) ** 2).mean(0)
    frequency = np.fft.rfftfreq(noise.shape[1], STEP)
    assert power[(frequency > 0.01) & (frequency < 0.15)].sum() > 0.9 * power.sum()


def test_sample_interpolates_linearly() -> None:
    ramp = np.arange(10.0)[None] * STEP
    np.testing.assert_allclose(sample(ramp, np.array([[0.2, 1.3]])), [[[0.2, 1.3]]])


def measured_effects(group: str) -> tuple[float, float]:
    """Coherence of the default mode and its coupling in a long run of a member of the group."""
    regions = load_regions()
    participants = draw_participants(Simulation(), regions.network_names)
    participant = next(p for p in participants if p.group == group)
    signals = region_signals(np.random.default_rng(1), participant, regions, 6000)
    default, coupled = (regions.networks == n for n in ("DefaultMode", "FrontoParietal"))
    correlations = np.corrcoef(signals[default])
    coherence = correlations[~np.eye(len(correlations), dtype=bool)].mean()
    coupling = np.corrcoef(signals[default].mean(0), signals[coupled].mean(0))[0, 1]
    assert coherence == pytest.approx(participant.coherence["DefaultMode"], abs=0.05)
    assert coupling == pytest.approx(participant.coupling, abs=0.1)
    return float(coherence), float(coupling)


def test_group_changes_coherence_and_coupling() -> None:
    control, patient = measured_effects("control"), measured_effects("patient")
    assert patient[0] > control[0] + 0.15
    assert patient[1] > control[1] + 0.2

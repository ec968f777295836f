"""Data order, learning rate and loss weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.config import Training
from semantoks.errors import UserError
from semantoks.model.pretrain.schedule import Schedule, in_as_many_steps
from tests.unit.model.pretrain.conftest import make_settings


def test_epoch_repeats_the_scans_for_more_crops() -> None:
    schedule = Schedule.plan(make_settings(crops_per_epoch=3).training, 10)
    order = schedule.order(0)
    assert order.shape == (7, 4)
    assert sorted(order.flatten()[:10].tolist()) == list(range(10))
    assert not torch.equal(order, schedule.order(1))


def test_learning_rate_weight_decay_and_loss_weights() -> None:
    training = make_settings(epochs=10, batch_size=4, ttr_fraction=0.1).training
    schedule = Schedule.plan(training, 40)
    rates = [schedule.learning_rate(step) for step in range(schedule.steps + 1)]
    peak = 0.03 * 4 / 256
    assert rates[0] == pytest.approx(peak / 10) and rates[9] == pytest.approx(peak)
    assert max(rates) == pytest.approx(peak) and rates[-1] == 0
    assert np.all(np.diff(rates[10:]) < 0)
    assert schedule.weight_decay(0) == pytest.approx(0.05)
    assert schedule.weight_decay(100) == pytest.approx(0.3)
    assert schedule.ttr_weight(0) == 0.5 and schedule.ttr_weight(5) == pytest.approx(0.25)
    assert schedule.ttr_weight(10) == 0
    masked = [schedule.masked(step) for step in range(1000)]
    assert 440 < sum(masked) < 560


def test_warmup_longer_than_the_training() -> None:
    schedule = Schedule.plan(make_settings(epochs=2, warmup_epochs=9).training, 8)
    assert [schedule.learning_rate(s) for s in range(4)] == pytest.approx(
        [0.03 / 64 * part for part in (0.25, 0.5, 0.75, 1)]
    )


def test_batch_is_a_multiple_of_the_processes(caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule.plan(Training(batch_size=8), scans=7, processes=2)
    assert schedule.batch == 6
    assert "A batch has 6 scans instead of 8" in caplog.text
    with pytest.raises(UserError, match="4 processes need .* found 3 scans"):
        Schedule.plan(Training(batch_size=8), scans=3, processes=4)


def test_fewer_scans_are_trained_on_in_as_many_steps() -> None:
    training = Training(epochs=20, batch_size=16, warmup_epochs=2)
    whole = Schedule.plan(training, 320)
    for scans in (32, 100, 10):
        changed = in_as_many_steps(training, scans, 320)
        part = Schedule.plan(changed, scans)
        assert part.steps == pytest.approx(whole.steps, rel=0.02)
        warm_up = changed.warmup_epochs * part.steps_per_epoch
        assert warm_up == pytest.approx(training.warmup_epochs * whole.steps_per_epoch)
    assert in_as_many_steps(training, 320, 320) == training

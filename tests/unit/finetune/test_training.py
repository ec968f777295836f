"""Early stopping and the schedule of rates."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.config import FinetuneTraining
from semantoks.errors import UserError
from semantoks.finetune.goals import Classes, Numbers, goal_of
from semantoks.finetune.network import Predictor
from semantoks.finetune.people import People
from semantoks.finetune.training import Trainer, rate_factor
from semantoks.model.network.encoder import Encoder
from semantoks.scores.probe.targets import RegressionTargets, classes_of
from tests.unit.finetune.conftest import REGIONS, simulated


@pytest.fixture
def trainer(encoder: Encoder) -> Trainer:
    fast_PC = np.random.default_rng(0).integers(0, 2, (20, 2 * REGIONS))
    scans = simulated(fast_PC)
    people = People.of(scans, [scan.participant_id for scan in scans], encoder)
    goal = goal_of(classes_of(fast_PC[:, 0].astype(str)), np.arange(20))
    settings = FinetuneTraining(epochs=6, patience=2)
    return Trainer(Predictor(encoder, 2), people, goal, settings, np.random.default_rng(0))


def test_the_best_epoch_is_restored(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    losses, states = iter([3.0, 2.0, 1.0, 1.5, 1.2, 0.5]), list[float]()

    def loss(_: Trainer, rows: np.ndarray) -> float:
        states.append(float(trainer.predictor.head.weight.detach()[0, 0]))
        return next(losses)

    monkeypatch.setattr(Trainer, "_loss", loss)
    assert trainer.stop_early(np.arange(15), np.arange(15, 20)) == 2
    assert len(states) == 5  # the start, two better epochs, and two that were not
    assert float(trainer.predictor.head.weight.detach()[0, 0]) == states[2] != states[4]


def test_rates_warm_up_and_fall_to_zero() -> None:
    factors = [rate_factor(step, 100) for step in range(101)]
    assert factors[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert max(factors) == factors[10] == 1 and factors[100] == pytest.approx(0)
    assert (np.diff(factors[10:]) < 0).all()


def test_a_training_that_diverges_is_one_sentence(trainer: Trainer) -> None:
    trainer.predictor.head.weight.data[:] = np.inf
    with pytest.raises(UserError, match=r"Lower finetune\.learning_rate \(0\.001\)"):
        trainer.train(np.arange(20), 1)


def test_classes_count_the_same_and_numbers_are_standardised() -> None:
    goal = goal_of(classes_of(np.array(["a", "a", "a", "b"])), np.arange(4))
    assert isinstance(goal, Classes)
    np.testing.assert_allclose(goal.weights_K, [2 / 3, 2])
    numbers = goal_of(RegressionTargets(np.array([1.0, 3.0, 100.0])), np.arange(2))
    assert isinstance(numbers, Numbers)
    assert numbers.predicted(np.array([[-1.0], [1.0]])).tolist() == [[1], [3]]

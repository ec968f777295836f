"""What fine-tuning learns of a phenotype whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.finetune.people import People
from semantoks.finetune.scoring import FineTuning, typical_epochs
from semantoks.finetune.settings import FinetuneSettings
from semantoks.model.embed.embedding import embed_windows
from semantoks.model.network.encoder import Encoder
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from tests.unit.finetune.conftest import REGIONS, simulated
from tests.unit.scores.conftest import QUICK, mean_score, problem_of

PEOPLE = 160


def fine_tuned(
    encoder: Encoder, fast: np.ndarray, target: list[object], **training: object
) -> ProbeResult:
    """Score a model that is fine-tuned on the first two splits of a phenotype."""
    problem = problem_of(target)
    people = People.of(simulated(fast), problem.ids, encoder)
    settings = FinetuneSettings(training={"splits": 2, "learning_rate": 3e-3} | training)
    return FineTuning(encoder, people, problem, settings).score()


@pytest.fixture
def fast() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, (PEOPLE, 2 * REGIONS))


@pytest.mark.slow
def test_it_learns_what_the_frozen_encoder_does_not_hold(
    encoder: Encoder, fast: np.ndarray
) -> None:
    """One region of twelve decides, and a random encoder mixes all regions of a network."""
    target = np.where(fast[:, 0], "fast", "slow").tolist()
    scans = simulated(fast)
    frozen_PF = np.stack([embed_windows(encoder, s.timeseries_CT).mean(axis=0) for s in scans])
    probed = score_features(problem_of(target), [Features(frozen_PF)], QUICK).scores
    scores = fine_tuned(encoder, fast, target).scores
    assert mean_score(probed, "balanced_accuracy") < 0.7
    assert mean_score(scores, "balanced_accuracy") > 0.85
    assert typical_epochs(scores) > 5
    assert (scores["validation_people"] > 0).all() and len(scores) == 2


def test_a_phenotype_of_no_region_stays_at_chance(encoder: Encoder, fast: np.ndarray) -> None:
    target = np.random.default_rng(2).permutation(["x", "y"] * (PEOPLE // 2)).tolist()
    result = fine_tuned(encoder, fast, target, splits=4, epochs=10, patience=3)
    assert abs(mean_score(result.scores, "balanced_accuracy") - 0.5) < 0.12
    assert result.permutation_test is None


@pytest.mark.slow
def test_numbers_are_predicted_in_their_unit(encoder: Encoder, fast: np.ndarray) -> None:
    values = 100 + 10 * fast[:, 0] + np.random.default_rng(3).standard_normal(PEOPLE)
    result = fine_tuned(encoder, fast, values.tolist(), splits=1)
    assert mean_score(result.scores, "pearson_r") > 0.7
    assert 100 < result.predictions["predicted"].mean() < 110


def test_a_split_is_the_same_however_many_there_are(encoder: Encoder, fast: np.ndarray) -> None:
    target = np.where(fast[:, 0], "fast", "slow").tolist()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    first = fine_tuned(encoder, fast, target, splits=1, epochs=2)
    both = fine_tuned(encoder, fast, target, splits=2, epochs=2)
    assert first.scores.equals(both.scores.iloc[:1])
    # Every split begins with the model as it is.
    assert all(value.equal(before[name]) for name, value in encoder.state_dict().items())


def test_the_seed_decides(encoder: Encoder, fast: np.ndarray) -> None:
    problem = problem_of(np.where(fast[:, 0], "fast", "slow"))
    people = People.of(simulated(fast), problem.ids, encoder)

    def weights(seed: int) -> list[float]:
        settings = FinetuneSettings(training={"epochs": 2, "seed": seed})
        predictor = FineTuning(encoder, people, problem, settings).train_on_everybody(2)
        return predictor.encoder.cls_embedding.tolist()

    assert weights(0) == weights(0)
    assert weights(0) != weights(1)


def test_without_validation_people_a_part_of_the_training_people_is_taken(
    encoder: Encoder, fast: np.ndarray
) -> None:
    problem = problem_of(np.where(fast[:, 0], "fast", "slow"), group=np.arange(PEOPLE) // 2)
    name = problem.metadata.splits[0].name
    part = problem.participants[name].replace(1, 0)
    problem = type(problem)(problem.metadata, problem.participants.assign(**{name: part}))
    people = People.of(simulated(fast), problem.ids, encoder)
    settings = FinetuneSettings(training={"splits": 1})
    (partition,) = FineTuning(encoder, people, problem, settings)._partitions()
    assert set(partition.validation) < set(partition.train)
    assert 0.1 < len(partition.validation) / len(partition.train) < 0.3


def test_training_parts_that_are_too_small_are_refused(encoder: Encoder) -> None:
    fast = np.random.default_rng(1).integers(0, 2, (12, 2 * REGIONS))
    with pytest.raises(UserError, match=r"a training part has 3 participants in its smallest"):
        fine_tuned(encoder, fast, ["x", "y"] * 6)

import numpy as np
import pytest

from semantoks.scores.card.reliability import icc, identification


def test_participants_are_identified_by_their_features() -> None:
    rng = np.random.default_rng(0)
    person = rng.standard_normal((20, 300))
    first, second = (person + 0.5 * rng.standard_normal(person.shape) for _ in range(2))
    assert identification(first, second) == 1
    assert identification(first, rng.standard_normal(person.shape)) < 0.2
    assert np.median(icc(first, second)) == pytest.approx(1 / 1.25, abs=0.05)

from dataclasses import replace

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare, shuffled_interval
from tests.unit.scores.benchmark.conftest import TASK, scores_of


def test_representations_are_compared_with_connectivity() -> None:
    scores = [scores_of("fc", [0.6, 0.7, 0.65]), scores_of("model", [0.8, 0.9, 0.8])]
    (scheme,) = compare(scores, "toy").schemes
    fc, model = scheme.representations
    assert fc.difference_from_fc is None
    assert model.difference_from_fc is not None
    assert model.difference_from_fc.mean == pytest.approx(0.55 / 3)
    assert (scheme.splits, scheme.test_people) == (3, 5)


def test_scores_of_other_splits_or_phenotypes_are_refused() -> None:
    scores = scores_of("fc", [0.6, 0.7])
    with pytest.raises(UserError, match="scored on different splits"):
        compare([scores, scores_of("model", [0.5], "fixed")], "toy")
    other = replace(scores, task=replace(TASK, phenotype="sex"))
    with pytest.raises(UserError, match="exactly one phenotype; these scores are of group, sex"):
        compare([scores, other], "toy")


def test_the_interval_of_permutations_shrinks_with_the_correlation() -> None:
    assert np.allclose(shuffled_interval(0.0, 0.1), (-0.196, 0.196))
    low, high = shuffled_interval(0.696, 0.1)
    assert high - low == pytest.approx(2 * 0.196 * (1 - 0.5**2))
    assert shuffled_interval(1.0, 1.0) == (-0.96, 1.0)

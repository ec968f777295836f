import numpy as np
import pytest

from semantoks.scores.benchmark.shuffles import ShuffledScore

ONES = np.array([-1.0, 1.0])  # of deviation 1 around 0


def test_the_interval_of_permutations_shrinks_with_the_correlation() -> None:
    assert ShuffledScore("pearson_r", 0.0, 0.1 * ONES).interval() == pytest.approx((-0.196, 0.196))
    low, high = ShuffledScore("pearson_r", 0.696, 0.1 * ONES).interval()
    assert high - low == pytest.approx(2 * 0.196 * (1 - 0.5**2))
    assert ShuffledScore("pearson_r", 1.0, ONES).interval() == pytest.approx((-0.96, 1.0))

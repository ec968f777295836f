import numpy as np
import pytest

from semantoks.scores.benchmark.shuffles import ShuffledScore, shuffled_difference

ONES = np.array([-1.0, 1.0])  # of deviation 1 around 0


def test_the_interval_of_permutations_shrinks_with_the_correlation() -> None:
    assert ShuffledScore("pearson_r", 0.0, 0.1 * ONES).interval() == pytest.approx((-0.196, 0.196))
    low, high = ShuffledScore("pearson_r", 0.696, 0.1 * ONES).interval()
    assert high - low == pytest.approx(2 * 0.196 * (1 - 0.5**2))
    assert ShuffledScore("pearson_r", 1.0, ONES).interval() == pytest.approx((-0.96, 1.0))


@pytest.mark.parametrize("means", [(0.5, 0.2), (0.3, 0.2), (-0.1, 0.05), (0.9, 0.8), (0.2, 0.2)])
def test_the_interval_of_a_difference_agrees_with_its_p(means: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    first, second = (
        ShuffledScore("pearson_r", mean, 0.1 * rng.standard_normal(99)) for mean in means
    )
    difference = shuffled_difference(first, second, "fc")
    assert difference.low < difference.mean < difference.high
    assert (difference.p < 0.05) == (not difference.low < 0 < difference.high)


def test_differences_of_correlations_are_compared_as_fishers_z() -> None:
    """Between 0.9 and 0.8 lies more than between 0.1 and 0, and 1 is not infinite."""
    shuffled = 0.1 * ONES, -0.1 * ONES
    pairs = [(0.9, 0.8), (0.1, 0.0), (1.0, 0.5)]
    p = [
        shuffled_difference(
            *(ShuffledScore("pearson_r", *pair) for pair in zip(means, shuffled, strict=True)),
            "fc",
        ).p
        for means in pairs
    ]
    assert p[2] < p[0] < p[1] < 1

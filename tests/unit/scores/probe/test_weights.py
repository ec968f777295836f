from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.probe.weights import (
    _columns_of,
    candidate_weights,
    choose,
    score_z,
)


def test_candidates_are_the_equal_sum_and_each_block_alone() -> None:
    weights = [weights.tolist() for weights in candidate_weights(3)]
    assert weights == [[1 / 3] * 3, [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert [weights.tolist() for weights in candidate_weights(1)] == [[1]]


@pytest.mark.parametrize("classes", [None, 2, 3])
@pytest.mark.parametrize("features", [2, 20])
def test_z_is_standardised_by_all_permutations(classes: int | None, features: int) -> None:
    """Of seven participants all 5,040 orders can be listed."""
    rng = np.random.default_rng(0)
    rows = rotate(rng.standard_exponential((7, features)), np.empty((0, features))).train_PR
    target = rng.standard_exponential(7) if classes is None else np.arange(7) % classes
    orders = np.array(list(permutations(range(7))))
    columns = _columns_of(target[orders].T, classes)
    z = score_z(rows, columns)
    assert z.mean() == pytest.approx(0, abs=1e-9) and z.std() == pytest.approx(1)
    statistic = sum(np.einsum("pm,pq,qm->m", y, rows @ rows.T, y) for y in columns)
    np.testing.assert_allclose(z, (statistic - statistic.mean()) / statistic.std(), atol=1e-9)


def test_classes_count_the_same_whatever_their_size() -> None:
    """The statistic of class indicators is the squared distance of class means from the middle."""
    rng = np.random.default_rng(1)
    rows, codes = rng.standard_normal((30, 4)), np.repeat([0, 1, 2], [20, 7, 3])
    rows -= rows.mean(axis=0)
    columns = _columns_of(codes[:, None], 3)
    distances = [(rows[codes == code].mean(axis=0) ** 2).sum() for code in range(3)]
    assert sum(((rows.T @ y) ** 2).sum() for y in columns) == pytest.approx(sum(distances))


def test_what_does_not_vary_is_not_significant() -> None:
    rng = np.random.default_rng(2)
    rows = rotate(rng.standard_normal((12, 3)), np.empty((0, 3))).train_PR
    constant = _columns_of(np.ones((12, 1)), None)
    assert score_z(rows, constant).tolist() == [0]
    assert score_z(rows[:, :0], _columns_of(rng.random((12, 2)), None)).tolist() == [0, 0]
    # Everybody is as far from everybody: all orders have the same statistic.
    basis = np.linalg.svd(np.eye(12) - 1 / 12)[0][:, :11]
    assert score_z(basis, _columns_of(rng.random((12, 2)), None)).tolist() == [0, 0]


def test_a_block_is_chosen_only_if_it_is_clearly_more_significant() -> None:
    rng = np.random.default_rng(3)
    blocks = [rng.standard_normal((80, 40)) for _ in range(3)]
    signal, noise = blocks[1] @ rng.standard_normal(40), rng.standard_normal((80, 200))
    empty = [np.empty((0, 40))]
    first = [rotate(block, *empty) for block in blocks]
    together = rotate(np.hstack(blocks), np.empty((0, 120)))
    target = np.c_[signal, noise]
    choice = choose([together, *first], target, None)
    assert choice[0] == 2
    assert (choice[1:] == 0).mean() > 0.5
    codes = (target > 0).astype(int)
    assert choose([together, *first], codes, 2)[0] == 2
    # The unit of the phenotype does not matter.
    assert (choose([together, *first], 1e-9 * target, None) == choice).all()

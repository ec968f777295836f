from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.preprocessing import KernelCenterer

from semantoks.scores.linear_models.axes import (
    RANK_TOLERANCE,
    gaussian_kernel,
    rotate,
    rotate_blocks,
    standardise,
)


def test_unknown_values_count_as_the_training_mean_and_constants_as_nothing() -> None:
    train = np.array([[1.0, 5], [3, 5], [np.nan, 5]])
    coordinates = rotate(train, np.array([[np.nan, np.nan], [2, 9], [3, 5]]))
    # The mean of the first feature is 2, and the second one never varies.
    assert np.allclose(coordinates.held_HR[:2], 0)
    assert coordinates.held_HR.shape == (3, 1)
    assert abs(coordinates.held_HR[2, 0]) > 0.5


def plain(train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of one block without any thought of several."""
    train, held = standardise(train, held)
    by_kernel = train.shape[1] > len(train)
    squares, vectors = np.linalg.eigh(train @ train.T if by_kernel else train.T @ train)
    nonzero = squares > RANK_TOLERANCE * squares.max()
    values, vectors = np.sqrt(squares[nonzero])[::-1], vectors[:, nonzero][:, ::-1]
    if by_kernel:
        return vectors * values, (held @ train.T) @ (vectors / values), values
    return train @ vectors, held @ vectors, values


@pytest.mark.parametrize("features", [12, 90])
def test_one_block_is_rotated_as_if_there_were_no_blocks(features: int) -> None:
    """To the last digit, so that blocks change no score of a representation without them."""
    rows = np.random.default_rng(0).standard_normal((50, features))
    coordinates = rotate_blocks([(rows[:40], rows[40:])])
    expected = plain(rows[:40], rows[40:])
    np.testing.assert_array_equal(coordinates.train_PR, expected[0])
    np.testing.assert_array_equal(coordinates.held_HR, expected[1])
    np.testing.assert_array_equal(coordinates.singular_values_R, expected[2])


@pytest.mark.parametrize("sizes", [(3, 7), (60, 5)])
@pytest.mark.parametrize("weights", [None, (0.8, 0.2)])
def test_kernels_of_blocks_are_summed(
    sizes: tuple[int, int], weights: tuple[float, float] | None
) -> None:
    rng = np.random.default_rng(1)
    blocks = [(rng.standard_normal((40, size)), rng.standard_normal((9, size))) for size in sizes]
    coordinates = rotate_blocks(blocks, weights)
    standardised = [standardise(*block) for block in blocks]
    norms = np.array([np.linalg.norm(train @ train.T) for train, _ in standardised])
    for part, rows in enumerate((coordinates.train_PR, coordinates.held_HR)):
        kernels = [block[part] @ block[0].T for block in standardised]
        expected = np.average(kernels, axis=0, weights=np.array(weights or (1, 1)) / norms)
        np.testing.assert_allclose(rows @ coordinates.train_PR.T, expected, atol=1e-12)
    # Rows of each block have a mean squared norm of one, and so have those of the sum.
    assert (coordinates.train_PR**2).sum() == pytest.approx(40)


def test_a_block_of_constant_features_is_left_out() -> None:
    rng = np.random.default_rng(2)
    blocks = [(rng.standard_normal((20, size)), rng.standard_normal((5, size))) for size in (4, 50)]
    blocks[1] = (np.ones((20, 50)), np.ones((5, 50)))
    together, first = rotate_blocks(blocks), rotate(*blocks[0])
    np.testing.assert_allclose(
        together.held_HR @ together.train_PR.T, first.held_HR @ first.train_PR.T, atol=1e-12
    )


def test_the_gaussian_kernel_is_that_of_scikit_learn_at_the_median_distance() -> None:
    rng = np.random.default_rng(0)
    train, held = rng.standard_normal((40, 90)), rng.standard_normal((9, 90))
    train[3], held[2] = np.nan, np.nan  # of whom nothing is known
    kernel_PP, kernel_HP = gaussian_kernel(train, held)
    train, held = standardise(train, held)
    distances = np.linalg.norm(train[:, None] - train, axis=2)
    gaussian = RBF(np.sqrt(np.median(distances[distances > 0] ** 2)))
    centerer = KernelCenterer().fit(gaussian(train))
    expected, of_held = (
        centerer.transform(gaussian(train)),
        centerer.transform(gaussian(held, train)),
    )
    scale = np.trace(expected) / 40
    np.testing.assert_allclose(kernel_PP, expected / scale, atol=1e-10)
    np.testing.assert_allclose(kernel_HP, of_held / scale, atol=1e-10)

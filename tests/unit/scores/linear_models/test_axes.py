from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import rotate


def test_unknown_values_count_as_the_training_mean_and_constants_as_nothing() -> None:
    train = np.array([[1.0, 5], [3, 5], [np.nan, 5]])
    coordinates = rotate(train, np.array([[np.nan, np.nan], [2, 9], [3, 5]]))
    # The mean of the first feature is 2, and the second one never varies.
    assert np.allclose(coordinates.held_HR[:2], 0)
    assert coordinates.held_HR.shape == (3, 1)
    assert abs(coordinates.held_HR[2, 0]) > 0.5

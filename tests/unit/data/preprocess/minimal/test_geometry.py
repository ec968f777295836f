"""Rigid transforms."""

from __future__ import annotations

import numpy as np

from semantoks.data.preprocess.minimal.geometry import rigid_matrix, rigid_parameters, transform


def test_parameters_are_recovered_from_the_matrix() -> None:
    parameters, centre = np.array([1.0, -2, 3, 0.1, -0.2, 0.3]), np.array([5.0, 6, 7])
    matrix = rigid_matrix(parameters, centre)
    np.testing.assert_allclose(rigid_parameters(matrix, centre), parameters)
    # The centre of rotation is displaced by the translation alone.
    np.testing.assert_allclose(transform(matrix, centre[:, None])[:, 0] - centre, parameters[:3])

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_spd_matrix

from semantoks.connectivity.triangles import from_triangle, to_triangle
from semantoks.scores.represent.tangent import project_tangent


def test_tangent_space_at_the_mean_covariance() -> None:
    """The reference maps to zero, and norms are affine-invariant distances from it."""
    matrices = np.stack([make_spd_matrix(5, random_state=i) for i in range(8)])
    rows = to_triangle(matrices)
    assert np.allclose(from_triangle(rows), matrices)
    mean_row = rows.mean(axis=0, keepdims=True)
    train, held = project_tangent(rows, mean_row)
    assert np.allclose(held, 0, atol=1e-10)
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    values = np.linalg.eigvalsh(whitening @ matrices[0] @ whitening)
    assert np.linalg.norm(train[0]) == pytest.approx(np.linalg.norm(np.log(values)))

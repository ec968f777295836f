import numpy as np

from semantoks.connectivity.triangles import from_triangle, to_triangle


def test_matrices_are_rebuilt_from_their_triangles() -> None:
    matrices = np.random.default_rng(0).standard_normal((3, 5, 5))
    matrices = matrices + matrices.swapaxes(1, 2)
    rows = to_triangle(matrices)
    assert rows.shape == (3, 15)
    np.testing.assert_array_equal(from_triangle(rows), matrices)

import numpy as np
import pytest

from semantoks.data.simulate.scanner.motion import (
    draw_motion,
    framewise_displacement,
    rigid_matrix,
)


def test_motion_has_the_requested_mean_displacement() -> None:
    motion = draw_motion(np.random.default_rng(0), 96, 2.5, 0.2)
    assert framewise_displacement(motion).mean() == pytest.approx(0.2)
    assert not motion[0].any()


def test_rigid_matrix_is_a_rotation() -> None:
    motion = draw_motion(np.random.default_rng(0), 96, 2.5, 0.2)
    matrix = rigid_matrix(motion[-1], np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)

from __future__ import annotations

import numpy as np

from semantoks.connectivity.triangles import from_triangle
from semantoks.scores.represent.coskewness import project_coskewness, third_moments
from tests.unit.scores.conftest import scan_of


def test_the_coskewness_subspace_holds_the_skewed_signals() -> None:
    """Two of six signals are skewed together; the subspace is theirs and drops the other four."""
    rng = np.random.default_rng(10)
    scans = []
    for _ in range(12):
        x_CT = rng.standard_normal((6, 3000))
        x_CT[:2] += 2 * rng.exponential(size=3000)
        scans.append(scan_of(x_CT))
    rows = np.stack(list(third_moments(scans)))
    x_CT = scans[0].timeseries_CT
    tensor = np.einsum("it,jt,kt->ijk", x_CT, x_CT, x_CT) / 3000
    unfolded = from_triangle(rows[0][21:])
    np.testing.assert_allclose(unfolded, np.einsum("ijk,ljk->il", tensor, tensor), rtol=1e-8)
    train, held = project_coskewness(rows, rows[:2], 0.9)
    assert train.shape[1] <= 1  # pairs of one or two dimensions
    assert len(held) == 2

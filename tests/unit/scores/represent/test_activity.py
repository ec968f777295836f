"""Mean activity of regions in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.timeseries import Manifest, Scan
from semantoks.errors import UserError
from semantoks.scores.represent.activity import mean_activity
from semantoks.scores.represent.stage import FROM_SCANS
from tests.conftest import run_represent, toy_scan, write_cohort


def block(values_CT: np.ndarray) -> Scan:
    return Scan("a", "a", "", "", "", 2.0, values_CT.astype(np.float32))


def test_it_is_the_mean_over_volumes() -> None:
    values_CT = np.array([[1.0, 2.0, 6.0], [-1.0, 0.0, 1.0], [np.nan] * 3])
    (row,) = mean_activity([block(values_CT)])
    np.testing.assert_allclose(row, [3.0, 0.0, np.nan])


@pytest.mark.parametrize("name", sorted(FROM_SCANS))
@pytest.mark.parametrize("volumes", [4, 10])
def test_every_baseline_is_known_of_a_short_block(name: str, volumes: int) -> None:
    """Ten volumes of more regions; one region has no data."""
    values_CT = toy_scan(np.random.default_rng(0), coherent=True)[:, 20 : 20 + volumes]
    values_CT[3] = np.nan
    (row,) = FROM_SCANS[name]([block(values_CT)])
    assert np.isfinite(row).mean() > 0.5 and not np.isinf(row).any()


def test_whole_runs_are_refused(tmp_path: Path, manifest: Manifest) -> None:
    timeseries, participants = write_cohort(tmp_path, manifest)
    with pytest.raises(UserError, match="The mean of every region of sub-00_task-rest is zero"):
        run_represent("mean_activity", timeseries, participants, tmp_path / "out.parquet")

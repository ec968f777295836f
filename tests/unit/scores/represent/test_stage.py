from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.tables import read_metadata
from semantoks.artifacts.timeseries import (
    iter_scans,
    read_manifest,
    read_scan_table,
    write_timeseries,
)
from semantoks.errors import UserError
from semantoks.scores.represent.connectivity import fisher_z
from tests.conftest import run_represent


def test_connectivity_of_included_scans_only(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "fc.parquet"
    run_represent("fc", paths, participants, out)
    features = read_participant_features(out)
    assert features.features_PF.shape == (23, 66)
    first = next(iter_scans(paths))
    assert features.participant_id[0] == first.participant_id
    assert np.allclose(features.features_PF[0], fisher_z(first.timeseries_CT))


def test_connectivity_of_the_first_seconds(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "fc.parquet"
    run_represent("fc", paths, participants, out, seconds=60.0)
    features = read_participant_features(out)
    first = next(iter_scans(paths))
    expected = fisher_z(first.timeseries_CT[:, :30])
    np.testing.assert_allclose(features.features_PF[0], expected, atol=1e-5)


def test_confounds_are_named_by_column_and_value(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "confounds.parquet"
    run_represent("confounds", paths, participants, out)
    names = read_participant_features(out).names
    assert names == ["age", "mean_fd", "seconds", "sex=F", "sex=M"]
    sources = {"age": "age", "mean_fd": "", "seconds": "", "sex": "sex", "site": None}
    assert read_metadata(out)["sources"] == sources


def test_chance_has_no_features(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    out = paths[0].parent / "chance.parquet"
    run_represent("chance", paths, participants, out)
    assert read_participant_features(out).features_PF.shape == (23, 0)


def test_connectivity_of_scans_without_data_is_refused(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_scan_table(paths[:1])
    arrays = [
        np.full((12, 120), np.nan, np.float32) if s == "ok" else None for s in table["status"]
    ]
    write_timeseries(paths[0], table, arrays, read_manifest(paths[0]))
    for name in ("fc", "fc_gsr", "partial", "tangent", "tangent_gsr", "coskewness"):
        out = paths[0].parent / "x.parquet"
        with pytest.raises(UserError, match="None of 12 scans has a feature"):
            run_represent(name, paths[:1], participants, out)
        assert not out.exists()


def test_a_data_set_without_included_scans_is_refused(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    table = read_scan_table(paths[:1]).assign(status="excluded")
    write_timeseries(paths[0], table, [None] * len(table), read_manifest(paths[0]))
    with pytest.raises(UserError, match="Every scan was excluded"):
        run_represent("fc", paths[:1], participants, paths[0].parent / "x.parquet")

"""A phenotype that is a confound under another name is noticed."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.tables import read_metadata, read_table, write_table
from semantoks.scores.split.confounded import determining_confounds
from tests.conftest import run_split

N = 60
RNG = np.random.default_rng(0)
AGE = pd.Series(RNG.uniform(20, 60, N))
COVARIATES = pd.DataFrame(
    {
        "age": AGE,
        "mean_fd": RNG.uniform(0.05, 0.4, N),
        "seconds": np.repeat([240.0, 300.0, 360.0], N // 3),
        "sex": np.tile(["F", "M"], N // 2),
        "site": np.repeat(list("abcdef"), N // 6),
    }
)
NOTHING = pd.Series(RNG.permutation(np.tile(["x", "y"], N // 2)))


@pytest.mark.parametrize(
    ("target", "confounds"),
    [
        (AGE * 12, ["age"]),  # months
        (2026 - AGE, ["age"]),  # year of birth
        (np.log(AGE), ["age"]),
        (AGE + RNG.normal(0, 0.05, N), ["age"]),
        (AGE + RNG.normal(0, 5, N), []),
        (COVARIATES["mean_fd"] * 1000, ["mean_fd"]),
        (COVARIATES["sex"].map({"F": "woman", "M": "man"}), ["sex"]),
        (COVARIATES["sex"].map({"F": 0.0, "M": 1.0}), ["sex"]),
        (COVARIATES["site"].map(dict(zip("abcdef", "xxyyzz", strict=True))), ["seconds", "site"]),
        (COVARIATES["site"].map(dict(zip("abcdef", "xyxyxy", strict=True))), ["site"]),
        (pd.Series(np.where(AGE > 40, "old", "young")), ["age"]),
        (NOTHING, []),
        (pd.Series(RNG.standard_normal(N)), []),
    ],
)
def test_copies_of_confounds_are_noticed(target: pd.Series, confounds: list[str]) -> None:
    assert determining_confounds(target, COVARIATES, "x", None) == confounds


def test_a_confound_that_is_asked_for_is_no_copy() -> None:
    assert determining_confounds(AGE, COVARIATES, "age", None) == []
    centre = COVARIATES["site"]
    assert "site" not in determining_confounds(centre, COVARIATES, "centre", {"site": "centre"})


def test_few_participants_and_missing_values_are_no_evidence() -> None:
    assert determining_confounds(AGE[:8], COVARIATES, "x", None) == []
    each = COVARIATES.assign(site=[f"s{i}" for i in range(N)])
    assert determining_confounds(NOTHING, each, "x", None) == []
    rare = pd.Series(np.where(AGE.nlargest(2).min() <= AGE, "rare", "common"))
    assert determining_confounds(rare, COVARIATES, "x", None) == []
    missing = COVARIATES.assign(age=AGE.where(np.arange(N) % 2 == 0))
    assert determining_confounds(AGE * 2, missing, "x", None) == ["age"]


def test_the_log_and_the_splits_name_the_confound(
    tmp_path: Path, cohort: tuple[list[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    table = read_table(cohort[1])
    write_table(tmp_path / "p.parquet", table.assign(months=12 * table["age"]))
    scans = tmp_path / "scans.parquet"
    task = {"kind": "regression"}
    with caplog.at_level(logging.WARNING):
        for name in ("months", "trait"):
            out = tmp_path / f"{name}.parquet"
            run_split(tmp_path / "p.parquet", scans, out, name=name, phenotype=task)
    assert read_metadata(tmp_path / "months.parquet")["determined_by"] == ["age"]
    assert read_metadata(tmp_path / "trait.parquet")["determined_by"] == []
    assert "months is a copy of age" in caplog.text
    assert "trait is" not in caplog.text

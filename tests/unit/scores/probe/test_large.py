"""Probes of large cohorts: single precision and some columns at a time change no score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts import representations
from semantoks.artifacts.representations import (
    FeatureBlock,
    read_participant_features,
    write_representation,
)
from semantoks.config import Kind, Probe
from semantoks.scores.linear_models import axes
from semantoks.scores.linear_models.axes import block_kernel, kernel_by_columns
from semantoks.scores.probe import features as probe_features
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from tests.unit.scores.conftest import problem_of

SETTINGS = Probe(repeats=4, permutations=50, learning_curve=[0.5])
BLOCKS = (FeatureBlock("a", 200), FeatureBlock("b", 120, 0.5))


@pytest.fixture
def rows() -> np.ndarray:
    """Correlated features of 120 people, some of them missing."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((120, 60)) / np.sqrt(np.arange(1, 61))
    values = factors @ rng.standard_normal((60, 320)) + 0.3 * rng.standard_normal((120, 320))
    values[rng.random(values.shape) < 0.01] = np.nan
    return values


def test_a_kernel_of_some_columns_at_a_time(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(axes, "COLUMNS", 50)
    monkeypatch.setattr(axes, "ROWS", 30)
    train, held = np.arange(0, 100), np.arange(100, 120)
    of_train, of_held = kernel_by_columns(rows, train, held)
    expected = block_kernel(rows[train], rows[held])
    assert of_train.dtype == of_held.dtype == np.float32
    np.testing.assert_allclose(of_train, expected[0], atol=1e-6)
    np.testing.assert_allclose(of_held, expected[1], atol=1e-6)


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("blocks", [(), BLOCKS])
@pytest.mark.parametrize("with_confounds", [False, True])
def test_scores_of_a_large_cohort(
    rows: np.ndarray,
    kind: Kind,
    blocks: tuple[FeatureBlock, ...],
    with_confounds: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    values = np.nan_to_num(rows[:, 0]) + rng.standard_normal(len(rows))
    target = values if kind == "regression" else np.where(values > 0.4, "x", "y")
    problem = problem_of(target)
    confounds = rng.standard_normal((len(rows), 2)) if with_confounds else None
    features = Features(rows, blocks=blocks, confounds_PC=confounds)
    expected = score_features(problem, [features], SETTINGS)
    monkeypatch.setattr(probe_features, "LARGE", 20)
    single = score_features(problem, [features], SETTINGS)
    is_class = kind == "classification"
    column, metric = ("probabilities", "auroc") if is_class else ("predicted", "pearson_r")
    ours, theirs = (np.stack(result.predictions[column]) for result in (single, expected))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    np.testing.assert_allclose(single.scores[metric], expected.scores[metric], atol=1e-3)
    assert single.permutation_test is not None and expected.permutation_test is not None
    assert single.permutation_test.p == pytest.approx(expected.permutation_test.p, abs=0.021)


def test_features_that_do_not_fit_are_mapped_from_a_file(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, names = tmp_path / "features.parquet", [f"p{number:03d}" for number in range(120)]
    entities = {"scan": names, "participant_id": names, "session": "", "task": "", "run": ""}
    write_representation(path, pd.DataFrame(entities), rows)
    expected = read_participant_features(path)
    monkeypatch.setattr(representations, "LARGE_FEATURES", 1000)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    mapped = read_participant_features(path, scratch=scratch)
    assert isinstance(mapped.features_PF, np.memmap)
    np.testing.assert_allclose(mapped.features_PF, expected.features_PF, rtol=1e-6)
    assert list(scratch.iterdir()) == []

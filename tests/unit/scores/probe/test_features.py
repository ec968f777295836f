from __future__ import annotations

import numpy as np
import pytest

from semantoks.artifacts.representations import FeatureBlock
from semantoks.scores.probe.features import Features
from semantoks.scores.represent.coskewness import third_moments
from semantoks.scores.represent.tangent import covariances
from tests.unit.scores.conftest import scan_of


@pytest.mark.parametrize("projection", ["", "tangent", "coskewness"])
def test_held_out_rows_never_reach_what_is_fitted(projection: str) -> None:
    """Changing some held-out rows changes neither the training rows nor the other held-out ones."""
    rng = np.random.default_rng(0)
    scans = [scan_of(rng.standard_normal((4, 60))) for _ in range(60)]
    rows_of = {"": covariances, "tangent": covariances, "coskewness": third_moments}
    rows = np.stack(list(rows_of[projection](scans)))
    confounds = rng.standard_normal((60, 2))
    train, held = np.arange(45), np.arange(45, 60)
    first = Features(rows, projection, confounds).coordinates(train, held)
    changed_rows, changed_confounds = rows.copy(), confounds.copy()
    changed_rows[50:], changed_confounds[50:] = rows[0] * 3, 1000
    again = Features(changed_rows, projection, changed_confounds).coordinates(train, held)
    np.testing.assert_array_equal(first.train_PR, again.train_PR)
    np.testing.assert_array_equal(first.held_HR[:5], again.held_HR[:5])


@pytest.mark.parametrize("projection", ["", "tangent", "coskewness"])
def test_rows_without_features_know_nothing_of_anybody(projection: str) -> None:
    """They change no other row, and get no features from confounds or from a projection."""
    rng = np.random.default_rng(0)
    scans = [scan_of(rng.standard_normal((4, 60))) for _ in range(60)]
    moments = third_moments if projection == "coskewness" else covariances
    rows, confounds = np.stack(list(moments(scans))), rng.standard_normal((60, 2))
    train, held = np.arange(45), np.arange(45, 60)
    expected = Features(rows[1:], projection, None).prepare(train[:44], held[:14] - 1)
    rows[0], rows[59] = np.nan, np.inf
    given = Features(rows, projection, None).prepare(train, held)
    np.testing.assert_allclose(given[0][1:], expected[0])
    np.testing.assert_allclose(given[1][:14], expected[1])
    for part in (None, confounds):
        first, second = Features(rows, projection, part).prepare(train, held)
        assert not np.isfinite(first[0]).any() and not np.isfinite(second[14]).any()
        coordinates = Features(rows, projection, part).coordinates(train, held)
        assert not coordinates.train_PR[0].any() and not coordinates.held_HR[14].any()


def test_blocks_are_columns_of_what_is_prepared() -> None:
    rng = np.random.default_rng(0)
    rows, confounds = rng.standard_normal((50, 5)), rng.standard_normal((50, 2))
    train, held = np.arange(40), np.arange(40, 50)
    whole = Features(rows, "", confounds).prepare(train, held)
    features = Features(
        rows, "", confounds, (FeatureBlock("networks", 2), FeatureBlock("coupling", 3))
    )
    blocks = features.prepare_blocks(train, held)
    assert [block[0].shape[1] for block in blocks] == [2, 3]
    for part in (0, 1):
        joined = np.hstack([block[part] for block in blocks])
        np.testing.assert_allclose(joined, whole[part], atol=1e-12)


def test_residuals_are_uncorrelated_with_the_confounds() -> None:
    rng = np.random.default_rng(0)
    confounds = rng.standard_normal((50, 2))
    features = confounds @ rng.standard_normal((2, 4)) + rng.standard_normal((50, 4))
    train, held = np.arange(40), np.arange(40, 50)
    residuals, _ = Features(features, "", confounds).prepare(train, held)
    assert np.abs(np.corrcoef(residuals.T, confounds[train].T)[:4, 4:]).max() < 1e-8


def test_missing_features_do_not_become_the_effect_of_confounds() -> None:
    """A block that some participants lack stays missing, and is fitted to the others alone."""
    rng = np.random.default_rng(4)
    confound = rng.standard_normal((200, 1))
    values = 2 * confound + 0.1 * rng.standard_normal((200, 3))
    lacking = np.arange(200) % 3 == 0
    values[lacking] = np.nan
    rows = np.hstack([rng.standard_normal((200, 2)), values])
    features = Features(rows, "", confound, (FeatureBlock("a", 2), FeatureBlock("b", 3)))
    train, held = np.arange(150), np.arange(150, 200)
    _, (train_b, held_b) = features.prepare_blocks(train, held)
    np.testing.assert_array_equal(np.isnan(train_b).all(axis=1), lacking[train])
    np.testing.assert_array_equal(np.isnan(held_b).all(axis=1), lacking[held])
    known = ~lacking[held]
    assert abs(np.corrcoef(held_b[known, 0], confound[held][known, 0])[0, 1]) < 0.4
    # With slopes that are too small, most of the confound would be left.
    assert held_b[known].std() < 0.15

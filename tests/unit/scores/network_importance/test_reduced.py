"""Fits without columns are those of features that never had them."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.scores.linear_models.axes import rotate_blocks
from semantoks.scores.network_importance.reduced import ReducibleFeatures, unit_rows
from semantoks.scores.probe.fit import fit_probe
from semantoks.scores.probe.targets import RegressionTargets

PEOPLE, HELD = 40, 15
SIZES = {"wide": (90, 60), "narrow": (12, 8), "single": (100,), "single narrow": (14,)}


def make(sizes: tuple[int, ...]) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[float]]:
    rng = np.random.default_rng(1)
    blocks = []
    for size in sizes:
        rows = rng.standard_normal((PEOPLE + HELD, size)) * rng.uniform(1, 9, size)
        rows[rng.random(rows.shape) < 0.05] = np.nan
        blocks.append((rows[:PEOPLE], rows[PEOPLE:]))
    return blocks, [1.0, 0.2][: len(sizes)]


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_without_columns(sizes: tuple[int, ...], share: float) -> None:
    blocks, weights = make(sizes)
    columns_F = np.random.default_rng(2).random(sum(sizes)) < share
    masks = np.split(columns_F, np.cumsum(sizes)[:-1])
    left = [tuple(rows[:, ~m] for rows in b) for b, m in zip(blocks, masks, strict=True)]
    expected = rotate_blocks(left, weights)  # type: ignore[arg-type]
    reduced = ReducibleFeatures(blocks, weights).without(columns_F)
    assert reduced.singular_values_R == pytest.approx(expected.singular_values_R, rel=1e-6)
    ours, theirs = (c.held_HR @ c.train_PR.T for c in (reduced, expected))
    assert ours == pytest.approx(theirs, abs=1e-8)


def test_a_block_that_is_left_out_as_a_whole() -> None:
    blocks, weights = make(SIZES["wide"])
    columns_F = np.arange(150) < 90
    reduced = ReducibleFeatures(blocks, weights).without(columns_F)
    expected = rotate_blocks(blocks[1:])
    assert reduced.singular_values_R == pytest.approx(expected.singular_values_R, rel=1e-6)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_contributions_add_up_to_the_prediction(sizes: tuple[int, ...]) -> None:
    blocks, weights = make(sizes)
    features = ReducibleFeatures(blocks, weights)
    rng = np.random.default_rng(3)
    targets = RegressionTargets(rng.standard_normal(PEOPLE) + np.nan_to_num(blocks[0][0][:, 0]))
    coordinates = unit_rows(features.coordinates)
    fit = fit_probe(coordinates, targets, np.arange(PEOPLE) % 4, [1e-2, 1e-1])
    intercept = fit.logits_HK[-1]
    contributions = features.contributions(fit.logits_HK[HELD:-1] - intercept)
    columns_F = np.arange(sum(sizes)) % 3 == 0
    total = contributions.of(columns_F) + contributions.of(~columns_F) + intercept
    assert total == pytest.approx(fit.logits_HK[:HELD], abs=1e-8)
    assert np.ptp(total) > 0.1

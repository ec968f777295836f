"""ComBat, against numbers of neuroCombat and against sites that are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semantoks.scores.probe.combat import combat
from semantoks.scores.probe.features import Features

# `made_by` in it says how: the package pins an old numpy, so it is no dependency of the tests.
REFERENCE = json.loads((Path(__file__).parent / "combat_reference.json").read_text())


def sites(names: str) -> np.ndarray:
    """One letter per participant; a dash for an unknown site."""
    return np.array([None if name == "-" else name for name in names], object)


def test_numbers_of_neurocombat() -> None:
    values = {key: np.array(REFERENCE[key]) for key in ("train", "held")}
    names = [np.array(REFERENCE[key], object) for key in ("site", "held_site")]
    train, held = combat(values["train"], values["held"], *names)
    # It stops as soon as a step is below 1e-4 of the estimate.
    assert np.abs(train - np.array(REFERENCE["expected_train"])).max() < 2e-4
    assert np.abs(held - np.array(REFERENCE["expected_held"])).max() < 2e-4
    assert np.abs(train - values["train"]).max() > 1


def drawn(names: str, seed: int, features: int = 200) -> np.ndarray:
    """Features with a location and a scale of each site."""
    rng = np.random.default_rng(seed)
    location = {"A": 0.0, "B": 2.0, "C": -1.0, "-": 5.0, "D": 3.0}
    scale = {"A": 1.0, "B": 2.0, "C": 0.5, "-": 1.0, "D": 1.0}
    return np.array([location[n] + scale[n] * rng.standard_normal(features) for n in names])


def test_location_and_scale_of_sites_are_gone_from_test_participants() -> None:
    names, others = "A" * 60 + "B" * 40 + "C" * 50, "A" * 30 + "B" * 30 + "C" * 30
    _, held = combat(drawn(names, 0), drawn(others, 1), sites(names), sites(others))
    means = [held[sites(others) == name].mean() for name in "ABC"]
    spreads = [held[sites(others) == name].std() for name in "ABC"]
    assert np.ptp(means) < 0.1 and np.ptp(spreads) < 0.15


def test_sites_that_training_has_not_seen_stay_as_they_are() -> None:
    names, others = "A" * 20 + "B" * 20 + "D" + "-", "ABD-"
    train, held = drawn(names, 0), drawn(others, 1)
    made_train, made_held = combat(train, held, sites(names), sites(others))
    assert (made_held[2:] == held[2:]).all() and (made_train[40:] == train[40:]).all()
    assert (made_held[:2] != held[:2]).all() and (made_train[:40] != train[:40]).all()
    # Nor do they take part in the fit.
    again, _ = combat(train[:40], held, sites(names[:40]), sites(others))
    assert np.allclose(again, made_train[:40])


def test_test_participants_change_nothing_in_training() -> None:
    names = "A" * 20 + "B" * 20
    first, _ = combat(drawn(names, 0), drawn("AB", 1), sites(names), sites("AB"))
    second, _ = combat(drawn(names, 0), 1e6 * drawn("BB", 2), sites(names), sites("BB"))
    assert (first == second).all()


@pytest.mark.parametrize("names", ["A" * 10, "A" * 10 + "B", "-" * 10])
def test_one_site_alone_has_nothing_to_be_compared_with(names: str) -> None:
    values = drawn(names, 0)
    train, held = combat(values, values[:2], sites(names), sites(names[:2]))
    assert (train == values).all() and (held == values[:2]).all()


def test_missing_values_stay_missing_and_constants_stay_constant() -> None:
    names, values = "A" * 10 + "B" * 10, drawn("A" * 10 + "B" * 10, 0, 6)
    values[3, 0] = values[0] = np.nan  # one value, and a whole participant
    values[:10, 1] = np.nan  # a feature that one site has not
    values[:, 2] = 7.0
    values[:, 3] = np.nan
    train, held = combat(values, values[[3, 15]], sites(names), sites("AB"))
    assert (np.isnan(train) == np.isnan(values)).all()
    assert (np.isnan(held) == np.isnan(values[[3, 15]])).all()
    assert (train[1:, 2] == 7.0).all()
    assert np.isfinite(train[1:3, [0, 4, 5]]).all()


def test_features_are_harmonised_inside_the_training_part() -> None:
    names = "A" * 30 + "B" * 30
    values, site_P = drawn(names, 0, 10), sites(names)
    train, held = np.arange(0, 60, 2), np.arange(1, 60, 2)
    expected = combat(values[train], values[held], site_P[train], site_P[held])
    made = Features(values, sites_P=site_P).prepare(train, held)
    assert all(np.array_equal(part, other) for part, other in zip(made, expected, strict=True))

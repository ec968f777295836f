import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from semantoks.config import Probe, Splits
from semantoks.errors import UserError
from semantoks.probe import Rotation, _predict, check_folds, probe, score_split, without_target
from semantoks.represent import represent
from semantoks.representations import People
from semantoks.split import split


@pytest.mark.parametrize("features", [7, 300])
def test_the_rotation_changes_nothing_but_the_cost(features: int) -> None:
    """Fitted on the rotated rows, the models equal scikit-learn's on the features themselves."""
    rng = np.random.default_rng(features)
    train, test = rng.standard_normal((40, features)), rng.standard_normal((15, features))
    classes, value = np.where(train[:, 0] > 0, "b", "a"), train[:, 1]
    rotate = Rotation.fit(train)
    scaler = StandardScaler().fit(train)
    plain_train, plain_test = (scaler.transform(x) / np.sqrt(features) for x in (train, test))
    strength = 0.01
    ours = _predict("classification", rotate(train), classes, rotate(test), strength)
    theirs = LogisticRegression(
        C=1 / (strength * 40), class_weight="balanced", tol=1e-8, max_iter=5000
    )
    assert np.allclose(ours, theirs.fit(plain_train, classes).predict_proba(plain_test), atol=1e-4)
    ours = _predict("regression", rotate(train), value, rotate(test), strength)
    ridge = Ridge(alpha=strength * 40).fit(plain_train, value)
    assert np.allclose(ours, ridge.predict(plain_test), atol=1e-8)


def test_test_people_never_reach_the_fit() -> None:
    """Whatever the test rows hold, the training part is rotated in the same way."""
    rng = np.random.default_rng(0)
    features, target = rng.standard_normal((40, 6)), rng.standard_normal(40)
    test = np.arange(40) < 8
    scores = score_split("regression", features, target, test, Probe())
    spoilt = target.copy()
    spoilt[test] *= 1000
    again = score_split("regression", features, spoilt, test, Probe())
    assert again["strength"] == scores["strength"]
    assert Rotation.fit(features[~test]).mean_F == pytest.approx(features[~test].mean(axis=0))


def test_a_planted_effect_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((200, 50))
    test = np.arange(200) < 60
    value = features[:, 0] + 0.5 * rng.standard_normal(200)
    assert score_split("regression", features, value, test, Probe())["pearson_r"] > 0.7
    noise = rng.standard_normal(200)
    assert score_split("regression", features, noise, test, Probe())["r2"] < 0.1
    classes = np.where(features[:, 0] > 0, "b", "a")
    found = score_split("classification", features, classes, test, Probe())
    assert found["balanced_accuracy"] > 0.85


def test_unknown_values_count_as_the_training_mean() -> None:
    features = np.array([[1.0, 5], [3, 5], [np.nan, 5]])
    rotated = Rotation.fit(features)(np.array([[np.nan, np.nan], [2, 9]]))
    assert np.allclose(rotated, 0)  # the mean is 2, and the second column never varies


def test_the_phenotype_is_not_among_its_own_predictors() -> None:
    people = People(["a"], np.arange(4.0)[None], ["age", "mean_fd", "sex=F", "sex=M"])
    assert without_target(people, "sex").names == ["age", "mean_fd"]
    assert without_target(people, "sex").features_PF.tolist() == [[0, 1]]


def test_probe_writes_every_split(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    for name in ("fc", "chance"):
        represent(name, paths, participants, folder / f"{name}.parquet")
    split(participants, paths, "group", "classification", Splits(), folder / "s.parquet")
    settings = Probe(repeats=4)
    for name in ("fc", "chance"):
        probe(folder / f"{name}.parquet", folder / "s.parquet", name, settings, folder / name)
    fc, chance = (json.loads((folder / name).read_text()) for name in ("fc", "chance"))
    assert np.mean(fc["scores"]["balanced_accuracy"]) > 0.9
    assert chance["scores"]["balanced_accuracy"] == [0.5] * 4
    assert chance["scores"]["auroc"] == [0.5] * 4
    probe(folder / "fc.parquet", folder / "s.parquet", "fc", settings, folder / "again")
    assert (folder / "again").read_bytes() == (folder / "fc").read_bytes()


def test_more_repeats_leave_the_first_as_they_are(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    represent("fc", paths, participants, folder / "fc.parquet")
    split(participants, paths, "trait", "regression", Splits(), folder / "s.parquet")
    scores = []
    for repeats in (2, 3):
        settings = Probe(repeats=repeats)
        probe(folder / "fc.parquet", folder / "s.parquet", "fc", settings, folder / "x")
        scores.append(json.loads((folder / "x").read_text())["scores"]["pearson_r"])
    assert scores[0] == scores[1][:2]


def test_too_few_people_for_the_inner_folds() -> None:
    target = np.array(["a"] * 10 + ["b"] * 4)
    with pytest.raises(UserError, match="4 people in its smallest class, 5 are needed"):
        check_folds("classification", target, "dx", 5)

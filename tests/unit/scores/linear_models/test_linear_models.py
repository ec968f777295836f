"""The exact solvers against scikit-learn, on random problems."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold

from semantoks.scores.linear_models import (
    balanced_targets,
    fit_logistic,
    logits_of,
    of_every_class,
    ridge,
    ridge_over_folds,
    rotate,
    standardise,
    with_constant,
)

STRENGTHS = np.array([1e2, 1.0, 1e-2, 1e-4, 1e-5])
# people, features, classes: more people than features, about as many, more features
SHAPES = [(120, 8, 2), (90, 80, 2), (60, 300, 2), (120, 8, 3), (60, 200, 4), (40, 1, 2)]


def problem(people: int, features: int, classes: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng([people, features, classes])
    train, held = (rng.standard_normal((n, features)) * 3 + 1 for n in (people, 25))
    signal = train[:, :2].sum(axis=1) + 2 * rng.standard_normal(people)
    codes = np.searchsorted(np.quantile(signal, np.arange(1, classes) / classes), signal)
    codes[: people // 5] = 0  # classes of different size
    return train, held, codes, signal


def fit_at(rows: np.ndarray, codes: np.ndarray, classes: int, penalties: np.ndarray) -> np.ndarray:
    code_PC = np.tile(codes[:, None], len(penalties))
    targets = balanced_targets(code_PC, np.ones(code_PC.shape, bool), classes)
    return fit_logistic(with_constant(rows), targets, penalties)


@pytest.mark.parametrize("shape", SHAPES)
def test_logistic_regression_is_scikit_learns(shape: tuple[int, int, int]) -> None:
    train, held, codes, _ = problem(*shape)
    rotated, (train_z, held_z) = rotate(train, held), standardise(train, held)
    weights_RCK = fit_at(rotated.train_PR, codes, shape[2], STRENGTHS * len(train))
    logits_HCK = of_every_class(logits_of(with_constant(rotated.held_HR), weights_RCK))
    for column, strength in enumerate(STRENGTHS):
        theirs = LogisticRegression(
            C=1 / (strength * len(train)),
            class_weight="balanced",
            solver="newton-cholesky" if shape[1] < 100 else "lbfgs",
            tol=1e-10,
            max_iter=100_000,
        ).fit(train_z, codes)
        # Back from the axes to the features: the axes are rotated features.
        back = np.linalg.lstsq(train_z, rotated.train_PR, rcond=None)[0]
        ours = (back @ weights_RCK[:-1, column]).T
        intercept = weights_RCK[-1, column] - (
            weights_RCK[-1, column].mean() if shape[2] > 2 else 0
        )
        scale = np.abs(theirs.coef_).max()
        np.testing.assert_allclose(ours, theirs.coef_, atol=1e-4 * scale)
        np.testing.assert_allclose(intercept, theirs.intercept_, atol=1e-4 * scale)
        probabilities = softmax(logits_HCK[:, column], axis=1)
        expected = theirs.predict_proba(held_z)
        np.testing.assert_allclose(probabilities, expected, atol=1e-4)
        assert (probabilities.argmax(axis=1) == theirs.predict(held_z)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_ridge_regression_is_scikit_learns(shape: tuple[int, int, int]) -> None:
    train, held, codes, signal = problem(*shape)
    rotated, (train_z, held_z) = rotate(train, held), standardise(train, held)
    both = np.c_[signal, codes]
    for strength in STRENGTHS:
        found = ridge(rotated, both, np.full(2, strength))
        theirs = Ridge(alpha=strength * len(train), solver="svd").fit(train_z, both)
        np.testing.assert_allclose(found, theirs.predict(held_z), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_leaving_folds_out_is_fitting_without_them(shape: tuple[int, int, int]) -> None:
    train, held, codes, signal = problem(*shape)
    rotated, (train_z, _) = rotate(train, held), standardise(train, held)
    target, fold = np.c_[signal, codes], np.empty(len(train), int)
    for number, (_, inside) in enumerate(KFold(4, shuffle=True, random_state=0).split(train)):
        fold[inside] = number
    found = ridge_over_folds(rotated, target, STRENGTHS, fold)
    for index, strength in enumerate(STRENGTHS):
        for number in range(4):
            theirs = Ridge(alpha=strength * len(train), solver="svd")
            theirs.fit(train_z[fold != number], target[fold != number])
            expected = theirs.predict(train_z[fold == number])
            np.testing.assert_allclose(found[index, fold == number], expected, atol=1e-5)


def test_unknown_values_count_as_the_training_mean_and_constants_as_nothing() -> None:
    train = np.array([[1.0, 5], [3, 5], [np.nan, 5]])
    rotated = rotate(train, np.array([[np.nan, np.nan], [2, 9], [3, 5]]))
    assert np.allclose(rotated.held_HR[:2], 0)  # the mean is 2, and the second column never varies
    assert rotated.held_HR.shape == (3, 1)
    assert abs(rotated.held_HR[2, 0]) > 0.5


def test_without_features_everything_is_the_mean() -> None:
    rotated = rotate(np.empty((20, 0)), np.empty((5, 0)))
    target = np.arange(20.0)[:, None]
    assert np.allclose(ridge(rotated, target, np.ones(1)), 9.5)
    codes = np.r_[np.zeros(15, int), np.ones(5, int)]
    weights = fit_at(rotated.train_PR, codes, 2, np.ones(1))
    assert np.allclose(logits_of(with_constant(rotated.held_HR), weights), 0, atol=1e-6)

"""The distilled map against scikit-learn, and on rows with a planted subspace."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from semantoks.model.connectome.distillation import drawn_evenly, fit_map, halves

SCANS, FEATURES = 40, 60


def draw_halves(scans: int = SCANS, features: int = FEATURES, shared: int = 3) -> np.ndarray:
    """Halves that share a few directions of each person, in noise of their own."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((scans, shared)) @ rng.standard_normal((shared, features))
    noise = 3 * rng.standard_normal((2 * scans, features))
    return (np.repeat(latent, 2, axis=0) + noise + 5).astype(np.float32)


@pytest.mark.parametrize("components", [4, 79, 300])
def test_it_is_ridge_regression_from_a_half_to_the_components_of_the_other(components: int) -> None:
    rows_RF = draw_halves(features=100)
    swapped_RF = rows_RF.reshape(SCANS, 2, -1)[:, ::-1].reshape(rows_RF.shape)
    pca = PCA(min(components, 2 * SCANS - 1), svd_solver="full")
    targets_RK = pca.fit_transform(swapped_RF.astype(float))
    centred_RF = rows_RF.astype(float) - rows_RF.mean(axis=0, dtype=float)
    penalty = 0.3 * (centred_RF**2).sum(axis=1).mean()
    expected = Ridge(alpha=penalty, fit_intercept=False).fit(centred_RF, targets_RK)
    new_F = np.random.default_rng(1).standard_normal(100)
    theirs_K = expected.predict((new_F - rows_RF.mean(axis=0))[None])[0]
    fitted = fit_map(rows_RF.copy(), components, 0.3)
    ours_K = (new_F - fitted.mean_F) @ fitted.weights_FK
    assert ours_K.shape == theirs_K.shape
    # Signs of principal components mean nothing.
    np.testing.assert_allclose(np.abs(ours_K), np.abs(theirs_K), atol=2e-4)


def test_features_of_many_blocks_are_as_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fit_map(draw_halves(), 5, 0.3).weights_FK
    monkeypatch.setattr("semantoks.model.connectome.distillation._BLOCK", 7)
    np.testing.assert_allclose(fit_map(draw_halves(), 5, 0.3).weights_FK, expected, atol=1e-6)


def test_what_halves_share_is_kept_and_noise_is_not() -> None:
    """New scans: the latent variables are read better than from principal components."""
    rng = np.random.default_rng(1)
    shared, scans = 3, 400
    loading = rng.standard_normal((shared, FEATURES))
    latent = rng.standard_normal((scans, shared))
    # Larger than what is shared, and of each half by itself.
    of_half = 3 * rng.standard_normal((2 * scans, 5)) @ rng.standard_normal((5, FEATURES))
    noise = rng.standard_normal((2 * scans, FEATURES))
    rows_RF = (np.repeat(latent @ loading, 2, axis=0) + of_half + noise).astype(np.float32)
    train, test = rows_RF[:400].copy(), rows_RF[400:].reshape(-1, 2, FEATURES).mean(axis=1)
    distilled = fit_map(train.copy(), 60, 0.01)(test)
    components = PCA(3).fit(train).transform(test)
    # As a probe does.
    distilled /= distilled.std(axis=0)

    def explained(features: np.ndarray) -> float:
        """Share of the variance of features that the planted variables explain."""
        centred, known = features - features.mean(axis=0), latent[200:] - latent[200:].mean(axis=0)
        fitted = known @ np.linalg.lstsq(known, centred, rcond=None)[0]
        return float((fitted**2).sum() / (centred**2).sum())

    assert explained(distilled) > 0.4
    assert explained(components) < 0.1


def test_the_same_rows_give_the_same_numbers_whatever_sign_their_components_have() -> None:
    first, second = fit_map(draw_halves(), 5, 0.3), fit_map(draw_halves(), 5, 0.3)
    assert np.array_equal(first.weights_FK, second.weights_FK)
    nearly = draw_halves() * np.float32(1 + 1e-6)
    np.testing.assert_allclose(fit_map(nearly, 5, 0.3).weights_FK, first.weights_FK, atol=1e-4)


def test_halves_are_disjoint_and_of_a_minute() -> None:
    scan_CT = np.arange(2 * 61).reshape(2, 61)
    first, second = halves(scan_CT, tr=2.0) or ((), ())
    assert np.shape(first) == np.shape(second) == (2, 30)
    assert scan_CT[0, 29] == first[0][-1] and scan_CT[0, 31] == second[0][0]
    assert halves(scan_CT[:, :59], tr=2.0) is None


def test_scans_are_drawn_evenly() -> None:
    assert drawn_evenly(5, 2000) == {0, 1, 2, 3, 4}
    assert drawn_evenly(101, 5) == {0, 25, 50, 75, 100}

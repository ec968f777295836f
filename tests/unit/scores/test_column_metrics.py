from __future__ import annotations

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from semantoks.scores.column_metrics import auroc, balanced_accuracy, pearson


def test_column_wise_metrics_match_scikit_learn_and_numpy() -> None:
    rng = np.random.default_rng(8)
    predicted, truth = rng.standard_normal((40, 7)), rng.random((40, 7)) < 0.4
    expected = [roc_auc_score(truth[:, m], predicted[:, m]) for m in range(7)]
    np.testing.assert_allclose(auroc(predicted, truth), expected)
    expected = [np.corrcoef(truth[:, m], predicted[:, m])[0, 1] for m in range(7)]
    np.testing.assert_allclose(pearson(predicted, truth.astype(float)), expected)


def test_metrics_of_degenerate_columns() -> None:
    predicted = np.arange(4.0)[:, None]
    assert auroc(predicted, np.ones((4, 1), bool)).tolist() == [0.5]
    assert pearson(predicted, np.ones((4, 1))).tolist() == [0]


def test_balanced_accuracy_of_columns_matches_scikit_learn() -> None:
    rng = np.random.default_rng(9)
    predicted, truth = rng.integers(0, 3, (40, 7)), rng.integers(0, 3, (40, 7))
    expected = [balanced_accuracy_score(truth[:, m], predicted[:, m]) for m in range(7)]
    np.testing.assert_allclose(balanced_accuracy(predicted, truth), expected)

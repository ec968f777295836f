from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, roc_auc_score

from semantoks.report.figures.predictions import (
    confusion_figure,
    mean_roc,
    roc_figure,
    scatter_figure,
    sites_figure,
)


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    people = np.arange(80)
    probability = np.clip(0.5 + 0.2 * (people % 2 - 0.5) + 0.2 * rng.standard_normal(80), 0, 1)
    return pd.DataFrame(
        {
            "split": np.where(people < 40, "random 00", "random 01"),
            "participant_id": [f"sub-{i}" for i in people],
            "target": np.where(people % 2, "patient", "control"),
            "predicted": np.where(probability > 0.5, "patient", "control"),
            "probabilities": [[1 - p, p] for p in probability],
        }
    )


def test_the_area_below_the_mean_curve_is_the_mean_auroc(predictions: pd.DataFrame) -> None:
    expected = [
        roc_auc_score(split["target"] == "patient", [p[1] for p in split["probabilities"]])
        for _, split in predictions.groupby("split")
    ]
    rates = np.linspace(0, 1, 2001)
    assert auc(rates, mean_roc(predictions, rates, "patient")) == pytest.approx(
        np.mean(expected), abs=0.002
    )


def test_figures_have_labels_and_names_as_they_are(predictions: pd.DataFrame) -> None:
    figure = roc_figure({"model": predictions, "fc": predictions}, "patient")
    assert 'role="img" aria-label="ROC curves of model, connectivity (Pearson)"' in figure
    assert "finding “patient”" in figure
    matrix = confusion_figure({"fc": predictions}, ["patient", "control"])
    assert matrix.count(">control<") == 2
    # In the order that is named, not in that of the alphabet.
    assert matrix.index(">patient<") < matrix.index(">control<")
    sites = pd.Series({"NYU $1": 0.6, "KKI <b>": 0.7})
    figure = sites_figure({"model": sites}, "AUROC")
    assert ">NYU $1<" in figure and "<b>" not in figure


def test_many_points_are_drawn_as_an_image() -> None:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame({"participant_id": np.arange(5000).astype(str)})
    numbers["target"], numbers["predicted"] = rng.standard_normal((2, 5000))
    assert len(scatter_figure({"model": numbers, "fc": numbers})) < 400_000
    assert "<image" not in scatter_figure({"model": numbers.head(100)})

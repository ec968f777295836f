"""The transformer in pipelines of scikit-learn."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import semantoks
from semantoks.errors import UserError
from semantoks.model.files.checkpoint import save
from semantoks.model.network.encoder import Encoder
from tests.unit.model.embed.conftest import make_timeseries
from tests.unit.model.embed.test_stage import write_shard

# The other checks of scikit-learn give tables of numbers, (samples, features), and not scans.
CHECKS = (
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_valid_tag_types,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
)


@pytest.fixture
def folder(encoder: Encoder, tmp_path: Path) -> Path:
    save(encoder, tmp_path / "model")
    return tmp_path / "model"


def embedder_of(folder: Path) -> semantoks.Embedder:
    return semantoks.Embedder(str(folder), repetition_time=2.0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_checks_of_scikit_learn_hold(folder: Path, check: Any) -> None:
    check("Embedder", embedder_of(folder))


def test_all_checks_that_scikit_learn_selects_hold(folder: Path) -> None:
    with pytest.warns(Warning, match="Can't test estimator Embedder"):
        estimator_checks.check_estimator(embedder_of(folder))


def test_a_pipeline_takes_scans_of_any_length(folder: Path) -> None:
    scans = [make_timeseries(40 + seed, seed) for seed in range(12)]
    y = np.arange(12.0)
    pipeline = make_pipeline(embedder_of(folder), StandardScaler(), RidgeCV())
    assert pipeline.fit(scans, y).predict(scans).shape == (12,)
    scores = cross_val_score(pipeline, scans, y, cv=3)
    model = semantoks.load(folder)
    rows = np.stack([model.embed(scan, repetition_time=2.0) for scan in scans])
    before = cross_val_score(make_pipeline(StandardScaler(), RidgeCV()), rows, y, cv=3)
    np.testing.assert_allclose(scores, before)
    names = pipeline[:-1].get_feature_names_out()
    assert len(names) == rows.shape[1] and names[:2].tolist() == ["pooled0", "pooled1"]


def test_arrays_tables_and_files_are_scans(folder: Path, tmp_path: Path) -> None:
    series = make_timeseries(50, 1)
    embedder = clone(embedder_of(folder)).set_params(filtered=True, readout="networks")
    table = pd.DataFrame(series.T, columns=["r1", "r2", "r3", "r4"])
    file = write_shard(tmp_path / "x.parquet", {"s": series})
    first, *others = embedder.fit_transform([series, table, series[None][0]])
    for other in others:
        np.testing.assert_array_equal(other, first)
    assert embedder.transform([str(file), file]).shape == (2, len(first))
    assert embedder.transform(series[None]).shape == (1, len(first))
    frame = embedder.set_output(transform="pandas").transform([series])
    assert frame.columns[0] == "networks0"
    again = pickle.loads(pickle.dumps(embedder.set_output(transform="default")))
    np.testing.assert_array_equal(again.transform([series])[0], first)


def test_what_is_no_list_of_scans_is_refused(folder: Path, tmp_path: Path) -> None:
    embedder, series = embedder_of(folder), make_timeseries(50)
    with pytest.raises(NotFittedError):
        embedder.transform([series])
    embedder.fit()
    file = write_shard(tmp_path / "x.parquet", {"a": series, "b": series})
    for scans, message in (
        (str(file), "Put it into a list"),
        ([file], "holds 2 scans"),
        ([], "the list is empty"),
        (series, "Embed one scan at a time"),
    ):
        with pytest.raises(UserError, match=message):
            embedder.transform(scans)

"""Scores from Python are those of the stages of the workflow."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semantoks
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import (
    SCAN_ENTITIES,
    iter_scans,
    read_manifest,
    read_scan_table,
    write_timeseries,
)
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.benchmark.stage import read_scores
from tests.conftest import run_probe, run_represent, run_split
from tests.workspaces import environment

Cohort = tuple[list[Path], Path]
QUICK: dict[str, Any] = {"repeats": 4, "permutations": 199}
# A correlation of few people is not shown.
HALVES = {"test_fraction": 0.5, "validation_fraction": 0.1}


def by_the_workflow(
    cohort: Cohort, name: str, phenotype: Phenotype, site: str | None
) -> Comparison:
    """Run `represent`, `split`, `probe` and `benchmark` on files."""
    paths, participants = cohort
    folder = paths[0].parent
    run_split(
        participants,
        folder / "scans.parquet",
        folder / "splits",
        name=name,
        phenotype=phenotype,
        site_column=site,
        splits=HALVES,
    )
    settings = Probe(learning_curve=[], **QUICK)
    for row in ("partial", "fc", "tangent"):
        run_represent(row, paths, participants, folder / f"{row}.parquet")
        run_probe([folder / f"{row}.parquet"], folder / "splits", row, settings, folder / row)
    rows = [read_scores(folder / row) for row in ("partial", "fc", "tangent")]
    return compare(rows, "toy", baseline="fc")


def table_of(folder: Path, name: str) -> pd.DataFrame:
    """A representation as `TrainedModel.embed` returns it, a row per scan."""
    table = read_table(folder / f"{name}.parquet")
    index = pd.MultiIndex.from_frame(table[list(SCAN_ENTITIES)])
    return pd.DataFrame(np.stack(table["features"]), index)


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("group", "classification", {}),
        ("trait", "regression", {}),
        ("trait", "classification", {"bins": 2}),
    ],
)
def test_scores_are_those_of_the_workflow(
    cohort: Cohort, name: str, kind: Any, options: dict[str, Any]
) -> None:
    expected = by_the_workflow(cohort, name, Phenotype(kind=kind, **options), "town")
    folder, people = cohort[0][0].parent, read_table(cohort[1])
    series = joined(cohort[0], folder / "series.parquet")
    table = semantoks.score(
        table_of(folder, "partial"),
        people.sample(frac=1, random_state=0),
        name,
        kind=kind,
        baselines={"fc": table_of(folder, "fc"), "tangent": series},
        site="town",
        splits=HALVES,
        **QUICK,
        **options,
    )
    assert table.attrs["people"] == expected.people and table.attrs["baseline"] == "fc"
    names = {"partial": "features"}
    for scheme in expected.schemes:
        for row in scheme.representations:
            name_here = names.get(row.representation, row.representation)
            line = table.loc[(scheme.scheme, name_here)]
            summary, difference = row.metrics[expected.metric], row.difference_from_baseline
            p = expected.permutation[row.representation] if scheme.scheme == "random" else np.nan
            assert_same(line[["mean", "low", "high", "p"]], summary, p=p)
            if difference is None:
                assert np.isnan(line["difference"])
                continue
            there = line[["difference", "difference_low", "difference_high", "difference_p"]]
            assert_same(there, difference, p=difference.p)
    assert table.loc["random"].drop(columns=["remark", "metric"]).notna().sum().min() >= 2


def assert_same(line: pd.Series, summary: Any, p: float) -> None:
    expected = [summary.mean, summary.low, summary.high, p]
    np.testing.assert_array_equal(line.to_numpy(float), expected)


def joined(paths: list[Path], out: Path) -> Path:
    """Write the shards as one file."""
    series = {scan.scan: scan.timeseries_CT for scan in iter_scans(paths)}
    table = read_scan_table(paths)
    write_timeseries(out, table, [series.get(s) for s in table["scan"]], read_manifest(paths[0]))
    return out


def test_arrays_have_the_rows_of_people() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"sex": ["f", "m"] * 20}, index=[f"{n:02d}" for n in range(40)])
    people.index.name = "participant_id"
    signal = rng.normal(size=(40, 5)) + (people["sex"] == "m").to_numpy()[:, None]
    noise = rng.normal(size=(40, 5))
    table = semantoks.score(
        signal, people, "sex", kind="classification", baselines={"noise": noise}, **QUICK
    )
    assert table.loc[("random", "features"), "mean"] > 0.8
    assert table.loc[("random", "features"), "difference"] > 0.2
    assert table.attrs["classes"] == {"f": 20, "m": 20}
    # Ids of scans have a prefix, and twice the same scans change nothing.
    index = pd.Index([f"sub-{name}" for name in people.index], name="participant_id")
    frame = pd.DataFrame(signal, index)
    twice = semantoks.score(
        pd.concat([frame, frame]), people, "sex", kind="classification", **QUICK
    )
    assert twice.loc[("random", "features"), "mean"] == table.loc[("random", "features"), "mean"]
    assert np.isnan(twice["difference"]).all()


def test_tables_of_shared_data_are_taken_as_they_are() -> None:
    """ABIDE's has -9999 for what is missing, and many rows `no_filename`."""
    rng = np.random.default_rng(0)
    ids = [f"s{n:02d}" for n in range(60)]
    values = np.where(np.arange(60) % 10, np.arange(60) + 50, -9999)
    people = pd.DataFrame(
        {"participant_id": [*ids, *["no_filename"] * 3], "iq": [*values, 1, 2, 3]}
    )
    features = pd.DataFrame(
        rng.normal(size=(60, 3)) + np.arange(60)[:, None], pd.Index(ids, name="participant_id")
    )
    tables = [
        semantoks.score(features, people, "iq", kind="regression", missing_values=[code], **QUICK)
        for code in (-9999, "-9999")
    ]
    assert tables[0].attrs["people"] == 54
    pd.testing.assert_frame_equal(*tables)
    with pytest.raises(UserError, match="-9999 in 6 of 60 rows"):
        semantoks.score(features, people, "iq", kind="regression", **QUICK)
    twice = pd.concat([people, people[:1]])
    with pytest.raises(UserError, match="several rows of s00"):
        semantoks.score(features, twice, "iq", kind="regression", **QUICK)


def test_ids_may_be_a_column_and_time_series_several_files(cohort: Cohort) -> None:
    paths, participants = cohort
    people = read_table(participants)
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(24, 3)))
    features["participant_id"] = people["participant_id"]
    tables = []
    for given in (paths, [str(path) for path in paths], folder_of(paths)):
        tables.append(
            semantoks.score(
                features, people, "group", kind="classification", baselines={"fc": given}, **QUICK
            )
        )
        assert tables[-1].attrs["people"] == 23
        assert not any("add `fc`" in note for note in tables[-1].attrs["notes"])
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[2])


def folder_of(paths: list[Path]) -> Path:
    folder = paths[0].parent / "series"
    folder.mkdir()
    for path in paths:
        (folder / f"{path.stem}_timeseries.parquet").write_bytes(path.read_bytes())
    return folder


def test_many_classes_may_be_numbers() -> None:
    """Such as the numbers of sites; only a measure has numbers that occur once."""
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"participant_id": [f"{n:03d}" for n in range(120)]})
    people["centre"] = np.arange(120) % 12
    features = np.eye(12)[people["centre"]] + 0.1 * rng.normal(size=(120, 12))
    table = semantoks.score(features, people, "centre", kind="classification", **QUICK)
    assert len(table.attrs["classes"]) == 12
    assert table.loc[("random", "features"), "mean"] > 0.9


def test_few_permutations_are_said() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"participant_id": [f"{n:02d}" for n in range(60)]})
    people["age"] = rng.normal(size=60)
    given = {"baselines": {"other": rng.normal(size=(60, 3))}, "repeats": 4, "permutations": 50}
    table = semantoks.score(rng.normal(size=(60, 3)), people, "age", kind="regression", **given)
    line = table.loc[("random", "features")]
    assert np.isnan(line[["low", "difference", "difference_p"]].astype(float)).all()
    assert line["remark"] == "fewer than 99 permutations of both rows"


def test_features_that_are_not_finite_are_said(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"participant_id": [f"{n:02d}" for n in range(40)]})
    people["age"] = rng.normal(size=40)
    scores = []
    for bad in (np.nan, np.inf, -1e300):
        features = np.random.default_rng(1).normal(size=(40, 3))
        features[3, 1] = features[3, 2] = bad
        table = semantoks.score(features, people, "age", kind="regression", **QUICK)
        scores.append(table.loc[("random", "features"), "mean"])
    assert scores[0] == scores[1] == scores[2]
    assert caplog.text.count("features: 2 values in 1 of 40 rows are NaN or infinite") == 3


def test_features_of_other_people_are_refused() -> None:
    people = pd.DataFrame({"participant_id": ["a", "b"], "age": [1.0, 2.0]})
    features = pd.DataFrame(np.zeros((2, 3)), ["x", "y"])
    with pytest.raises(UserError, match="they are 'x' and so on there, and 'a' and so on in"):
        semantoks.score(features, people, "age", kind="regression", **QUICK)


@pytest.mark.parametrize("rows", [slice(None), slice(None, None, 2), [3, 2, 0, 1]])
def test_row_numbers_are_no_ids(rows: slice | list[int]) -> None:
    """With integer ids, the features of row 1 would be those of participant 1."""
    people = pd.DataFrame({"participant_id": range(1, 41), "age": np.arange(40.0)})
    features = pd.DataFrame(np.zeros((40, 3))).iloc[rows]
    with pytest.raises(UserError, match="index of features looks like row numbers"):
        semantoks.score(features, people, "age", kind="regression", **QUICK)


def test_ids_may_be_integers() -> None:
    people = pd.DataFrame({"participant_id": range(40), "age": np.arange(40.0)})
    values = np.random.default_rng(0).normal(size=(40, 3)) + np.arange(40)[:, None]
    as_array = semantoks.score(values, people, "age", kind="regression", **QUICK)
    named = pd.DataFrame(values, pd.RangeIndex(40, name="participant_id"))
    as_table = semantoks.score(named, people, "age", kind="regression", **QUICK)
    pd.testing.assert_frame_equal(as_table, as_array)
    people["participant_id"] += 1
    from_one = pd.DataFrame(values, people["participant_id"].to_numpy())
    as_table = semantoks.score(from_one, people, "age", kind="regression", **QUICK)
    assert as_table.attrs["people"] == 40


def test_the_example_in_the_docstring_runs() -> None:
    result = doctest.testmod(importlib.import_module("semantoks.api.score"))
    assert result.attempted and not result.failed


def test_a_score_that_is_not_shown_says_why() -> None:
    people = pd.DataFrame({"participant_id": [f"{n:02d}" for n in range(18)], "age": range(18)})
    features = np.random.default_rng(0).normal(size=(18, 3))
    table = semantoks.score(features, people, "age", kind="regression", **QUICK)
    line = table.loc[("random", "features")]
    assert np.isnan(line["mean"]) and "fewer than 10" in line["remark"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.zeros((3, 2))}, r"features has the shape \(3, 2\), expected \(40,"),
        ({"baselines": {"features": np.zeros((40, 2))}}, "another name than 'features'"),
        ({"baselines": {"x@60s": np.zeros((40, 2))}}, "A baseline is called 'x@60s'"),
        ({"baselines": {"mine": "x.parquet"}}, "only baselines of the workflow are made"),
        ({"baselines": {"fc": "no.parquet"}}, "no file of time series at no.parquet"),
        ({"people": pd.DataFrame({"sex": []})}, "no column participant_id"),
        ({"phenotype": "age"}, "has no column 'age'"),
        ({"probe": {"repeat": 3}}, "unknown key 'probe.repeat'"),
        ({"probe": {"confounds": "residualise"}}, "cannot regress confounds out of features"),
        ({"kind": "classes"}, "kind is 'classes'"),
        ({"missing_values": "-9999"}, r"`missing_values` is '-9999', expected a list"),
        ({"missing_values": -9999}, "`missing_values` is -9999, expected a list"),
        ({"site": "sites"}, "no column 'sites', which `site` names .columns: participant_id, sex"),
        (
            {"people": pd.DataFrame({"participant_id": range(40), "sex": range(40)})},
            "'sex' has 40 different numbers; did you mean kind='regression'",
        ),
        ({"metric": "auc"}, r"score\(\) takes no `metric`"),
        ({"permutation": 50}, "takes no `permutation`; did you mean 'permutations'"),
        ({"baselines": ["fc"]}, "`baselines` gives features, or files of time series, by name"),
        ({"people": "participants.tsv"}, "`people` is of the type str, expected a pandas table"),
        ({"features": {"a": 1}}, "features is no table and no array of numbers, but of the type"),
        (
            {"features": pd.DataFrame({"participant_id": ["00", "01"], "x": ["a", "b"]})},
            "The column 'x' of features holds no numbers",
        ),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    ids = [f"{n:02d}" for n in range(40)]
    people = pd.DataFrame({"participant_id": ids, "sex": ["f", "m"] * 20})
    given = {"features": np.ones((40, 2)), "people": people, "phenotype": "sex"}
    with pytest.raises(UserError, match=message):
        semantoks.score(**({"kind": "classification"} | given | changes))


def test_scores_need_no_pytorch() -> None:
    code = "import sys, semantoks; semantoks.score; print('torch' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    ).stdout
    assert printed == "False\n"

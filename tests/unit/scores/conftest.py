"""Simulated prediction problems and scans, shared by the tests of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import Scan
from semantoks.config import Phenotype, Probe, Splitting
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import codes_table

QUICK = Probe(repeats=4, permutations=0, learning_curve=[])


def problem_of(target: Any, bins: int | None = None, **columns: Any) -> Problem:
    """A problem whose participants have the given targets: strings are classes.

    Numbers become a regression, or a classification with `bins` classes.
    """
    values = list(target)
    is_classification = isinstance(values[0], str) or bins is not None
    index = [f"sub-{i:04d}" for i in range(len(values))]
    participants = pd.DataFrame({"target": values, "site": None, "group": None}, index)
    participants = participants.assign(**columns)
    drawn_as = "classification" if isinstance(values[0], str) else "regression"
    splits = draw(participants, Phenotype(kind=drawn_as), Splitting())
    rows = pd.concat([participants, codes_table(splits, participants.index)], axis=1)
    kind = "classification" if is_classification else "regression"
    metadata = {
        "phenotype": "x",
        "kind": kind,
        "bins": bins,
        "splits": [split.record() for split in splits],
    }
    return Problem(TaskMetadata.from_json(metadata), rows)


def mean_score(table: pd.DataFrame, metric: str, scheme: str = "random") -> float:
    """Mean of a metric over the splits of one scheme."""
    return float(table.loc[table["scheme"] == scheme, metric].mean())


def scan_of(timeseries_CT: np.ndarray) -> Scan:
    """A scan with the given time series, z-scored."""
    centred = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    return Scan("s", "s", "", "", "", 2.0, centred / centred.std(axis=1, keepdims=True))

"""Scores of representations as `probe` writes them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from semantoks.scores.benchmark.probe_scores import ProbeScores, Task

TASK = Task(
    phenotype="group",
    kind="classification",
    bins=None,
    people=25,
    classes={"a": 12, "b": 13},
    left_out={},
    protocol="exact",
    confounds="none",
)


REGRESSION_TASK = replace(TASK, phenotype="trait", kind="regression", classes=None)


def scores_of(
    representation: str,
    values: list[float],
    scheme: str = "random",
    *,
    task: Task = TASK,
    tested: int = 10,
    shuffled: list[float] | None = None,
    features: int = 3,
) -> ProbeScores:
    """Every metric of the task has the given value per split."""
    rows = pd.DataFrame(dict.fromkeys(task.metrics, values))
    rows = rows.assign(split=[f"{scheme} {i}" for i in range(len(values))], scheme=scheme)
    rows = rows.assign(held_out="", fraction=1.0, train_people=40, test_people=tested)
    rows = rows.assign(validation_people=10 if task.protocol == "paper" else 0)
    return ProbeScores(task, representation, features, None, shuffled, rows)

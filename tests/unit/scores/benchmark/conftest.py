"""Scores of representations as `probe` writes them."""

from __future__ import annotations

import pandas as pd

from semantoks.scores.benchmark.compare import ProbeScores, Task
from semantoks.scores.metrics import CLASSIFICATION

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


def scores_of(representation: str, values: list[float], scheme: str = "random") -> ProbeScores:
    """Every metric of a classification has the given value per split."""
    rows = pd.DataFrame(dict.fromkeys(CLASSIFICATION, values))
    rows = rows.assign(split=[f"{scheme} {i}" for i in range(len(values))], scheme=scheme)
    rows = rows.assign(held_out="", fraction=1.0, train_people=20, test_people=5)
    return ProbeScores(TASK, representation, 3, None, None, rows)

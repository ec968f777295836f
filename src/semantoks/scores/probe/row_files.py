"""The splits that a row is scored on, and its three files: scores, predictions, permutations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import read_metadata, read_table, write_rows, write_table
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.permutation import PermutationTest, SplitScores
from semantoks.scores.probe.problem import Problem, TaskMetadata


def read_problem(splits: Path) -> Problem:
    """Read the table of splits of a phenotype."""
    participants = read_table(splits).set_index("participant_id")
    return Problem(TaskMetadata.from_json(read_metadata(splits)), participants)


def write_row(out: Path, result: ProbeResult, metadata: dict[str, Any]) -> list[Path]:
    """Write a row.

    Parameters
    ----------
    out : Path
        Table of scores, with `metadata` in its schema. The other two are written beside it.
    result : ProbeResult
    metadata : dict
        JSON values.

    Returns
    -------
    list of Path
        The three files.
    """
    predictions, shuffles = _beside(out, "predictions"), _beside(out, "shuffles")
    write_table(out, result.scores, metadata)
    write_table(predictions, result.predictions)
    _write_shuffles(shuffles, result)
    return [out, predictions, shuffles]


def row_metadata(
    problem: Problem,
    result: ProbeResult,
    *,
    representation: str,
    features: int,
    protocol: str,
    confounds: str = "none",
) -> dict[str, Any]:
    """JSON that holds for all lines of a row's scores."""
    test, persons = result.permutation_test, problem.persons
    return {
        **problem.metadata.to_json(),
        "representation": representation,
        "people": len(problem.participants),
        "persons": None if persons is None else len(np.unique(persons)),
        "permuted": problem.exchange().how,
        "features": features,
        "classes": problem.class_sizes(),
        "p_permutation": test and test.p,
        "shuffled": test and test.shuffled.tolist(),
        "protocol": protocol,
        "confounds": confounds,
    }


def read_row(scores: Path) -> ProbeResult:
    """Read the three files of a row; scores of permutations have single precision."""
    table = read_table(_beside(scores, "shuffles"))
    splits = [
        SplitScores(
            row["split"],
            np.asarray(row["loss"], float),
            np.asarray(row["score"], float),
            None if row["primary"] is None else np.asarray(row["primary"], float),
        )
        for row in table.to_dict("records")
    ]
    test = PermutationTest.of(splits) if splits else None
    return ProbeResult(read_table(scores), read_table(_beside(scores, "predictions")), test)


def _beside(scores: Path, what: str) -> Path:
    return scores.with_name(f"{scores.stem}_{what}.parquet")


def _write_shuffles(path: Path, result: ProbeResult) -> None:
    """Write one row per split of the permutation test; none where there is no test."""
    splits = result.permutation_test.splits if result.permutation_test else ()
    columns: dict[str, list[np.ndarray | None]] = {
        "loss": [split.loss_M for split in splits],
        "score": [split.score_M for split in splits],
        "primary": [split.primary_M for split in splits],
    }
    names = pd.DataFrame({"split": pd.Series([split.split for split in splits], dtype=str)})
    write_rows(path, names, columns, {}, rows_per_group=max(1, len(splits)))

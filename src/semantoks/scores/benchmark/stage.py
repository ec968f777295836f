"""Write the comparison of all representations of a data set on one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from semantoks.artifacts.files import write_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.benchmark.settings import BenchmarkSettings


def benchmark(
    settings: BenchmarkSettings, *, scores: Sequence[Path], dataset: str, out: Path
) -> list[Path]:
    """Write the comparison of representations.

    Parameters
    ----------
    settings : BenchmarkSettings
    scores : sequence of Path
        Tables that `probe` wrote, one per representation, all on the same splits.
    dataset : str
        Name of the data set.
    out : Path
        JSON; see `Comparison`.

    Returns
    -------
    list of Path
        `out`.
    """
    comparison = compare([_read_scores(path) for path in scores], dataset, settings.phenotype)
    write_json(out, comparison.model_dump())
    return [out]


def _read_scores(path: Path) -> ProbeScores:
    metadata = read_metadata(path)
    return ProbeScores(
        task=Task(**{field.name: metadata[field.name] for field in fields(Task)}),
        representation=metadata["representation"],
        features=metadata["features"],
        p_permutation=metadata["p_permutation"],
        shuffled=metadata["shuffled"],
        rows=read_table(path),
        people_without_features=metadata["people_without_features"],
    )

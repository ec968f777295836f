"""Write the comparison of all representations of a data set on one phenotype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from semantoks.artifacts.files import write_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import included_scans
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.benchmark.settings import BenchmarkSettings


def benchmark(
    settings: BenchmarkSettings,
    *,
    scores: Sequence[Path],
    dataset: str,
    out: Path,
    scans: Sequence[Path] = (),
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
    scans : sequence of Path
        Table of scans, if there are scores of their first seconds.

    Returns
    -------
    list of Path
        `out`.
    """
    lengths = [_median_seconds(path) for path in scans]
    comparison = compare(
        [read_scores(path) for path in scores],
        dataset,
        settings.phenotype,
        lengths[0] if lengths else None,
    )
    write_json(out, comparison.model_dump())
    return [out]


def _median_seconds(scans: Path) -> float:
    """Return the median length of the included scans, censored volumes within them counted."""
    table = included_scans(read_table(scans))
    return float((table["seconds"] / (1 - table["censored"])).median())


def read_scores(path: Path) -> ProbeScores:
    """Read what `probe` or `choose` wrote for a row."""
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

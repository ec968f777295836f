"""Score one representation, or several stacked or combined, against phenotypes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semantoks.scores.probe.alignment import count_without_features, who_has_features
from semantoks.scores.probe.inputs import Inputs
from semantoks.scores.probe.problem import PlacedProblem
from semantoks.scores.probe.row_files import read_problem, row_metadata, write_row
from semantoks.scores.probe.score import Representation, score
from semantoks.scores.probe.settings import ProbeSettings

log = logging.getLogger(__name__)


def probe(
    settings: ProbeSettings,
    *,
    features: Sequence[Path],
    splits: Sequence[Path],
    representation: str,
    out: Path,
    confounds: Sequence[Path] = (),
) -> list[Path]:
    """Write the scores of one representation, or of several together, for phenotypes.

    Features are read once, and phenotypes share their decomposition where splits have the same
    participants; see `score_phenotypes`.

    Parameters
    ----------
    settings : ProbeSettings
    features : sequence of Path
        One representation, or those that are stacked or, by the settings, combined.
    splits : sequence of Path
        Table of splits of each phenotype.
    representation : str
        Its name in tables.
    out : Path
        Parquet, one row per fit; its metadata describe task and representation. Of several
        phenotypes a folder, in which each has a folder with this file, named after the
        representation.
    confounds : sequence of Path
        The representation that `Probe.confounds` regresses out, if any.

    Returns
    -------
    list of Path
        Of each phenotype the scores, a table with the prediction of each test participant in each
        split, and one with the scores of each permutation (empty without permutations).

    Raises
    ------
    UserError
        If too many participants have no features, or the protocol does not apply.
    """
    problems = [read_problem(path) for path in splits]
    read = Inputs(problems, features, confounds, settings, out.parent)
    written = list[Path]()
    for alike in read.alike():
        placed = [PlacedProblem(problem, read.rows_of(problem)) for problem in alike]
        loaded = read.features(alike)
        known_P = who_has_features(loaded)
        without = [_count_without(known_P[rows], representation) for _, rows in placed]
        inputs = Representation(
            representation,
            loaded,
            windows=read.windows(features[0], loaded[0]),
            has_confounds=len(confounds) > 0,
            combined=settings.combined,
        )
        results = score(placed, inputs, settings.probe)
        columns = sum(part.values_PF.shape[1] for part in loaded)
        for problem, result, count in zip(alike, results, without, strict=True):
            phenotype = problem.metadata.phenotype
            file = out if len(problems) == 1 else out / phenotype / f"{representation}.parquet"
            content = row_metadata(
                problem,
                result,
                representation=representation,
                features=columns,
                protocol=settings.probe.protocol,
                confounds=settings.probe.confounds,
            )
            written += write_row(file, result, content | {"people_without_features": count})
    return written


def _count_without(known_P: np.ndarray, representation: str) -> int:
    """Count the participants of a phenotype without features, and say so."""
    count = count_without_features(known_P, representation)
    if count:
        log.warning(
            "%d of %d participants have no features in %s. They are predicted as if nothing was "
            "known of their scans, which lowers its scores.",
            count,
            len(known_P),
            representation,
        )
    return count

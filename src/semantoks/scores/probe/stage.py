"""Score one representation, or several stacked or combined, against one phenotype."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import read_participant_features, read_windows
from semantoks.scores.probe.features import (
    Features,
    count_without_features,
    features_of,
    target_features,
)
from semantoks.scores.probe.problem import Problem
from semantoks.scores.probe.row_files import read_problem, row_metadata, write_row
from semantoks.scores.probe.score import Representation, score
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.sites import sites_to_harmonize

log = logging.getLogger(__name__)


def probe(
    settings: ProbeSettings,
    *,
    features: Sequence[Path],
    splits: Path,
    representation: str,
    out: Path,
    confounds: Sequence[Path] = (),
) -> list[Path]:
    """Write the scores of one representation, or of several together, for one phenotype.

    Parameters
    ----------
    settings : ProbeSettings
    features : sequence of Path
        One representation, or those that are stacked or, by the settings, combined.
    splits : Path
        Table of splits of the phenotype.
    representation : str
        Its name in tables.
    out : Path
        Parquet, one row per fit; its metadata describe task and representation.
    confounds : sequence of Path
        The representation that `Probe.confounds` regresses out, if any.

    Returns
    -------
    list of Path
        `out`, a table with the prediction of each test participant in each split, and one with the
        scores of each permutation of the phenotype (empty without permutations).

    Raises
    ------
    UserError
        If too many participants have no features, or the protocol does not apply.
    """
    problem = read_problem(splits)
    sites = sites_to_harmonize(problem, settings)
    loaded = _read_features(problem, features, confounds, settings, sites, out.parent)
    without_features = count_without_features(loaded, representation)
    if without_features:
        log.warning(
            "%d of %d participants have no features in %s. They are predicted as if nothing was "
            "known of their scans, which lowers its scores.",
            without_features,
            len(problem.ids),
            representation,
        )
    inputs = Representation(
        representation,
        loaded,
        windows=lambda: _read_windows(problem, features[0], loaded[0]),
        has_confounds=len(confounds) > 0,
        combined=settings.combined,
    )
    result = score(problem, inputs, settings.probe)
    metadata = row_metadata(
        problem,
        result,
        representation=representation,
        features=sum(part.values_PF.shape[1] for part in inputs.features),
        protocol=settings.probe.protocol,
        confounds=settings.probe.confounds,
    )
    return write_row(out, result, metadata | {"people_without_features": without_features})


def _read_features(
    problem: Problem,
    representations: Sequence[Path],
    confounds: Sequence[Path],
    settings: ProbeSettings,
    sites_P: np.ndarray | None,
    scratch: Path,
) -> list[Features]:
    """Read the representations of the participants; large ones stay in files in `scratch`."""
    is_residualised = settings.probe.confounds == "residualise" and len(confounds) > 0
    phenotype = problem.metadata.phenotype
    return list(
        features_of(
            (
                read_participant_features(path, problem.ids, scratch=scratch)
                for path in representations
            ),
            read_participant_features(confounds[0]) if is_residualised else None,
            problem.ids,
            target_features(phenotype, settings.column, settings.confound_columns()),
            sites_P,
        )
    )


def _read_windows(problem: Problem, path: Path, features: Features) -> list[np.ndarray]:
    """Windows of each participant; their features are one window where there are none."""
    windows = read_windows(path)
    return [
        windows.get(participant, features.values_PF[[row]])
        for row, participant in enumerate(problem.ids)
    ]

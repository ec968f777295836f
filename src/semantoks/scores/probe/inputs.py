"""What a probe reads: representations of the participants of some problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import read_participant_features, read_windows
from semantoks.scores.probe.alignment import features_of, read_confounds
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import PlacedProblem, Problem
from semantoks.scores.probe.score import Windows
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.probe.sites import sites_to_harmonize


class Inputs:
    """Representations of the participants of some problems, read once.

    Parameters
    ----------
    problems : sequence of Problem
    representations, confounds : sequence of Path
    settings : ProbeSettings
    scratch : Path
        Folder in which large representations stay in files.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        representations: Sequence[Path],
        confounds: Sequence[Path],
        settings: ProbeSettings,
        scratch: Path,
    ) -> None:
        self._problems, self._settings = problems, settings
        ids = problems[0].ids
        if len(problems) > 1:
            ids = sorted({participant for problem in problems for participant in problem.ids})
        self._row_of = {participant: row for row, participant in enumerate(ids)}
        self._read = [read_participant_features(p, ids, scratch=scratch) for p in representations]
        self._covariates = read_confounds(settings.probe, confounds)
        self._sites_P = self._sites_of_everybody()

    def rows_of(self, problem: Problem) -> np.ndarray:
        """Rows of the participants of a problem in the features."""
        return np.array([self._row_of[participant] for participant in problem.ids], int)

    def alike(self) -> Iterator[list[Problem]]:
        """Yield the problems for which the same features are dropped, as they are the phenotype."""
        named = [*self._read, *([self._covariates] if self._covariates else [])]
        names = {name.split("=")[0].lower() for part in named for name in part.names}
        groups = dict[frozenset[str], list[Problem]]()
        for problem in self._problems:
            groups.setdefault(frozenset(names & self._targets(problem)), []).append(problem)
        yield from groups.values()

    @staticmethod
    def windows(path: Path, features: Features) -> Windows:
        """Return what reads the windows of each participant of a problem."""

        def read(placed: PlacedProblem) -> Sequence[np.ndarray]:
            # The features of a participant without windows are one window.
            windows = read_windows(path)
            return [
                windows.get(participant, features.values_PF[[row]])
                for participant, row in zip(placed.problem.ids, placed.rows_P, strict=True)
            ]

        return read

    def features(self, alike: Sequence[Problem]) -> list[Features]:
        """Return the features for problems of `alike`, in the order of `rows_of`."""
        dropped = self._targets(alike[0])
        ids = list(self._row_of)
        return list(features_of(self._read, self._covariates, ids, dropped, self._sites_P))

    def _targets(self, problem: Problem) -> set[str]:
        return self._settings.targets_among_features(problem.metadata.phenotype)

    def _sites_of_everybody(self) -> np.ndarray | None:
        """Sites that features are harmonised between; None if they are not."""
        sites_P = np.full(len(self._row_of), None, object)
        harmonised = [sites_to_harmonize(problem, self._settings) for problem in self._problems]
        for problem, sites in zip(self._problems, harmonised, strict=True):
            if sites is None:
                return None
            sites_P[self.rows_of(problem)] = sites
        return sites_P

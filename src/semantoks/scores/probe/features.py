"""Features of the participants of a problem, one representation or several.

Everything that is fitted to participants (the reference of tangent connectivity, a subspace, the
effect of confounds) is fitted to the training participants of each split alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semantoks.artifacts.representations import ParticipantFeatures
from semantoks.errors import UserError
from semantoks.scores.linear_models.axes import PrincipalCoordinates, rotate, standardise
from semantoks.scores.represent.projections import PROJECTIONS


@dataclass(frozen=True)
class Features:
    """One representation of the participants of a problem, in the order of its rows.

    Attributes
    ----------
    values_PF : ndarray, shape (participants, features)
        NaN where a value is missing.
    projection : str
        Key of the entry of `PROJECTIONS` that is fitted to the training participants first, or "".
    confounds_PC : ndarray, shape (participants, confounds), or None
        Regressed out of the features.
    """

    values_PF: np.ndarray
    projection: str = ""
    confounds_PC: np.ndarray | None = None

    def prepare(self, train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project the features and regress confounds out of them.

        Parameters
        ----------
        train, held : ndarray
            Row numbers of the training participants, who are fitted to, and of the held-out ones.

        Returns
        -------
        train_PF, held_HF : ndarray
        """
        rows = self.values_PF[train], self.values_PF[held]
        if self.projection:
            rows = PROJECTIONS[self.projection](*rows)
        if self.confounds_PC is not None:
            rows = _residuals(*rows, self.confounds_PC[train], self.confounds_PC[held])
        return rows

    def coordinates(self, train: np.ndarray, held: np.ndarray) -> PrincipalCoordinates:
        """Rotate the prepared features onto the principal axes of the training participants."""
        return rotate(*self.prepare(train, held))


def _residuals(
    train_PF: np.ndarray, held_HF: np.ndarray, train_PC: np.ndarray, held_HC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Regress confounds out of features by least squares in the training part.

    Missing features count as the training mean.
    """
    # lstsq fits all features at once and cannot skip single values, so they are filled first.
    known = np.isfinite(train_PF)
    mean = np.where(known, train_PF, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    train = np.where(known, train_PF - mean, 0)
    held = np.where(np.isfinite(held_HF), held_HF - mean, 0)
    train_z, held_z = standardise(train_PC, held_HC)
    # Dummy variables of sites are collinear; the cut-off gives the solution of least norm.
    slopes = np.linalg.lstsq(train_z, train, rcond=1e-9)[0]
    return train - train_z @ slopes, held - held_z @ slopes


def target_features(
    phenotype: str, column: str | None = None, site_column: str | None = None
) -> set[str]:
    """Lower-case names of features that are the phenotype itself.

    Parameters
    ----------
    phenotype : str
    column : str, optional
        Its column in the participants table, by default of the same name.
    site_column : str, optional
        Column of the site, by default ``site``.
    """
    names = {phenotype.lower(), (column or phenotype).lower()}
    if names & {"site_id", (site_column or "site").lower()}:
        names.add("site")
    # This column serves as the covariate `age`, so it must be dropped under that name, too.
    if "age_at_scan" in names:
        names.add("age")
    return names


def drop_features(
    representation: ParticipantFeatures, names: Collection[str]
) -> ParticipantFeatures:
    """Drop features by their lower-case names; ``site=A`` is a level of ``site``."""
    if not representation.names:
        return representation
    columns = [
        index
        for index, name in enumerate(representation.names)
        if name.split("=")[0].lower() not in names
    ]
    return replace(
        representation,
        features_PF=representation.features_PF[:, columns],
        names=[representation.names[index] for index in columns],
    )


def align(representation: ParticipantFeatures, ids: Sequence[str]) -> np.ndarray:
    """Features of the participants in `ids`, in that order.

    Raises
    ------
    UserError
        When the representation lacks a participant.
    """
    row_of = {participant: row for row, participant in enumerate(representation.participant_id)}
    absent = [participant for participant in ids if participant not in row_of]
    if absent:
        raise UserError(
            f"The representation lacks {len(absent)} participants of the splits ({absent[0]}, …). "
            "Make both from the same time series."
        )
    features: np.ndarray = representation.features_PF[[row_of[participant] for participant in ids]]
    return features


def features_of(
    representations: Iterable[ParticipantFeatures],
    covariates: ParticipantFeatures | None,
    ids: Sequence[str],
    target_names: Collection[str],
) -> Iterator[Features]:
    """Align representations with the participants of a problem.

    Parameters
    ----------
    representations : iterable of ParticipantFeatures
    covariates : ParticipantFeatures or None
        Confounds to be regressed out.
    ids : sequence of str
        Participants of the problem.
    target_names : collection of str
        Lower-case names of features that are the phenotype; they are dropped, also from the
        confounds.
    """
    confounds = None if covariates is None else align(drop_features(covariates, target_names), ids)
    for representation in representations:
        values = align(drop_features(representation, target_names), ids)
        # Confounds would vanish if regressed out of themselves, and chance has no features.
        is_cleaned = values.shape[1] > 0 and not representation.names
        yield Features(values, representation.fitted, confounds if is_cleaned else None)

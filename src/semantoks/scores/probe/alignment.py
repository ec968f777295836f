"""Representations in the order of participants, without features that are the phenotype."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import (
    ParticipantFeatures,
    has_features,
    read_participant_features,
)
from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.features import Features
from semantoks.scores.represent.covariates import FEATURES

# Of the participants of a phenotype. A participant without features is predicted like everybody on
# average, so this share of the distance from chance may be lost.
MAX_WITHOUT_FEATURES = 0.1


def who_has_features(features: Sequence[Features]) -> np.ndarray:
    """Return of each participant whether every part of a representation knows something."""
    return np.asarray(np.logical_and.reduce([has_features(part.values_PF) for part in features]))


def count_without_features(known_P: np.ndarray, representation: str) -> int:
    """Count the participants of whom a representation, or a part of it, knows nothing.

    They stay in all parts, since all representations must be scored on the same participants, and
    are predicted as if nothing was known of their scans.

    Parameters
    ----------
    known_P : ndarray of bool
        See `who_has_features`.
    representation : str

    Raises
    ------
    UserError
        If they are more than `MAX_WITHOUT_FEATURES` of all.
    """
    count, people = int((~known_P).sum()), len(known_P)
    if count > max(1, MAX_WITHOUT_FEATURES * people):
        raise UserError(
            f"{count} of {people} participants have no features in {representation}, so its scores "
            f"would not be those of a representation of all of them (at most "
            f"{MAX_WITHOUT_FEATURES:.0%} may lack them). Their scans have too few regions with "
            "data (exclude them for all representations with parcellation.min_scan_coverage), or "
            "the file of `representations` has no row of them (add it)."
        )
    return count


def read_confounds(settings: Probe, files: Sequence[Path]) -> ParticipantFeatures | None:
    """Read the confounds that are regressed out of features; None if none are.

    Raises
    ------
    UserError
        If they are to be regressed out, but there is no file of them.
    """
    if settings.confounds == "none":
        return None
    if not files:
        raise UserError(
            "probe.confounds is residualise, but there is no file of confounds. Give the "
            "representation `confounds` with --confounds, or leave `confounds: none`."
        )
    return read_participant_features(files[0])


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
    if representation.participant_id == list(ids):
        return representation.features_PF  # those of large cohorts take gigabytes
    features: np.ndarray = representation.features_PF[[row_of[participant] for participant in ids]]
    return features


def features_of(
    representations: Iterable[ParticipantFeatures],
    covariates: ParticipantFeatures | None,
    ids: Sequence[str],
    target_names: Collection[str],
    sites_P: np.ndarray | None = None,
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
    sites_P : ndarray of object, optional
        Names of sites that features are harmonised between.
    """
    confounds = None if covariates is None else align(drop_features(covariates, target_names), ids)
    for representation in representations:
        values = align(drop_features(representation, target_names), ids)
        # Confounds would vanish if regressed out of themselves, and chance has no features.
        is_cleaned = values.shape[1] > 0 and not _are_covariates(representation.names)
        yield Features(
            values,
            representation.fitted,
            confounds if is_cleaned else None,
            representation.blocks,
            sites_P=sites_P if is_cleaned else None,
        )


def _are_covariates(names: Sequence[str]) -> bool:
    """Whether features are those of the representation `confounds`; files have names, too."""
    return len(names) > 0 and all(name.split("=")[0] in FEATURES for name in names)

"""Write the card of a representation: leakage of covariates and test-retest reliability."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.files import write_json
from semantoks.artifacts.representations import (
    ParticipantFeatures,
    has_features,
    read_participant_features,
    read_scan_entities,
)
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import ConfoundColumns
from semantoks.scores.card.blocks import Recordings, of_people, person_by_block
from semantoks.scores.card.contents import BlockCard, Card, Leakage, Retest
from semantoks.scores.card.leakage import score_leakage
from semantoks.scores.card.reliability import retest, session_pairs
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.participants import (
    by_person,
    held_out_people,
    participants_with_duplicate_scans,
    scored_scans,
    text_column,
)
from semantoks.scores.represent.covariates import covariates_of_participants
from semantoks.scores.represent.projections import PROJECTIONS

# A random sample of larger data sets bounds memory (14 GB for all of 40,000 participants); scores
# are then accurate to about 0.02.
MAX_PARTICIPANTS = 2000
MIN_RETESTED = 3
log = logging.getLogger(__name__)


def card(
    settings: CardSettings, *, features: Path, participants: Path, scans: Path, out: Path
) -> list[Path]:
    """Write the card of one representation of one data set.

    Blocks of a task are averaged over each person, and over each run for the reliability, so that
    the card is about people. Of a representation with several blocks of features, each has a part
    of the card: some blocks may hold head size or motion, and others not.

    Parameters
    ----------
    settings : CardSettings
    features : Path
        The representation.
    participants : Path
        Table of participants.
    scans : Path
        Table of scans, included and excluded.
    out : Path
        JSON; see `Card`.

    Returns
    -------
    list of Path
        `out`.
    """
    table, scan_table = read_table(participants), read_table(scans)
    all_scans, person_of = scan_table, None
    if settings.of_blocks:
        person_of = person_by_block(scan_table)
        table, scan_table = of_people(table, scan_table)
    covariates = _sampled_covariates(features, table, scan_table, settings, person_of)
    values = read_participant_features(features, covariates.index, person_of)
    families = text_column(table, settings.group_column, covariates.index)
    whole = _describe(values, covariates, families, settings)
    if not values.blocks:
        # Side by side, the block of the largest numbers would decide who is like whom.
        whole = whole.model_copy(update={"retest": read_and_retest(features, all_scans)})
    blocks = dict[str, BlockCard]()
    for name, columns in values.columns.items():
        block = replace(values, features_PF=values.features_PF[:, columns], blocks=())
        reliability = read_and_retest(features, all_scans, columns)
        described = _describe(block, covariates, families, settings)
        blocks[name] = described.model_copy(update={"retest": reliability})
    write_json(out, Card(**dict(whole), blocks=blocks).model_dump())
    return [out]


def _describe(
    values: ParticipantFeatures,
    covariates: pd.DataFrame,
    families: pd.Series,
    settings: CardSettings,
) -> BlockCard:
    """Measure the leakage of a representation or of a block, among those who have its features."""
    known = has_features(values.features_PF)
    with_features = np.array(values.participant_id, object)[known]
    without_features = int((~known).sum())
    if without_features:
        log.warning("%d participants have no features and are left out.", without_features)
    # As training means they would dilute the leakage and make the card look clean.
    scored = covariates.loc[with_features]
    leakage = list(score_leakage(values, scored, families, settings.probe))
    harmonized = list[Leakage]()
    if settings.harmonize == "combat" and "site" in scored:
        sites = scored["site"]
        harmonized = list(score_leakage(values, scored, families, settings.probe, sites))
    return BlockCard(
        leakage=leakage,
        harmonized=harmonized,
        retest=None,
        people_without_features=without_features or None,
    )


def _sampled_covariates(
    features: Path,
    participants: pd.DataFrame,
    scans: pd.DataFrame,
    columns: ConfoundColumns,
    person_of: dict[str, str] | None,
) -> pd.DataFrame:
    """Return covariates of at most `MAX_PARTICIPANTS` with features and no duplicated scan.

    As for the scores, only of held-out people, if there are any.
    """
    scans = scored_scans(scans)
    covariates = covariates_of_participants(scans, participants, columns.confound_columns())
    # The same scan in training and test would make every covariate look leaked.
    covariates = covariates.drop(index=list(participants_with_duplicate_scans(scans)))
    represented = read_scan_entities(features)["participant_id"].astype(str)
    represented = represented if person_of is None else represented.map(person_of)
    covariates = covariates[covariates.index.isin(represented)]
    if len(covariates) > MAX_PARTICIPANTS:
        covariates = covariates.sample(MAX_PARTICIPANTS, random_state=0).sort_index()
    return covariates


def read_and_retest(
    features: Path, scan_table: pd.DataFrame, columns: slice = slice(None)
) -> Retest | None:
    """Compare the first two sessions of each participant, at most of `MAX_PARTICIPANTS`.

    Compared are all columns of the features, or those of a block. Only the rows of these sessions
    are read, and of a recording that is there twice only the first: a copy is no second session.
    None with fewer than `MIN_RETESTED` participants, or without a feature that all sessions have.
    """
    recordings = Recordings.of(features, scan_table)
    people = held_out_people(by_person(scan_table))
    scans = recordings.entities
    scans = scans if people is None else scans[scans["participant_id"].isin(people)]
    repeated = scans[scans["participant_id"].duplicated(keep=False)]
    # A scan that lacks data has NaN features, and the chance representation has none:
    # both drop out here.
    known = [np.isfinite(row[columns]).any() for row in recordings.iterate(repeated.index)]
    pairs = session_pairs(repeated[np.array(known, bool)])
    if len(pairs) < MIN_RETESTED:
        return None
    if len(pairs) > MAX_PARTICIPANTS:
        pairs = np.random.default_rng(0).permutation(pairs)[:MAX_PARTICIPANTS]
    rows = recordings.read(pairs.ravel())[:, columns]
    fitted = read_metadata(features).get("fitted")
    if fitted:
        # There is no test part here, so fitting to all participants leaks nothing.
        rows = PROJECTIONS[fitted](rows, rows[:0])[0]
    if not np.isfinite(rows).all(axis=0).any():
        log.warning("No feature is known in all sessions: test-retest reliability is not measured.")
        return None
    return retest(rows[::2], rows[1::2])

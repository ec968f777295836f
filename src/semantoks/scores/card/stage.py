"""The card of a representation: what else can be read from it, and whether it stays the same.

Leakage: how well site, repetition time, head motion, scan length, age and sex are predicted, by the
probe that predicts phenotypes. Test-retest: whether a person's second session is most like their
first, and how much of each feature's variance lies between people. Of more than `MOST` people so
many are drawn for each of the two.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.files import write_json
from semantoks.artifacts.representations import (
    People,
    iter_features,
    read_features,
    read_people,
    scans_of,
)
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import Kind, Phenotype, Probe, Splitting
from semantoks.errors import UserError
from semantoks.scores.card.reliability import icc, identification
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.intervals import summary
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.represent.connectivity import PROJECTIONS
from semantoks.scores.represent.covariates import WORDS, known_confounds
from semantoks.scores.split.draw import column_of, draw, first_of_duplicates

log = logging.getLogger(__name__)
FEW = 10  # people that a class needs
REPEATS = 5
SOME_FEATURES = 1000  # at once, for it takes four copies of them
MOST = 2000  # people who are enough: scores are sure to two hundredths, and memory has an end
METRICS = {"classification": "balanced_accuracy", "regression": "pearson_r"}


def card(
    settings: CardSettings, *, features: Path, participants: Path, scans: Path, out: Path
) -> list[Path]:
    """Write the card of one representation of one data set as JSON."""
    again = retest(features, read_metadata(features)["fitted"])
    table, scan_table = read_table(participants), read_table(scans)
    told = _told(scan_table, table, settings.site_column)
    told = told.drop(index=list(first_of_duplicates(scan_table[scan_table["status"] == "ok"])))
    told = told[told.index.isin(scans_of(features)["participant_id"].astype(str))]
    if len(told) > MOST:
        told = told.sample(MOST, random_state=0).sort_index()
    people = read_people(features, told.index)
    group = column_of(table, settings.group_column, told.index)
    probe = Probe(
        inner_folds=settings.probe.inner_folds,
        strengths=settings.probe.strengths,
        repeats=REPEATS,
        permutations=0,
        learning_curve=[],
    )
    rows = [_leak(people, str(name), told[name], group, probe) for name in told]
    content = {
        "leakage": [row for row in rows if row is not None],
        "retest": again,
    }
    write_json(out, content)
    return [out]


def _told(scans: pd.DataFrame, participants: pd.DataFrame, site: str | None) -> pd.DataFrame:
    """Gather what is known of each person beside phenotypes, one column each."""
    scans = scans[scans["status"] == "ok"].reset_index(drop=True)
    groups = known_confounds(scans, participants, site).groupby(scans["participant_id"])
    columns = groups.first().columns
    words = [name for name in columns if name in WORDS]
    numbers = [name for name in columns if name not in WORDS]
    return pd.concat([groups[words].first(), groups[numbers].mean()], axis=1)


def _leak(
    people: People, name: str, values: pd.Series, group: pd.Series, settings: Probe
) -> dict[str, Any] | None:
    """Score one thing; None where it is the same for everybody, or known of too few."""
    kind: Kind = "classification" if name in WORDS else "regression"
    known = values.dropna()
    if kind == "classification":
        known = known.astype(str)
        known = known[known.map(known.value_counts()) >= FEW]
    else:
        known = known.round(6)  # means over runs of the same number differ by rounding
    if len(known) < 2 * FEW or len(known) - known.value_counts().max() < FEW:
        return None
    table = pd.DataFrame({"target": known, "site": None, "group": group.reindex(known.index)})
    table = table.sort_index()
    parts, about = draw(table, Phenotype(kind=kind), Splitting())
    rows = pd.concat([table, pd.DataFrame(parts, index=table.index)], axis=1)
    metadata = {"phenotype": name, "kind": kind, "bins": None, "splits": about}
    problem = Problem(TaskMetadata.from_json(metadata), rows)
    place = {person: row for row, person in enumerate(people.participant_id)}
    features = people.features_PF[[place[person] for person in table.index]]
    try:
        scores, _, _ = score_features(problem, [Features(features, people.fitted)], settings)
    except UserError as reason:  # nobody asked for it, so it stops nothing
        log.info("%s is not read: %s", name, reason)
        return None
    metric = METRICS[kind]
    ratio = float((scores["test_people"] / scores["train_people"]).mean())
    classes = problem.class_sizes()
    return {
        "what": name,
        "metric": metric,
        "people": len(table),
        "chance": 1 / len(classes) if classes else 0.0,
        **summary(scores[metric].to_list(), ratio),
    }


def retest(representation: Path, fitted: str) -> dict[str, Any] | None:
    """Compare the first two sessions of everybody who has two; None with fewer than three people.

    Returns
    -------
    dict or None
        ``people``, ``identification`` (share of second sessions that correlate most with the first
        of the same person, mean of both directions; Finn et al. 2015), ``chance``, and ``icc``:
        the median over features of ICC(3,1).
    """
    scans = scans_of(representation)
    again = scans[scans["participant_id"].duplicated(keep=False)]
    # A scan may be too short for a model.
    known = [np.isfinite(row).any() for row in iter_features(representation, again.index)]
    rows = _pairs(again[np.array(known, bool)])
    if len(rows) < 3:
        return None
    if len(rows) > MOST:
        rows = np.random.default_rng(0).permutation(rows)[:MOST]
    features = read_features(representation, rows.ravel())
    if fitted:
        features = PROJECTIONS[fitted](features, features[:0])[0]
    first, second = features[::2], features[1::2]
    columns = range(0, features.shape[1], SOME_FEATURES)
    slices = [slice(start, start + SOME_FEATURES) for start in columns]
    parts = [icc(first[:, some], second[:, some]) for some in slices]
    return {
        "people": len(rows),
        "identification": identification(first, second),
        "chance": 1 / len(rows),
        "icc": float(np.nanmedian(np.concatenate(parts))),
    }


def _pairs(scans: pd.DataFrame) -> np.ndarray:
    """Row numbers (people, 2) of a scan of each of a person's first two sessions, of one task."""
    pairs = []
    for _, rows in scans.sort_values(["task", "session", "run"]).groupby("participant_id"):
        firsts = rows.drop_duplicates(["task", "session"])
        for _, same in firsts.groupby("task"):
            if len(same) > 1:
                pairs.append(same.index[:2])
                break
    return np.array(pairs, int).reshape(-1, 2)

"""Leakage: how well covariates are predicted by the probe that predicts phenotypes.

A phenotype that goes with site or head motion may be predicted from these alone, so a card shows
how much of them a representation holds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pandas as pd

from semantoks.artifacts.representations import ParticipantFeatures
from semantoks.config import MIN_TESTED, CardProbe, Kind, Phenotype, Probe, Splitting
from semantoks.errors import UserError
from semantoks.scores.card.contents import Leakage
from semantoks.scores.intervals import summary
from semantoks.scores.metrics import RANGES
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.represent.covariates import CATEGORICAL
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import codes_table

log = logging.getLogger(__name__)

REPEATS = 5
MIN_CLASS = 10  # participants per class
MIN_VARYING = 10  # participants whose value is not the most frequent one
DEFAULTS = Splitting()  # sizes and seed, so that a card does not depend on `splits`
METRICS: dict[Kind, str] = {"classification": "balanced_accuracy", "regression": "pearson_r"}


def score_leakage(
    features: ParticipantFeatures,
    covariates: pd.DataFrame,
    families: pd.Series,
    settings: CardProbe,
    sites: pd.Series | None = None,
) -> Iterator[Leakage]:
    """Yield the leakage of each covariate that can be scored.

    Parameters
    ----------
    features : ParticipantFeatures
    covariates : DataFrame
        Indexed by participant, one column per covariate; every participant has features.
    families : Series
        Family of each participant, or missing. Relatives are never split between training and
        test, since their features and covariates are alike.
    settings : CardProbe
    sites : Series, optional
        Site of each participant, between which the features are harmonised.
    """
    probe = Probe(
        inner_folds=settings.inner_folds,
        strengths=settings.strengths,
        repeats=REPEATS,
        permutations=0,
        learning_curve=[],
    )
    too_few = list[str]()
    for name in covariates:
        kind: Kind = "classification" if name in CATEGORICAL else "regression"
        target = _scorable(covariates[name], kind)
        if target is None:
            too_few.append(str(name))
            continue
        try:
            yield _score(features, str(name), kind, target, families, probe, sites)
        except UserError as reason:
            # The user did not ask for this covariate, so it must not stop the pipeline.
            log.info("Leakage of %s is not scored: %s", name, reason)
    if too_few:
        log.info(
            "Leakage of %s is not scored: fewer than 20 participants with a value, or 10 of a "
            "class, or nearly all alike",
            ", ".join(too_few),
        )


def _scorable(values: pd.Series, kind: Kind) -> pd.Series | None:
    """Return the known values; None if there are too few, or nearly all are the same."""
    known = values.dropna()
    if kind == "classification":
        known = known.astype(str)
        known = known[known.map(known.value_counts()) >= MIN_CLASS]
    else:
        known = known.round(6)  # means over scans of equal values differ by rounding
    # Scores of a few test participants say nothing, and a mean without its error would hide that.
    smallest = int(known.value_counts().min()) if kind == "classification" and len(known) else None
    tested = DEFAULTS.test_people(len(known), smallest)
    too_few = len(known) < 2 * MIN_CLASS or tested < MIN_TESTED
    if too_few or len(known) - known.value_counts().max() < MIN_VARYING:
        return None
    return known.sort_index()


def _score(
    features: ParticipantFeatures,
    name: str,
    kind: Kind,
    target: pd.Series,
    families: pd.Series,
    settings: Probe,
    sites: pd.Series | None,
) -> Leakage:
    """Score one covariate with random splits and the exact probe."""
    table = pd.DataFrame({"target": target, "site": None, "group": families.reindex(target.index)})
    splits = draw(table, Phenotype(kind=kind), DEFAULTS)
    rows = pd.concat([table, codes_table(splits, table.index)], axis=1)
    records = [split.record() for split in splits]
    metadata = {"phenotype": name, "kind": kind, "bins": None, "splits": records}
    problem = Problem(TaskMetadata.from_json(metadata), rows)
    row_of = {participant: row for row, participant in enumerate(features.participant_id)}
    values_PF = features.features_PF[[row_of[participant] for participant in table.index]]
    metric = METRICS[kind]
    sites_P = None if sites is None else sites.reindex(table.index).to_numpy(object)
    inputs = Features(values_PF, features.fitted, blocks=features.blocks, sites_P=sites_P)
    scores = score_features(problem, [inputs], settings).scores
    test_to_train = float((scores["test_people"] / scores["train_people"]).mean())
    classes = problem.class_sizes()
    return Leakage(
        what=name,
        metric=metric,
        people=len(table),
        chance=1 / len(classes) if classes else 0.0,
        **summary(scores[metric].to_list(), test_to_train, RANGES[metric]),
    )

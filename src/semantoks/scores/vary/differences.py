"""Compare a row of a variant with the same row of the main analysis, split by split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semantoks.config import MIN_TESTED
from semantoks.scores.benchmark.comparison import Difference
from semantoks.scores.benchmark.probe_scores import ProbeScores
from semantoks.scores.benchmark.shuffles import MIN_SHUFFLES, ShuffledScore, shuffled_difference
from semantoks.scores.benchmark.withheld import reason_not_compared
from semantoks.scores.intervals import paired_difference
from semantoks.scores.metrics import regression_scores, with_enough_tested
from semantoks.scores.split.parts import Scheme
from semantoks.scores.vary.contents import FromMain, Tested

MAIN = "main analysis"
OTHER_PEOPLE = "its participants or splits are others"


@dataclass(frozen=True)
class ScoredRow:
    """One row of a table of scores.

    Attributes
    ----------
    scores : ProbeScores
    predictions : DataFrame
        One row per split and test participant: ``split``, ``participant_id``, ``target`` and
        ``predicted``.
    """

    scores: ProbeScores
    predictions: pd.DataFrame


def who_is_tested(main: ScoredRow, variant: ScoredRow) -> Tested:
    """Compare the participants of the splits that both have."""
    ours, theirs = main.predictions, variant.predictions
    shared = set(ours["split"]) & set(theirs["split"])
    pairs = [
        pd.MultiIndex.from_frame(part.loc[part["split"].isin(shared), ["split", "participant_id"]])
        for part in (ours, theirs)
    ]
    if not shared or not pairs[1].isin(pairs[0]).all():
        return "other"
    # Whoever is missing may have trained only; permutations are of all participants, too.
    has_all = main.scores.task.people == variant.scores.task.people
    return "same" if has_all and len(pairs[0]) == len(pairs[1]) else "common"


def difference_from_main(
    main: ScoredRow, variant: ScoredRow, scheme: Scheme, tested: Tested
) -> FromMain:
    """Subtract the scores of the main analysis from those of a variant.

    Parameters
    ----------
    main, variant : ScoredRow
    scheme : str
    tested : str
        See `who_is_tested`. Where the variant lacks participants, the predictions of the main
        analysis are scored again without these; its probes were trained with them.
    """
    name, metric = variant.scores.representation, variant.scores.task.metrics[0]
    if tested == "other":
        return FromMain(
            scheme=scheme, representation=name, splits=0, difference=None, no_verdict=OTHER_PEOPLE
        )
    ours, theirs = (
        with_enough_tested(row.scores.complete_fits(scheme)).set_index("split")
        for row in (main, variant)
    )
    shared = theirs.index[theirs.index.isin(ours.index)]
    rows = theirs.loc[shared]
    values = ours.loc[shared, metric]
    if tested == "common":
        values = _scored_again(main.predictions, variant.predictions, metric).reindex(shared)
    has_all = len(shared) == len(ours) == len(theirs)
    by_shuffles = tested == "same" and has_all and scheme != "site"
    pair = [_shuffled(row, table, metric) for row, table in ((variant, theirs), (main, ours))]
    trained = rows["train_people"] - rows["validation_people"]
    difference = _difference(
        pair if by_shuffles else [None, None],
        (rows[metric], values),
        float((rows["test_people"] / trained).mean()),
    )
    reason = reason_not_compared(
        rows.reset_index(),
        difference,
        metric,
        variant.scores.features,
        needs_shuffles=variant.scores.task.needs_shuffles,
    )
    if reason is not None:
        unknown = dict.fromkeys(("low", "high", "p"), float("nan"))
        difference = difference.model_copy(update=unknown)
    return FromMain(
        scheme=scheme,
        representation=name,
        splits=len(shared),
        difference=difference,
        no_verdict=reason,
    )


def _shuffled(row: ScoredRow, table: pd.DataFrame, metric: str) -> ShuffledScore | None:
    """Scores of permutations of the phenotype, if there are enough."""
    shuffled = row.scores.shuffled
    if shuffled is None or len(shuffled) < MIN_SHUFFLES:
        return None
    return ShuffledScore(metric, float(table[metric].mean()), np.asarray(shuffled))


def _difference(
    pair: list[ShuffledScore | None],
    values: tuple[pd.Series, pd.Series],
    test_to_train: float,
) -> Difference:
    """Compare by the same permutations of the phenotype if there are any, else by corrected t."""
    first, second = pair
    # Of the same participants the permutations are the same, too.
    if first and second and len(first.shuffled_M) == len(second.shuffled_M):
        return shuffled_difference(first, second, MAIN)
    variant, main = (part.to_list() for part in values)
    return Difference(baseline=MAIN, **paired_difference(variant, main, test_to_train))


def _scored_again(main: pd.DataFrame, variant: pd.DataFrame, metric: str) -> pd.Series:
    """Score the predictions of the main analysis for the test participants of the variant."""
    keys = ["split", "participant_id"]
    common = variant[keys].merge(main, on=keys)
    score = _r if metric == "pearson_r" else _balanced_accuracy
    return pd.Series({split: score(part) for split, part in common.groupby("split")}, dtype=float)


def _r(part: pd.DataFrame) -> float:
    truth, predicted = (part[name].to_numpy(float) for name in ("target", "predicted"))
    enough = len(part) >= MIN_TESTED
    return regression_scores(truth, predicted)["pearson_r"] if enough else float("nan")


def _balanced_accuracy(part: pd.DataFrame) -> float:
    right = part["predicted"] == part["target"]
    return float(right.groupby(part["target"].to_numpy()).mean().mean())

"""Comparisons and cards with rounded numbers, from which everything on the page follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

from semantoks.config import Report
from semantoks.report.privacy import MIN_CELL_SIZE, is_small, rounded, rounded_blocks
from semantoks.report.steps import Steps, in_steps, rounded_scheme, step_of, step_of_r_interval
from semantoks.scores.benchmark.comparison import (
    Comparison,
    CurvePoint,
    DurationPoint,
    SchemeResult,
    Summary,
)
from semantoks.scores.benchmark.curves import with_label_efficiency
from semantoks.scores.card.contents import BlockCard, Card, Leakage, Retest

Curves = dict[str, list[CurvePoint]]
Part = TypeVar("Part", bound=BlockCard)


def rounded_comparison(comparison: Comparison) -> Comparison:
    """Round all numbers of participants, and scores that would tell them."""
    if comparison.persons is not None:
        comparison = _of_rounded_people(comparison, comparison.persons)
    classes = comparison.classes
    return comparison.model_copy(
        update={
            "people": rounded(comparison.people),
            "classes": classes and {name: rounded(n) for name, n in classes.items()},
            "left_out": {reason: rounded(n) for reason, n in comparison.left_out.items()},
            "schemes": [rounded_scheme(s, comparison) for s in comparison.schemes],
            "curves": _rounded_curves(comparison),
            "durations": _rounded_durations(comparison),
        }
    )


def _of_rounded_people(comparison: Comparison, persons: int) -> Comparison:
    """Return numbers of blocks that are those of a rounded number of people."""

    def of_people(count: float) -> int:
        return rounded_blocks(count, comparison.people / persons)

    def sizes(part: SchemeResult | CurvePoint) -> dict[str, int]:
        known = {name: getattr(part, name, None) for name in ("train_people", "test_people")}
        return {name: of_people(size) for name, size in known.items() if size is not None}

    classes, left_out = comparison.classes, comparison.left_out
    return comparison.model_copy(
        update={
            "persons": rounded(persons),
            "people": of_people(comparison.people),
            "classes": classes and {name: of_people(n) for name, n in classes.items()},
            "left_out": {reason: of_people(n) for reason, n in left_out.items()},
            "schemes": [s.model_copy(update=sizes(s)) for s in comparison.schemes],
            "curves": {
                name: [point.model_copy(update=sizes(point)) for point in curve]
                for name, curve in comparison.curves.items()
            },
        }
    )


def _rounded_curves(comparison: Comparison) -> Curves:
    """Round sizes and scores of learning curves, and compute label efficiency from these."""
    random = [scheme for scheme in comparison.schemes if scheme.scheme == "random"]
    if not random:
        return {}
    step = Steps.of_scheme(random[0], comparison.people).of_mean(comparison.metric)
    curves = {
        name: [_rounded_point(point, step) for point in curve]
        # Sizes of "fewer than 5" have no place on an axis.
        for name, points in comparison.curves.items()
        if len(curve := [p for p in points if p.train_people >= MIN_CELL_SIZE]) > 1
    }
    compared = {name for name in curves if comparison.curves[name][-1].worth is not None}
    baseline = comparison.baseline
    return with_label_efficiency(curves, baseline, compared | ({baseline} if baseline else set()))


def _rounded_point(point: CurvePoint, step: float) -> CurvePoint:
    return CurvePoint(
        train_people=rounded(point.train_people), mean=in_steps(point.mean, step), sd=math.nan
    )


def _rounded_durations(comparison: Comparison) -> dict[str, list[DurationPoint]]:
    """Round the scores of curves over the length of scans, which are of random or fixed splits."""
    if not comparison.durations:
        return {}
    scheme = next(scheme for scheme in comparison.schemes if scheme.scheme != "site")
    step = Steps.of_scheme(scheme, comparison.people).of_mean(comparison.metric)
    return {
        name: [p.model_copy(update={"mean": in_steps(p.mean, step), "sd": math.nan}) for p in curve]
        for name, curve in comparison.durations.items()
    }


def rounded_cards(cards: Mapping[str, Card], settings: Report) -> dict[str, Card]:
    """Round the cards of a data set; unchanged if the report may show exact numbers."""
    return {
        name: card if settings.participants else _rounded_card(card, settings)
        for name, card in cards.items()
    }


def _rounded_card(card: Card, settings: Report) -> Card:
    """Round one card; what may not be shown is left out."""
    blocks = {name: _rounded_part(block, settings) for name, block in card.blocks.items()}
    return _rounded_part(card, settings).model_copy(update={"blocks": blocks})


def _rounded_part(card: Part, settings: Report) -> Part:
    """Round a card or the part of one block."""
    few = card.people_without_features
    return card.model_copy(
        update={
            "leakage": [_rounded_leakage(leakage) for leakage in card.leakage],
            "harmonized": [_rounded_leakage(leakage) for leakage in card.harmonized],
            "retest": card.retest and _rounded_retest(card.retest, settings),
            "people_without_features": few and rounded(few),
        }
    )


def _rounded_leakage(leakage: Leakage) -> Leakage:
    """Round the scores of one covariate."""
    # Five splits with a fifth of the participants: as many trials as participants.
    steps = Steps(step_of(leakage.people), step_of_r_interval(leakage.people))
    scores = Summary(**{name: getattr(leakage, name) for name in Summary.model_fields})
    values = steps.rounded(scores, leakage.metric)
    return leakage.model_copy(update={**values, "sd": math.nan, "people": rounded(leakage.people)})


def _rounded_retest(retest: Retest, settings: Report) -> Retest | None:
    """Derive chance and steps from the rounded number; None for a number that is not shown."""
    # A chance level of 1/3 would tell that there are three participants.
    if is_small(retest.people, settings):
        return None
    people = rounded(retest.people)
    return Retest(
        people=people,
        # Its decimals tell of how many it is the share.
        identification=round(retest.identification * people) / people,
        chance=1 / people,
        icc=retest.icc,
    )

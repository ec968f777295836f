"""Sections of the page on leakage and reliability, one per data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from semantoks.config import Report
from semantoks.report.names import COVARIATES
from semantoks.report.rounding import rounded_cards
from semantoks.report.steps import (
    DECIMALS,
    Steps,
    decimals_of,
    step_of,
    step_of_r_interval,
)
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.card.contents import Card, Leakage, Retest


@dataclass(frozen=True)
class CardRow:
    """What is predicted from one representation or a block of it, and how reliable it is.

    Attributes
    ----------
    representation : str
    phenotypes, covariates : dict of str to float
        Scores; blocks by themselves are not scored on phenotypes.
    retest : Retest or None
    without_features : int or None
    block : str
        Name of the block, empty for the whole representation.
    is_harmonized : bool
        Whether the row says what ComBat leaves of the covariates.
    """

    representation: str
    phenotypes: dict[str, float]
    covariates: dict[str, float]
    retest: Retest | None
    without_features: int | None
    block: str = ""
    is_harmonized: bool = False


@dataclass(frozen=True)
class CardSection:
    """The cards of all representations of a data set, as one table.

    Attributes
    ----------
    dataset : str
    metrics : dict of str to str
        Metric of each phenotype.
    covariates : dict of str to Leakage
        Columns of the table; metric and chance level are the same for all representations.
    rows : list of CardRow
    retest : Retest or None
        None if no participant has two sessions, or too few to be shown.
    decimals, decimals_of_phenotypes : dict of str to int
        How many are known of the score of each covariate and phenotype.
    """

    dataset: str
    metrics: dict[str, str]
    covariates: dict[str, Leakage]
    rows: list[CardRow]
    retest: Retest | None
    decimals: dict[str, int]
    decimals_of_phenotypes: dict[str, int]

    @property
    def absent(self) -> list[str]:
        """Covariates without a column, in words."""
        return [label for name, label in COVARIATES.items() if name not in self.covariates]


def card_section(
    dataset: str,
    cards: Mapping[str, Card],
    comparisons: Sequence[Comparison],
    settings: Report,
) -> CardSection:
    """Gather the cards of a data set, by representation, beside its scores."""
    by_phenotype = {c.phenotype: c for c in comparisons if c.dataset == dataset}
    cards = rounded_cards(cards, settings)
    covariates = {
        leak.what: leak
        for card in cards.values()
        for part in (*card.blocks.values(), card)
        for leak in part.leakage
    }
    return CardSection(
        dataset=dataset,
        metrics={phenotype: c.metric for phenotype, c in by_phenotype.items()},
        covariates=covariates,
        rows=[
            row
            for name, card in cards.items()
            for row in _rows(name, card, {p: _mean_score(name, c) for p, c in by_phenotype.items()})
        ],
        retest=next((card.retest for card in cards.values() if card.retest), None),
        decimals={
            name: DECIMALS if settings.participants else _of_covariate(leak)
            for name, leak in covariates.items()
        },
        decimals_of_phenotypes={
            name: DECIMALS if settings.participants else _of_phenotype(comparison)
            for name, comparison in by_phenotype.items()
        },
    )


def _of_phenotype(comparison: Comparison) -> int:
    """Return how many decimals of a rounded score are known."""
    if not comparison.schemes:
        return DECIMALS
    steps = Steps.of_scheme(comparison.schemes[0], comparison.people)
    return decimals_of(steps.of_mean(comparison.metric))


def _of_covariate(leak: Leakage) -> int:
    """Likewise of a covariate."""
    steps = Steps(step_of(leak.people), step_of_r_interval(leak.people))
    return decimals_of(steps.of_mean(leak.metric))


def _rows(representation: str, card: Card, phenotypes: dict[str, float]) -> Iterator[CardRow]:
    """Yield a row of the whole representation, and one of each of its blocks.

    After each comes what ComBat leaves of the covariates, where that is measured.
    """
    for block, part in {"": card, **card.blocks}.items():
        yield CardRow(
            representation=representation,
            phenotypes=phenotypes if not block else {},
            covariates={leak.what: leak.mean for leak in part.leakage},
            retest=part.retest,
            without_features=part.people_without_features,
            block=block,
        )
        if part.harmonized:
            left = {leak.what: leak.mean for leak in part.harmonized}
            yield CardRow(representation, {}, left, None, None, block, is_harmonized=True)


def _mean_score(representation: str, comparison: Comparison) -> float:
    """Return the score of a representation under the first scheme."""
    rows = comparison.schemes[0].representations
    return next(
        row.metrics[comparison.metric].mean for row in rows if row.representation == representation
    )

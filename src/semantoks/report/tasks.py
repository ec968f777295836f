"""Sections of the page on scores, one per data set and phenotype."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from semantoks.config import PAPER_SUFFIX, Config, Report
from semantoks.report.cautions import cautions
from semantoks.report.figures.scores import curves_figure, durations_figure, scores_figure
from semantoks.report.names import METRICS, is_baseline
from semantoks.report.overlap import Overlap
from semantoks.report.predictions import PredictionFigures, ScoreFiles
from semantoks.report.published import PublishedScore, beside_published
from semantoks.report.steps import DECIMALS, Steps, decimals_of
from semantoks.scores.benchmark.baselines import baseline_of
from semantoks.scores.benchmark.compare import SIGNIFICANCE_LEVEL
from semantoks.scores.benchmark.comparison import (
    Comparison,
    Difference,
    Row,
    SchemeResult,
    Summary,
)
from semantoks.scores.intervals import holm
from semantoks.scores.metrics import CORRELATIONS

Training = Mapping[str, pd.DataFrame]
NO_VERDICTS = ("baseline", "not compared")  # beginnings of what `ScoreRow.verdict` says
OF_CHANCE = "above baseline, not above chance"  # a verdict
AdjustedP = dict[tuple[str, str], float]  # by scheme and representation


@dataclass(frozen=True)
class ScoreRow:
    """A representation in a table of scores."""

    representation: str
    score: Summary
    metrics: dict[str, Summary]
    difference: Difference | None
    p_holm: float | None
    p_permutation: float | None
    no_verdict: str | None = None
    is_baseline: bool = False
    chosen: dict[str, int] | None = None
    below_chance: float = 0.0  # by how much the baseline is

    @property
    def verdict(self) -> str:
        """Say how the representation compares with the baseline."""
        if self.is_baseline:
            return "baseline"
        if self.no_verdict is not None:
            return f"not compared ({self.no_verdict})"
        # NaN differs from itself: with a single split there is no p-value.
        if self.difference is None or self.p_holm is None or self.p_holm != self.p_holm:
            return "not compared"
        if self.p_holm >= SIGNIFICANCE_LEVEL:
            return "no clear difference"
        if self.difference.mean < 0:
            return "below baseline"
        # What is above a baseline that is worse than chance need not predict anything.
        is_chance = self.p_permutation is not None and self.p_permutation >= SIGNIFICANCE_LEVEL
        if is_chance or (self.below_chance > 0 and self.difference.low <= self.below_chance):
            return OF_CHANCE
        return "above baseline"


@dataclass(frozen=True)
class SchemeTable:
    """Scores under one scheme of splits, best representation first."""

    result: SchemeResult
    rows: list[ScoreRow]
    other_metrics: list[str]
    has_permutation: bool
    figure: str
    steps: Steps | None = None  # of scores that are rounded

    def decimals(self, metric: str, *, of_interval: bool = False) -> int:
        """Return how many decimals of a score are known."""
        if self.steps is None:
            return DECIMALS
        of_metric = self.steps.of_interval if of_interval else self.steps.of_mean
        return decimals_of(of_metric(metric))

    @property
    def has_scores(self) -> bool:
        """Whether the metric of any row is known; notes of the result say why it is not."""
        return any(not math.isnan(row.score.mean) for row in self.rows)


@dataclass(frozen=True)
class TaskSection:
    """Everything the page shows of one comparison."""

    comparison: Comparison
    title: str
    cautions: list[str]
    schemes: list[SchemeTable]
    of_models: list[ScoreRow]  # of the first scheme
    learning_curves: str | None
    duration_curves: str | None
    shown: PredictionFigures
    label_efficiency: dict[str, float | None]
    published: list[PublishedScore]
    without_features: dict[str, int]


def task_sections(
    comparisons: Sequence[Comparison],
    overlaps: Sequence[Overlap],
    training: Training,
    config: Config,
    settings: Report,
    files: ScoreFiles | None = None,
) -> list[TaskSection]:
    """Prepare all comparisons, with p-values adjusted for their number.

    Parameters
    ----------
    comparisons : sequence of Comparison
    overlaps : sequence of Overlap
        Of pretraining and tested participants.
    training : mapping of str to DataFrame
        Training metrics by model.
    config : Config
    settings : Report
    files : ScoreFiles, optional
        Single predictions, where participants may be shown.
    """
    shown = files if files and settings.participants else ScoreFiles({}, {})
    adjusted = holm_adjusted(comparisons)
    return [
        _section(
            comparison,
            p_values,
            cautions(
                comparison,
                overlaps,
                training,
                has_sites=bool(config.datasets[comparison.dataset].site_column),
                with_confounds=[n for n, rows in config.combined.items() if "confounds" in rows],
            ),
            beside_published(comparison, overlaps, config, settings),
            shown.figures(comparison),
            config,
            is_rounded=not settings.participants,
        )
        for comparison, p_values in zip(comparisons, adjusted, strict=True)
    ]


def holm_adjusted(comparisons: Sequence[Comparison]) -> list[AdjustedP]:
    """Adjust the p-value of each difference from the baseline with Holm's method.

    A family of tests is one scheme and representation over all tasks on the page.

    Returns
    -------
    list of dict
        One per comparison.
    """
    families: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for number, comparison in enumerate(comparisons):
        for scheme in comparison.schemes:
            for row in scheme.representations:
                # The baseline is not compared with itself and must not count as a test.
                if row.difference_from_baseline is not None:
                    test = number, row.difference_from_baseline.p
                    families.setdefault((scheme.scheme, row.representation), []).append(test)
    adjusted: list[AdjustedP] = [{} for _ in comparisons]
    for key, family in families.items():
        for (number, _), p in zip(family, holm([p for _, p in family]), strict=True):
            adjusted[number][key] = p
    return adjusted


def _section(
    comparison: Comparison,
    adjusted: AdjustedP,
    warnings: list[str],
    published: list[PublishedScore],
    shown: PredictionFigures,
    config: Config,
    *,
    is_rounded: bool,
) -> TaskSection:
    """Gather what the page shows of one comparison."""
    curves = comparison.curves
    metric, baseline = METRICS[comparison.metric], comparison.baseline
    figure = curves_figure(curves, metric, baseline) if curves else None
    durations = comparison.durations
    schemes = [
        _scheme_table(
            scheme,
            comparison,
            adjusted,
            Steps.of_scheme(scheme, comparison.people) if is_rounded else None,
        )
        for scheme in comparison.schemes
    ]
    efficiency = {name: curve[-1].worth for name, curve in curves.items()}
    return TaskSection(
        comparison=comparison,
        title=comparison.publication.title if comparison.publication else "",
        cautions=warnings,
        schemes=schemes,
        of_models=[row for row in schemes[0].rows if _is_of_model(row.representation, config)]
        if schemes
        else [],
        learning_curves=figure,
        duration_curves=durations_figure(durations, metric, baseline) if durations else None,
        shown=shown,
        # None where it is not known; without the baseline's curve nothing can be said.
        label_efficiency=efficiency if comparison.baseline in curves else {},
        published=published,
        # The participants are the same under every scheme.
        without_features={
            row.representation: row.people_without_features
            for row in comparison.schemes[0].representations
            if row.people_without_features
        },
    )


def _is_of_model(row: str, config: Config) -> bool:
    """Whether a row, or a part of a combined one, is of a model or another given representation."""
    members = config.combined.get(row.removesuffix(PAPER_SUFFIX), [row])
    return not all(map(is_baseline, members))


def _scheme_table(
    scheme: SchemeResult, comparison: Comparison, adjusted: AdjustedP, steps: Steps | None
) -> SchemeTable:
    """Sort representations by their score, and gather what the table shows of each."""
    rows = score_rows(scheme, comparison, adjusted)
    metric = comparison.metric
    return SchemeTable(
        result=scheme,
        rows=rows,
        other_metrics=[m for m in METRICS if m != metric and _is_known(m, scheme.representations)],
        has_permutation=any(row.p_permutation is not None for row in rows),
        figure=_scores_figure(rows, metric),
        steps=steps,
    )


def score_rows(scheme: SchemeResult, comparison: Comparison, adjusted: AdjustedP) -> list[ScoreRow]:
    """Rows of a table of scores, best first."""
    metric = comparison.metric
    # Unknown scores (NaN) cannot be sorted and come last.
    results = sorted(scheme.representations, key=lambda row: _last_if_unknown(row, metric))
    names = [row.representation for row in results]
    means = {row.representation: row.metrics[metric].mean for row in results}
    chance = 0.0 if metric in CORRELATIONS else means.get("chance", math.nan)
    return [
        ScoreRow(
            representation=row.representation,
            score=row.metrics[metric],
            metrics=row.metrics,
            difference=row.difference_from_baseline,
            p_holm=adjusted.get((scheme.scheme, row.representation)),
            p_permutation=_permutation_p(comparison, scheme, row),
            no_verdict=row.no_verdict,
            chosen=row.chosen,
            is_baseline=row.representation == baseline_of(row.representation, names),
            below_chance=chance - _baseline_mean(row, means),
        )
        for row in results
    ]


def _permutation_p(comparison: Comparison, scheme: SchemeResult, row: Row) -> float | None:
    """Return p of the permutations of a row.

    None for sites left out, as random or fixed splits are permuted, and where the score is not
    known: p would be of another metric than the one that is shown.
    """
    if scheme.scheme == "site" or math.isnan(row.metrics[comparison.metric].mean):
        return None
    return comparison.permutation.get(row.representation)


def _baseline_mean(row: Row, means: Mapping[str, float]) -> float:
    """Return the score of what a row is compared with; NaN if that is nothing."""
    difference = row.difference_from_baseline
    return means.get(difference.baseline, math.nan) if difference else math.nan


def _is_known(metric: str, results: Sequence[Row]) -> bool:
    """Whether a representation has a value, so that the metric deserves a column."""
    means = [row.metrics[metric].mean for row in results if metric in row.metrics]
    return not all(math.isnan(mean) for mean in means)


def _last_if_unknown(row: Row, metric: str) -> tuple[bool, float]:
    mean = row.metrics[metric].mean
    return math.isnan(mean), -mean


def _scores_figure(rows: Sequence[ScoreRow], metric: str) -> str:
    scores = {row.representation: row.score for row in rows}
    # Where r is never computed, there is nothing to see.
    is_known = any(math.isfinite(score.mean) for score in scores.values())
    return scores_figure(scores, METRICS[metric]) if is_known else ""

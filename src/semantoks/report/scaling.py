"""Sections of the page on scores against the number of pretraining people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semantoks.artifacts.files import read_json
from semantoks.config import Report
from semantoks.report.figures.effects import scaling_figure
from semantoks.report.names import METRICS
from semantoks.report.privacy import MIN_CELL_SIZE, rounded
from semantoks.report.scaling_curve.contents import ScalingCurve, ScalingCurves, ScalingPoint
from semantoks.report.scaling_curve.fit import EXTRAPOLATED
from semantoks.report.steps import Steps, in_steps
from semantoks.scores.benchmark.comparison import Comparison, Difference


@dataclass(frozen=True)
class ScalingSection:
    """Curves of one phenotype, and their figure."""

    curves: ScalingCurves
    figure: str


def scaling_sections(
    paths: Sequence[Path], comparisons: Sequence[Comparison], settings: Report
) -> list[ScalingSection]:
    """Read the curves of each phenotype, in the order of the scores.

    Parameters
    ----------
    paths : sequence of Path
        ``<dataset>/<phenotype>.json`` that `scaling_curve` wrote.
    comparisons : sequence of Comparison
        Rounded already if the report protects participants.
    settings : Report
    """
    read = [ScalingCurves.model_validate(read_json(path)) for path in paths]
    by_task = {(curves.dataset, curves.phenotype): curves for curves in read}
    sections = []
    for comparison in comparisons:
        curves = by_task.get((comparison.dataset, comparison.phenotype))
        if curves is not None:
            shown = curves if settings.participants else _rounded(curves, comparison)
            if shown.curves:
                figure = scaling_figure(shown.curves, METRICS[curves.metric])
                sections.append(ScalingSection(shown, figure))
    return sections


def _rounded(curves: ScalingCurves, comparison: Comparison) -> ScalingCurves:
    """Round numbers of people, and scores to the steps of those of the phenotype."""
    steps = Steps.of_scheme(comparison.schemes[0], comparison.people)
    changed = {name: _rounded_curve(c, steps, curves.metric) for name, c in curves.curves.items()}
    shown = {name: curve for name, curve in changed.items() if curve.points}
    return curves.model_copy(update={"curves": shown, "test_people": 0.0})


def _rounded_curve(curve: ScalingCurve, steps: Steps, metric: str) -> ScalingCurve:
    """Round one curve; groups that are too small to be shown have no place on it."""

    def point(exact: ScalingPoint, people: float) -> ScalingPoint:
        ends = Difference(baseline="", mean=exact.mean, low=exact.low, high=exact.high, p=1)
        return ScalingPoint(people=people, **steps.rounded(ends, metric))

    measured = [rounded(exact.people) for exact in curve.points]
    # Places of the fit lie between exact numbers, and ten times a number tells its last digit.
    places = np.geomspace(max(measured[0], 1), EXTRAPOLATED * measured[-1], len(curve.fitted))
    gain = Difference(baseline="", **curve.gain.model_dump())
    return curve.model_copy(
        update={
            "points": [
                point(exact, people)
                for exact, people in zip(curve.points, measured, strict=True)
                if exact.people >= MIN_CELL_SIZE
            ],
            "fitted": [
                point(exact, float(people))
                for exact, people in zip(curve.fitted, places, strict=True)
                if people >= MIN_CELL_SIZE
            ],
            "gain": curve.gain.model_copy(update=steps.rounded(gain, metric)),
            "misfit": in_steps(curve.misfit, steps.of_mean(metric)),
        }
    )

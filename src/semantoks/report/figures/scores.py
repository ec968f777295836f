"""Scores of representations, and how they grow with people and minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np

from semantoks.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    STYLE,
    WIDTH,
    axes_of,
    mpl,
    svg,
)
from semantoks.report.names import BASELINES, is_baseline, representation_label
from semantoks.scores.benchmark.comparison import CurvePoint, DurationPoint, Summary

MARKERS = "os^vDPX<>"
MINUTE_DECIMALS = 1  # also of the table below the figure


def scores_figure(scores: Mapping[str, Summary], label: str) -> str:
    """Draw the mean and 95 % interval of each representation.

    Parameters
    ----------
    scores : mapping of str to Summary
        By representation, from top to bottom. A dashed line marks that of ``chance``,
        or zero where chance has none.
    label : str
        Name of the metric.
    """
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(WIDTH, 0.5 + 0.42 * len(scores))
        for height, (name, score) in enumerate(reversed(list(scores.items()))):
            # Baselines are squares, so that they differ without colour, too.
            color, marker = (GREY, "s") if is_baseline(name) else (BLUE, "o")
            axes.plot([score.low, score.high], [height, height], color=color, lw=2.5, alpha=0.5)
            axes.plot(score.mean, height, marker, color=color, ms=8)
            # Chance predicts a constant, with which nothing correlates: its r is unknown.
            if name == "chance":
                chance = score.mean if np.isfinite(score.mean) else 0.0
                axes.axvline(chance, color=GREY, ls="--", lw=1, zorder=0)
        labels = [representation_label(name) for name in scores]
        axes.set_yticks(range(len(scores)), labels[::-1])
        axes.set_ylim(-0.6, len(scores) - 0.4)
        axes.set_xlabel(f"{label} (mean and 95 % interval over splits)", color=GREY)
        # savefig reads the svg.* settings, so it is called inside the context.
        return svg(figure, f"{label} of each representation with its 95 % interval")


def curves_figure(
    curves: Mapping[str, Sequence[CurvePoint]], metric: str, baseline: str | None
) -> str:
    """Draw learning curves: the score against the number of training participants.

    Parameters
    ----------
    curves : mapping of str to sequence of CurvePoint
        By representation; those that need no model are dashed.
    metric : str
        Name of the metric.
    baseline : str or None
        Representation that is drawn in black, since the others are compared with it.
    """
    places = {
        name: [(round(point.train_people), point.mean) for point in curve]
        for name, curve in curves.items()
    }
    return _lines_figure(places, "training participants", metric, baseline)


def durations_figure(
    curves: Mapping[str, Sequence[DurationPoint]], metric: str, baseline: str | None
) -> str:
    """Draw the score against the length of scans; parameters as for `curves_figure`."""
    places = {
        name: [(round(point.minutes, MINUTE_DECIMALS), point.mean) for point in curve]
        for name, curve in curves.items()
    }
    return _lines_figure(places, "minutes of each scan, from its beginning", metric, baseline)


def _lines_figure(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    x_label: str,
    metric: str,
    baseline: str | None,
) -> str:
    """Draw one line of scores per representation over a logarithmic axis."""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(WIDTH, 2.8)
        models = [name for name in curves if name not in BASELINES]
        colors = dict(zip(models, (BLUE, GREEN, RED), strict=False)) | {baseline: INK}
        markers = cycle(MARKERS)
        for name, curve in curves.items():
            color, style = colors.get(name, GREY), "--" if name in BASELINES else "-"
            label = representation_label(name)
            marker = next(markers)
            axes.plot(
                *zip(*curve, strict=True), style, marker=marker, ms=4, color=color, label=label
            )
        axes.set_xscale("log")
        ticks = sorted({x for curve in curves.values() for x, _ in curve})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        # A log axis of less than a decade labels its minor ticks, which would overlap ours.
        axes.minorticks_off()
        axes.set_xlabel(x_label, color=GREY)
        axes.set_ylabel(metric, color=GREY)
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return svg(figure, f"{metric} against {x_label}, a line per representation")

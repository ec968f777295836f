"""Figures of what scores gain from people, and lose without networks, as SVG elements."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semantoks.report.figures.style import BLUE, GREEN, GREY, INK, RED, STYLE, Figure, mpl, svg
from semantoks.report.names import representation_label
from semantoks.report.scaling_curve.contents import ScalingCurve
from semantoks.scores.benchmark.comparison import Difference


def losses_figure(losses: Mapping[str, tuple[Difference, Difference]], metric: str) -> str:
    """Draw bars of what a score loses without each network, with 95 % intervals.

    Parameters
    ----------
    losses : mapping of str to (Difference, Difference)
        By network, from top to bottom: left out, and shuffled among test participants.
    metric : str
        Name of the metric.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 0.8 + 0.42 * len(losses)))
        axes = figure.add_subplot()
        for index, (label, color) in enumerate(
            {"left out, and fitted again": BLUE, "shuffled among test participants": GREY}.items()
        ):
            heights = np.arange(len(losses))[::-1] + 0.18 - 0.36 * index
            of_bars = [pair[index] for pair in losses.values()]
            means = [loss.mean for loss in of_bars]
            axes.barh(heights, means, height=0.34, color=color, alpha=0.6, label=label)
            for height, loss in zip(heights, of_bars, strict=True):
                axes.plot([loss.low, loss.high], [height, height], color=color, lw=1.5)
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(range(len(losses)), list(losses)[::-1])
        axes.set_xlabel(f"loss of {metric} (mean and 95 % interval over splits)", color=GREY)
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))
        return svg(figure, f"Loss of {metric} without each network")


def scaling_figure(curves: Mapping[str, ScalingCurve], metric: str) -> str:
    """Draw scores against the number of pretraining people, and their fit by the logarithm.

    Parameters
    ----------
    curves : mapping of str to ScalingCurve
        By representation. The fit is dashed where it is extrapolated, and its band is shaded.
    metric : str
        Name of the metric.
    """
    colors = dict(zip(curves, (BLUE, GREEN, RED), strict=False))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 3.4))
        axes = figure.add_subplot()
        for name, curve in curves.items():
            color = colors.get(name, GREY)
            people = [point.people for point in curve.points]
            for point in curve.points:
                axes.plot([point.people] * 2, [point.low, point.high], color=color, lw=2, alpha=0.5)
            means = [point.mean for point in curve.points]
            axes.plot(people, means, "o", color=color, ms=5, label=representation_label(name))
            known = [point for point in curve.fitted if point.people <= max(people)]
            for part, style in ((known, "-"), ([*known[-1:], *curve.fitted[len(known) :]], "--")):
                at = [point.people for point in part]
                axes.plot(at, [point.mean for point in part], style, color=color, lw=1)
                bounds = [p.low for p in part], [p.high for p in part]
                axes.fill_between(at, *bounds, color=color, alpha=0.1, lw=0)
        axes.set_xscale("log")
        # Not left to matplotlib, which finds no limits where intervals are not known.
        every = [p.people for curve in curves.values() for p in (*curve.points, *curve.fitted)]
        axes.set_xlim(0.9 * min(every), 1.1 * max(every))
        axes.set_xlabel("people in pretraining (dashed: extrapolated)", color=GREY)
        axes.set_ylabel(metric, color=GREY)
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return svg(figure, f"{metric} against people in pretraining")

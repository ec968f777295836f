"""Figures of the report, as SVG elements inside the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd

# On import matplotlib reads a matplotlibrc in the working folder, which may be anybody's.
with chdir(Path(__file__).parent):
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

from semantoks.report.names import BASELINES, is_baseline, representation_label
from semantoks.report.privacy import rounded
from semantoks.scores.benchmark.comparison import CurvePoint, DurationPoint, Summary

BLUE, GREY, RED, GREEN = "#1f5fa8", "#7a828c", "#b3402e", "#3c8a5c"
INK = "#22272e"
MOTION_BARS = 40
MINUTE_DECIMALS = 1  # also of the table below the figure
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": INK,
    "svg.fonttype": "none",  # text instead of outlines: smaller, and can be searched
    "svg.hashsalt": "semantoks",  # ids of elements are the same in every run
}


def as_svg(figure: Figure) -> str:
    """Render without a time stamp, so that the same scores give the same bytes."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    text = buffer.getvalue()
    # An XML declaration and a doctype are not allowed inside HTML.
    return text[text.index("<svg") :]


def scores_figure(scores: Mapping[str, Summary], label: str) -> str:
    """Draw the mean and 95 % interval of each representation.

    Parameters
    ----------
    scores : mapping of str to Summary
        By representation, from top to bottom. A dashed line marks that of ``chance``.
    label : str
        Name of the metric.
    """
    with mpl.rc_context(STYLE):
        # Figure and not pyplot, which keeps every figure in memory until it is closed.
        figure = Figure(figsize=(8.6, 0.5 + 0.42 * len(scores)))
        axes = figure.add_subplot()
        for height, (name, score) in enumerate(reversed(list(scores.items()))):
            color = GREY if is_baseline(name) else BLUE
            axes.plot([score.low, score.high], [height, height], color=color, lw=2.5, alpha=0.5)
            axes.plot(score.mean, height, "o", color=color, ms=8)
            # Chance predicts a constant, with which nothing correlates: its r is unknown.
            if name == "chance" and np.isfinite(score.mean):
                axes.axvline(score.mean, color=GREY, ls="--", lw=1, zorder=0)
        labels = [representation_label(name) for name in scores]
        axes.set_yticks(range(len(scores)), labels[::-1])
        axes.set_ylim(-0.6, len(scores) - 0.4)
        axes.set_xlabel(f"{label} (mean and 95 % interval over splits)", color=GREY)
        # savefig reads the svg.* settings, so it is called inside the context.
        return as_svg(figure)


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
        figure = Figure(figsize=(8.6, 2.8))
        axes = figure.add_subplot()
        models = [name for name in curves if name not in BASELINES]
        colors = dict(zip(models, (BLUE, GREEN, RED), strict=False)) | {baseline: INK}
        for name, curve in curves.items():
            color, style = colors.get(name, GREY), "--" if name in BASELINES else "-"
            label = representation_label(name)
            axes.plot(*zip(*curve, strict=True), style, marker="o", ms=4, color=color, label=label)
        axes.set_xscale("log")
        ticks = sorted({x for curve in curves.values() for x, _ in curve})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        # A log axis of less than a decade labels its minor ticks, which would overlap ours.
        axes.minorticks_off()
        axes.set_xlabel(x_label, color=GREY)
        axes.set_ylabel(metric, color=GREY)
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return as_svg(figure)


def motion_counts(
    scans: pd.DataFrame, limit: float, smallest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Count scans by head motion, in `MOTION_BARS` bars from 0 to twice the limit.

    Parameters
    ----------
    scans : DataFrame
        ``participant_id`` and ``mean_fd`` (mean framewise displacement, mm) of each scan. The last
        bar counts everything beyond it, too.
    limit : float
        Scans with more motion are excluded, mm.
    smallest : int
        With more than 1, to protect privacy, bars of fewer participants are set to zero, and the
        others are rounded: the sum of exact bars would be the number of all scans.

    Returns
    -------
    counts : ndarray of int, shape (bars,)
    edges : ndarray, shape (bars + 1,)
    """
    edges = np.linspace(0, 2 * limit, MOTION_BARS + 1)
    table = scans.assign(mean_fd=np.clip(scans["mean_fd"], 0, edges[-1]))
    # Values are clipped to the last edge, which `right=False` leaves out of the last bar.
    bar = pd.cut(table["mean_fd"], edges, right=False, labels=False).fillna(MOTION_BARS - 1)
    bars = table.groupby(bar)["participant_id"].agg(["size", "nunique"])
    bars = bars.reindex(range(MOTION_BARS))
    counts = bars["size"].where(bars["nunique"] >= smallest, 0).fillna(0).to_numpy(int)
    if smallest > 1:
        counts = np.array([rounded(count) for count in counts])
    return counts, edges


def motion_figure(scans: pd.DataFrame, limit: float, smallest: int = 1) -> str:
    """Draw a histogram of head motion with the limit; parameters as for `motion_counts`."""
    counts, edges = motion_counts(scans, limit, smallest)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 1.9))
        axes = figure.add_subplot()
        axes.bar(edges[:-1], counts, np.diff(edges) * 0.9, align="edge", color=BLUE)
        axes.axvline(limit, color=RED, ls="--", lw=1.2)
        axes.annotate(
            f"excluded above {limit:g} mm",
            (limit, axes.get_ylim()[1]),
            xytext=(5, 0),
            textcoords="offset points",
            color=RED,
            va="top",
        )
        axes.set_xlim(0, edges[-1])
        axes.set_xlabel(
            f"mean framewise displacement of a scan (mm); the last bar is {edges[-2]:g} and more",
            color=GREY,
        )
        axes.set_ylabel("scans", color=GREY)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return as_svg(figure)


PANELS = {
    "loss": {"loss": "total", "cls": "scan", "ttr": "regulariser", "token": "masked tokens"},
    "effective rank": {"student_effective_rank": "student", "teacher_effective_rank": "teacher"},
    "token cosine": {"student_token_cosine": "student", "teacher_token_cosine": "teacher"},
}


def training_figure(metrics: pd.DataFrame) -> str:
    """Draw the loss, its terms and the indicators of collapse over epochs."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 2.5))
        for number, (title, lines) in enumerate(PANELS.items(), 1):
            axes = figure.add_subplot(1, len(PANELS), number)
            for (column, name), color in zip(lines.items(), (BLUE, RED, GREY, GREEN), strict=False):
                # A loss term of exactly zero was inactive: the regulariser after its decay, or an
                # epoch without masked steps.
                values = metrics[column].where(metrics[column] != 0)
                axes.plot(metrics["epoch"], values, color=color, lw=1.6, label=name)
            axes.set_title(title, fontsize=10, loc="left")
            axes.set_xlabel("epoch", color=GREY)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(frameon=False, fontsize=8)
        figure.subplots_adjust(wspace=0.3)
        return as_svg(figure)

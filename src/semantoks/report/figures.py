"""Figures of the report, as SVG that stands inside the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from semantoks.report.names import PLAIN, representation

BLUE, GREY, RED, GREEN = "#1f5fa8", "#7a828c", "#b3402e", "#3c8a5c"
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": "#22272e",
    "svg.fonttype": "none",
    "svg.hashsalt": "semantoks",
}


def _svg(figure: Figure) -> str:
    """Render without a time stamp, so that the same scores give the same page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def scores_figure(rows: Sequence[dict[str, Any]], metric: str, label: str) -> str:
    """Draw mean and 95 % interval of each representation; a dashed line where chance is."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 0.5 + 0.42 * len(rows)))
        axes = figure.add_subplot()
        for place, row in enumerate(reversed(rows)):
            value = row[metric]
            plain = row["representation"] in PLAIN
            color = GREY if plain else BLUE
            axes.plot([value["low"], value["high"]], [place, place], color=color, lw=2.5, alpha=0.5)
            axes.plot(value["mean"], place, "o", color=color, ms=8)
            if row["representation"] == "chance":
                axes.axvline(value["mean"], color=GREY, ls="--", lw=1, zorder=0)
        labels = [representation(row["representation"]) for row in rows]
        axes.set_yticks(range(len(rows)), labels[::-1])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(f"{label} (mean and 95 % interval over splits)", color=GREY)
        return _svg(figure)


def curves_figure(curves: Mapping[str, Sequence[dict[str, float]]], label: str) -> str:
    """Draw the score against the number of people trained on."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 2.8))
        axes = figure.add_subplot()
        models = [name for name in curves if name not in PLAIN]
        colors = dict(zip(models, (BLUE, GREEN, RED), strict=False)) | {"fc": "#22272e"}
        for name, curve in curves.items():
            sizes = [point["train_people"] for point in curve]
            means = np.array([point["mean"] for point in curve])
            color, style = colors.get(name, GREY), "--" if name in PLAIN else "-"
            axes.plot(
                sizes, means, style, marker="o", ms=4, color=color, label=representation(name)
            )
        axes.set_xscale("log")
        ticks = sorted({round(point["train_people"]) for c in curves.values() for point in c})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("people trained on", color=GREY)
        axes.set_ylabel(label, color=GREY)
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure)


def motion_counts(
    scans: pd.DataFrame, limit: float, smallest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Count scans by how much they moved, in forty bars up to twice the limit.

    Parameters
    ----------
    scans : DataFrame
        ``participant_id`` and ``mean_fd`` (mean framewise displacement, mm) of each scan; what is
        beyond the last bar counts in it.
    limit : float
        From where scans are excluded, mm.
    smallest : int
        Bars of fewer people are left out.

    Returns
    -------
    counts, edges : ndarray
    """
    edges = np.linspace(0, 2 * limit, 41)
    table = scans.assign(mean_fd=np.clip(scans["mean_fd"], 0, edges[-1]))
    table["bar"] = pd.cut(table["mean_fd"], edges, right=False, labels=False).fillna(39)
    bars = table.groupby("bar")["participant_id"].agg(["size", "nunique"]).reindex(range(40))
    counts = bars["size"].where(bars["nunique"] >= smallest, 0).fillna(0).to_numpy(int)
    return counts, edges


def motion_figure(scans: pd.DataFrame, limit: float, smallest: int = 1) -> str:
    """Draw how much each scan moved, and where scans are excluded; as for `motion_counts`."""
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
            f"mean framewise displacement of a scan (mm), the last bar: {edges[-2]:g} and more",
            color=GREY,
        )
        axes.set_ylabel("scans", color=GREY)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return _svg(figure)


PANELS = {
    "loss": {"loss": "total", "cls": "scan", "ttr": "regulariser", "token": "masked tokens"},
    "effective rank": {"student_effective_rank": "student", "teacher_effective_rank": "teacher"},
    "token cosine": {"student_token_cosine": "student", "teacher_token_cosine": "teacher"},
}


def training_figure(metrics: pd.DataFrame) -> str:
    """Draw the loss and its terms, and the signs of collapse, over epochs."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.2, 2.5))
        for place, (title, lines) in enumerate(PANELS.items(), 1):
            axes = figure.add_subplot(1, len(PANELS), place)
            for (column, name), color in zip(lines.items(), (BLUE, RED, GREY, GREEN), strict=False):
                # A term of exactly zero was off: the regulariser later on, or no masked step.
                values = metrics[column].where(metrics[column] != 0)
                axes.plot(metrics["epoch"], values, color=color, lw=1.6, label=name)
            axes.set_title(title, fontsize=10, loc="left")
            axes.set_xlabel("epoch", color=GREY)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(frameon=False, fontsize=8)
        figure.subplots_adjust(wspace=0.3)
        return _svg(figure)

"""Distributions of scans and people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semantoks.report.figures.style import BLUE, GREY, RED, STYLE, Figure, mpl, svg
from semantoks.report.privacy import rounded

BARS = 30


@dataclass(frozen=True)
class Measure:
    """A measure of scans whose distribution is drawn.

    Attributes
    ----------
    column : str
        Of the table of scans.
    label : str
        With its unit.
    limit : float or None
        Scans beyond it are excluded.
    is_minimum : bool
        Whether smaller or larger values are excluded.
    top : float or None
        Right edge; None: above nearly all values.
    """

    column: str
    label: str
    limit: float | None = None
    is_minimum: bool = False
    top: float | None = None


def bar_counts(
    table: pd.DataFrame, column: str, top: float, smallest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Count rows by a number, in `BARS` bars from 0 to `top`.

    Parameters
    ----------
    table : DataFrame
        ``participant_id`` and the column; rows without a value are left out. The last bar counts
        everything beyond it, too.
    column : str
    top : float
        Right edge of the last bar.
    smallest : int
        With more than 1, to protect privacy, bars of fewer participants are set to zero, and the
        others are rounded: the sum of exact bars would be the number of all scans.

    Returns
    -------
    counts : ndarray of int, shape (bars,)
    edges : ndarray, shape (bars + 1,)
    """
    edges = np.linspace(0, top, BARS + 1)
    table = table.dropna(subset=column)
    values = np.clip(table[column].astype(float), 0, top)
    # Values are clipped to the last edge, which `right=False` leaves out of the last bar.
    bar = pd.cut(values, edges, right=False, labels=False).fillna(BARS - 1)
    bars = table.groupby(bar)["participant_id"].agg(["size", "nunique"]).reindex(range(BARS))
    counts = bars["size"].where(bars["nunique"] >= smallest, 0).fillna(0).to_numpy(int)
    if smallest > 1:
        counts = np.array([rounded(count) for count in counts])
    return counts, edges


def distributions_figure(
    scans: pd.DataFrame, measures: list[Measure], smallest: int = 1
) -> str | None:
    """Draw a histogram of each measure with its limit; None if none was measured.

    Parameters
    ----------
    scans : DataFrame
        Included and excluded scans.
    measures : list of Measure
        Those that are in the table with any value are drawn.
    smallest : int
        As for `bar_counts`.
    """
    known = [m for m in measures if m.column in scans and scans[m.column].notna().any()]
    if not known:
        return None
    with mpl.rc_context(STYLE):
        columns = min(len(known), 3)
        rows = math.ceil(len(known) / columns)
        figure = Figure(figsize=(3.4 * columns, 1.9 * rows))
        for number, measure in enumerate(known, 1):
            axes = figure.add_subplot(rows, columns, number)
            _draw_measure(axes, scans, measure, smallest)
        figure.subplots_adjust(wspace=0.3, hspace=0.65)
        names = ", ".join(measure.label for measure in known)
        return svg(figure, f"Number of scans by {names}, with the limits of exclusion")


def _draw_measure(
    axes: mpl.axes.Axes, scans: pd.DataFrame, measure: Measure, smallest: int
) -> None:
    top = measure.top or round_up(float(scans[measure.column].quantile(0.99)))
    counts, edges = bar_counts(scans, measure.column, top, smallest)
    axes.bar(edges[:-1], counts, np.diff(edges) * 0.9, align="edge", color=BLUE)
    axes.set_xlim(0, top)
    axes.set_xlabel(measure.label)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(3, integer=True))
    if measure.limit is not None and measure.limit <= top:
        axes.axvline(measure.limit, color=RED, ls="--", lw=1.2)
        sign = "<" if measure.is_minimum else ">"
        axes.set_title(f"excluded {sign} {measure.limit:g}", fontsize=8, loc="right", color=RED)


def round_up(value: float) -> float:
    """Next of 1, 1.5, 2, 3, 5, 7 and 10 times a power of ten: an edge that is of no scan."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step for step in (1, 1.5, 2, 3, 5, 7, 10) if step * power >= value) * power


def groups_figure(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Draw numbers of participants as horizontal bars.

    Parameters
    ----------
    counts : mapping of str to (mapping of str to int)
        By title of a panel and name of a bar.
    """
    with mpl.rc_context(STYLE):
        bars = max(len(panel) for panel in counts.values())
        figure = Figure(figsize=(min(3.4 * len(counts), 10.2), 0.6 + 0.24 * bars))
        for number, (title, panel) in enumerate(counts.items(), 1):
            axes = figure.add_subplot(1, len(counts), number)
            names = list(panel)[::-1]
            axes.barh(range(len(names)), [panel[name] for name in names], color=BLUE)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - bars - 0.5, len(names) - 0.5)
            axes.set_title(title, fontsize=10, loc="left")
            axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4, integer=True))
            axes.set_xlabel("participants", color=GREY)
        figure.tight_layout(w_pad=2)
        return svg(figure, f"Number of participants by {', '.join(counts)}")

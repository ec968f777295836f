"""The figure on top of the page: models against the best connectivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semantoks.report.figures.style import BLUE, GREY, INK, STYLE, WIDTH, axes_of, mpl, svg

# Marker and whether it is filled, by verdict: they differ without colour, too.
LOOKS = {"above baseline": (">", True), "below baseline": ("<", True)}
UNCLEAR = ("o", False)


@dataclass(frozen=True)
class Contrast:
    """Difference of a model from its baseline on one phenotype.

    Attributes
    ----------
    group : str
        Phenotype and metric, the same for all its models.
    label : str
        Name of the representation.
    mean, low, high : float
        Difference and its 95 % interval, NaN where it is not known.
    verdict : str
    """

    group: str
    label: str
    mean: float
    low: float
    high: float
    verdict: str


def contrasts_figure(contrasts: Sequence[Contrast], baseline: str) -> str:
    """Draw differences from the baseline with their intervals, grouped by phenotype."""
    groups = list(dict.fromkeys(contrast.group for contrast in contrasts))
    height, places, titles = 0, list[tuple[int, Contrast]](), list[tuple[int, str]]()
    for group in groups:
        titles.append((height, group))
        for contrast in contrasts:
            if contrast.group == group:
                height += 1
                places.append((height, contrast))
        height += 2
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(WIDTH, 0.6 + 0.24 * height)
        axes.axvline(0, color=INK, lw=1)
        for place, contrast in places:
            marker, is_filled = LOOKS.get(contrast.verdict, UNCLEAR)
            color = BLUE if is_filled else GREY
            axes.plot([contrast.low, contrast.high], [place, place], color=color, lw=2)
            axes.plot(
                contrast.mean, place, marker, color=color, ms=8, mfc=color if is_filled else "none"
            )
        axes.set_yticks([place for place, _ in places], [item.label for _, item in places])
        for place, title in titles:
            axes.text(
                0,
                place,
                title,
                transform=axes.get_yaxis_transform(),
                fontweight="bold",
                va="center",
            )
        axes.set_ylim(height - 1.3, -0.6)
        reach = np.nanmax(np.abs([(c.mean, c.low, c.high) for _, c in places]), initial=0.05)
        axes.set_xlim(-1.08 * reach, 1.08 * reach)
        axes.set_xlabel(f"← {baseline} is better | difference | the model is better →")
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        return svg(figure, f"Difference of each model from {baseline}, with 95 % intervals")

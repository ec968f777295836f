"""Curves of training."""

from __future__ import annotations

import pandas as pd

from semantoks.report.figures.style import BLUE, GREEN, GREY, RED, STYLE, Figure, mpl, svg

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
            looks = zip((BLUE, RED, GREY, GREEN), ("-", "--", ":", "-."), strict=True)
            for (column, name), (color, style) in zip(lines.items(), looks, strict=False):
                # A loss term of exactly zero was inactive: the regulariser after its decay, or an
                # epoch without masked steps.
                values = metrics[column].where(metrics[column] != 0)
                axes.plot(metrics["epoch"], values, style, color=color, lw=1.6, label=name)
            axes.set_title(title, fontsize=10, loc="left")
            axes.set_xlabel("epoch", color=GREY)
            axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
            axes.legend(frameon=False, fontsize=8)
        figure.subplots_adjust(wspace=0.3)
        return svg(figure, "Loss, effective rank and token cosine over epochs")

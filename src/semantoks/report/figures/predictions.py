"""What was predicted of participants: ROC curves, predicted against true numbers, sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semantoks.report.figures.style import (
    BLUE,
    GREY,
    INK,
    STYLE,
    WIDTH,
    Figure,
    axes_of,
    mpl,
    svg,
)
from semantoks.report.names import representation_label

MANY_POINTS = 400  # of a scatter; more are drawn as an image, which keeps the page small
LOOKS = ((BLUE, "-", "o"), (INK, "--", "s"))  # of the model and the baseline


def mean_roc(predictions: pd.DataFrame, rates: np.ndarray, positive: str) -> np.ndarray:
    """Average the ROC curves of all splits at given false-positive rates.

    Parameters
    ----------
    predictions : DataFrame
        ``split``, ``target`` and ``probabilities`` of two classes.
    rates : ndarray, shape (n,)
        False-positive rates.
    positive : str
        The second class, whose probability is the second.

    Returns
    -------
    ndarray, shape (n,)
        True-positive rates of the second class.
    """
    # Imported here: it takes seconds, and only pages that show participants have these curves.
    from sklearn.metrics import roc_curve

    curves = []
    for _, split in predictions.groupby("split"):
        truth = (split["target"] == positive).to_numpy()
        if truth.any() and not truth.all():
            false, true, _ = roc_curve(truth, [values[1] for values in split["probabilities"]])
            curves.append(np.interp(rates, false, true))
    return np.mean(curves, axis=0)


def roc_figure(predictions: Mapping[str, pd.DataFrame], positive: str) -> str:
    """Draw the mean ROC curve of each representation, the first of them a model."""
    with mpl.rc_context(STYLE):
        figure, axes = axes_of(4.2, 3.6)
        rates = np.linspace(0, 1, 101)
        axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
        for (name, table), (color, style, _) in zip(predictions.items(), LOOKS, strict=False):
            true = mean_roc(table, rates, positive)
            # From the corner: at a rate of 0, some positives are found already.
            axes.plot(
                [0, *rates], [0, *true], style, color=color, lw=2, label=representation_label(name)
            )
        axes.set_xlabel("false-positive rate")
        axes.set_ylabel("true-positive rate")
        axes.set_title(f"finding “{positive}”, mean over splits", fontsize=10, loc="left")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        return svg(figure, f"ROC curves of {', '.join(map(representation_label, predictions))}")


def scatter_figure(predictions: Mapping[str, pd.DataFrame]) -> str:
    """Draw predicted against true numbers, the mean of the predictions of each participant."""
    with mpl.rc_context(STYLE | {"savefig.dpi": 150}):
        figure = Figure(figsize=(WIDTH, 3.4))
        axes = None
        for number, (name, table) in enumerate(predictions.items(), 1):
            axes = figure.add_subplot(1, len(predictions), number, sharey=axes)
            people = table.groupby("participant_id")[["target", "predicted"]].mean()
            color, _, marker = LOOKS[number - 1]
            axes.scatter(
                people["target"],
                people["predicted"],
                s=14,
                c=color,
                marker=marker,
                alpha=0.6,
                linewidths=0,
                rasterized=len(people) > MANY_POINTS,
            )
            axes.axline((people["target"].mean(),) * 2, slope=1, color=GREY, lw=1, ls=":")
            axes.set_title(representation_label(name), fontsize=10, loc="left")
            axes.set_xlabel("true")
            axes.set_ylabel("predicted" if number == 1 else "")
        figure.subplots_adjust(wspace=0.2)
        return svg(figure, "Predicted against true numbers, a point per participant")


def confusion_figure(predictions: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> str:
    """Draw the shares of predicted classes by true class, in the order of `classes`."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.4))
        for number, (name, table) in enumerate(predictions.items(), 1):
            axes = figure.add_subplot(1, len(predictions), number)
            shares = pd.crosstab(table["target"], table["predicted"], normalize="index")
            shares = shares.reindex(index=classes, columns=classes, fill_value=0)
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            for (row, column), share in np.ndenumerate(shares.to_numpy()):
                color = "white" if share > 0.6 else "black"
                axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=color)
            axes.set_xticks(range(len(shares)), shares.columns, rotation=30, ha="right")
            axes.set_yticks(range(len(shares)), shares.index)
            axes.set_title(representation_label(name), fontsize=10, loc="left")
            axes.set_xlabel("predicted")
            axes.set_ylabel("true" if number == 1 else "")
        figure.subplots_adjust(wspace=0.4)
        return svg(figure, "Share of each predicted class by true class")


def sites_figure(scores: Mapping[str, pd.Series], metric: str) -> str:
    """Draw the score on each site that was left out.

    Parameters
    ----------
    scores : mapping of str to Series
        By representation, the score by site.
    metric : str
        Name of the metric.
    """
    with mpl.rc_context(STYLE):
        sites = list(next(iter(scores.values())).sort_index(ascending=False).index)
        figure, axes = axes_of(WIDTH, 0.6 + 0.24 * len(sites))
        for (name, series), (color, _, marker) in zip(scores.items(), LOOKS, strict=False):
            label, places = representation_label(name), range(len(sites))
            axes.plot(
                series.reindex(sites), places, marker, color=color, ms=6, mfc="none", label=label
            )
        axes.set_yticks(range(len(sites)), sites)
        axes.grid(axis="y", color=GREY, alpha=0.25)
        axes.set_xlabel(f"{metric} on the site that is left out")
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        return svg(figure, f"{metric} on each site that is left out")

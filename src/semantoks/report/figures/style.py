"""How the figures look: colours that follow those of the page, labels for screen readers."""

from __future__ import annotations

import io
import re
from contextlib import chdir
from pathlib import Path

from markupsafe import escape

# On import matplotlib reads a matplotlibrc in the working folder, which may be anybody's.
with chdir(Path(__file__).parent):
    import matplotlib as mpl
    import matplotlib.axes
    import matplotlib.ticker
    from matplotlib.figure import Figure

__all__ = ["STYLE", "WIDTH", "Figure", "axes_of", "mpl", "svg"]

BLUE, GREY, RED, GREEN = "#1f5fa8", "#7a828c", "#b3402e", "#3c8a5c"
INK = "#22272e"
# Variables of the page's style sheet, which has others for a dark screen.
VARIABLES = {BLUE: "--blue", GREY: "--mute", RED: "--red", GREEN: "--green", INK: "--ink"}
WIDTH = 8.6  # inches; the page shrinks figures to its width
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # whose widths the layout is for
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": INK,
    "figure.facecolor": "none",  # that of the page
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.parse_math": False,  # names of phenotypes and sites may have a $
    "svg.fonttype": "none",  # text instead of outlines: smaller, and can be searched
    "svg.hashsalt": "semantoks",  # ids of elements are the same in every run
}


def svg(figure: Figure, label: str) -> str:
    """Render without a time stamp, so that the same scores give the same bytes.

    Parameters
    ----------
    figure : Figure
    label : str
        What it shows, for those who do not see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    text = buffer.getvalue()
    # An XML declaration and a doctype are not allowed inside HTML.
    text = _compact(text[text.index("<svg") :]).replace(
        "<svg", f'<svg role="img" aria-label="{escape(label)}"', 1
    )
    # Within a style, where a variable may stand.
    return re.sub(
        "|".join(VARIABLES), lambda match: f"var({VARIABLES[match[0]]}, {match[0]})", text
    )


def _compact(text: str) -> str:
    """Leave out what draws nothing, half of the text of a figure; a page has many."""
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r"#(\w+)", text))
    # Ids that nothing refers to are also the same in all figures.
    text = re.sub(r' id="([\w.]+)"', lambda match: match[0] if match[1] in used else "", text)
    text = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", text)
    return re.sub(r"\s*\n\s*", "\n", text)


def axes_of(width: float, height: float) -> tuple[Figure, mpl.axes.Axes]:
    """Make a figure with one pair of axes; pyplot would keep it in memory until it is closed."""
    figure = Figure(figsize=(width, height))
    return figure, figure.add_subplot()

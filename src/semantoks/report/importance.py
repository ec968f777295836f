"""Sections of the page on what scores lose without each network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from semantoks.config import Report
from semantoks.report.figures.effects import losses_figure
from semantoks.report.names import METRICS
from semantoks.report.steps import Steps
from semantoks.scores.benchmark.comparison import Comparison, Difference, SchemeResult
from semantoks.scores.network_importance.table import read_losses

PAIRS = 8  # that are listed
HOW = ("left_out", "shuffled")


@dataclass(frozen=True)
class Loss:
    """What a score loses without one network or pair, left out and shuffled."""

    label: str
    left_out: Difference
    shuffled: Difference


@dataclass(frozen=True)
class RepresentationLosses:
    """Losses of one representation.

    Attributes
    ----------
    representation : str
    score : float
        With all networks.
    figure : str
        Bars of the networks, SVG.
    networks, pairs : list of Loss
        From the largest; of pairs those with the largest losses.
    map : str
        PNG on the brain as a data URI; empty if there is none.
    """

    representation: str
    score: float
    figure: str
    networks: list[Loss]
    pairs: list[Loss]
    map: str


@dataclass(frozen=True)
class ImportanceSection:
    """Losses of all representations that were asked on a phenotype."""

    dataset: str
    phenotype: str
    metric: str
    scheme: str
    splits: int
    rows: list[RepresentationLosses]


def importance_sections(
    paths: Sequence[Path],
    maps: Sequence[Path],
    comparisons: Sequence[Comparison],
    settings: Report,
) -> list[ImportanceSection]:
    """Read the losses of each phenotype that was asked, in the order of the scores.

    Parameters
    ----------
    paths : sequence of Path
        ``<dataset>/<phenotype>/<representation>.tsv`` that `network_importance` wrote.
    maps : sequence of Path
        Folders that `brain_maps` wrote, named after their data sets.
    comparisons : sequence of Comparison
        Rounded already if the report protects participants.
    settings : Report
    """
    map_of = {path.name: path for path in maps}
    sections = []
    for comparison in comparisons:
        task = comparison.dataset, comparison.phenotype
        of_task = [p for p in paths if (p.parent.parent.name, p.parent.name) == task]
        tables = {path.stem: _first_scheme(path) for path in of_task}
        if not tables:
            continue
        scheme = comparison.schemes[0]
        steps = None if settings.participants else Steps.of_scheme(scheme, comparison.people)
        folder = map_of.get(comparison.dataset)
        sections.append(_section(comparison, scheme, tables, steps, folder))
    return sections


def connectomes(maps: Sequence[Path]) -> dict[str, str]:
    """Return the figure of the mean connectome of each data set, as a data URI."""
    return {path.name: data_uri(path / "connectome.png") for path in maps}


def data_uri(path: Path) -> str:
    """Write an image into the page itself; empty if there is none."""
    if not path.exists():
        return ""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"


def _first_scheme(path: Path) -> pd.DataFrame:
    """Read the losses over random or fixed splits, or over sites where there are no others."""
    table = read_losses(path)
    return table[table["scheme"] == table["scheme"].iloc[0]]


def _section(
    comparison: Comparison,
    scheme: SchemeResult,
    tables: Mapping[str, pd.DataFrame],
    steps: Steps | None,
    maps: Path | None,
) -> ImportanceSection:
    """Gather the losses of a phenotype, by representation."""
    metric = next(iter(tables.values()))["metric"].iloc[0]
    rows = []
    for name, table in tables.items():
        losses = [_loss(row, metric, steps) for row in table.to_dict("records")]
        networks = [loss for loss, other in zip(losses, table["other"], strict=True) if not other]
        pairs = [loss for loss, other in zip(losses, table["other"], strict=True) if other]
        bars = {loss.label: (loss.left_out, loss.shuffled) for loss in networks}
        score = Difference(baseline="", mean=table["score"].iloc[0], low=0, high=0, p=1)
        rows.append(
            RepresentationLosses(
                representation=name,
                score=_rounded(score, metric, steps).mean,
                figure=losses_figure(bars, METRICS[metric]),
                networks=networks,
                pairs=pairs[:PAIRS],
                map=data_uri(maps / comparison.phenotype / f"{name}.png") if maps else "",
            )
        )
    return ImportanceSection(
        comparison.dataset, comparison.phenotype, metric, scheme.scheme, scheme.splits, rows
    )


def _loss(row: Mapping[str, object], metric: str, steps: Steps | None) -> Loss:
    """Read one row of a table of losses."""
    network, other = str(row["network"]), str(row["other"])
    label = network
    if other:
        label = f"within {network}" if other == network else f"{network} – {other}"
    differences = []
    for how in HOW:
        values = {key: row[f"{how}_{key}"] for key in ("low", "high", "p")}
        difference = Difference.model_validate(
            {"baseline": label, "mean": row[f"{how}_loss"], **values}
        )
        differences.append(_rounded(difference, metric, steps))
    return Loss(label, *differences)


def _rounded(difference: Difference, metric: str, steps: Steps | None) -> Difference:
    if steps is None:
        return difference
    return difference.model_copy(update=steps.rounded(difference, metric))

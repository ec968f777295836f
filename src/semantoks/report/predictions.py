"""Figures of single predictions, which are drawn only where participants may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table
from semantoks.report.classes import class_order
from semantoks.report.figures.predictions import (
    confusion_figure,
    roc_figure,
    scatter_figure,
    sites_figure,
)
from semantoks.report.names import METRICS, is_baseline
from semantoks.scores.benchmark.comparison import Comparison

ENDING = "_predictions"
MOST_CLASSES = 8


@dataclass(frozen=True)
class PredictionFigures:
    """Figures of one phenotype; None where there is nothing to draw."""

    predictions: str | None = None
    sites: str | None = None


@dataclass(frozen=True)
class ScoreFiles:
    """Files of scores and predictions by data set, phenotype and representation."""

    scores: Mapping[tuple[str, str, str], Path]
    predictions: Mapping[tuple[str, str, str], Path]

    @classmethod
    def of_paths(cls, scores: Sequence[Path], predictions: Sequence[Path]) -> ScoreFiles:
        """Sort files by their folders, ``<dataset>/<phenotype>/<representation>.parquet``."""
        return cls(
            {_key(path): path for path in scores}, {_key(path): path for path in predictions}
        )

    def figures(self, comparison: Comparison) -> PredictionFigures:
        """Draw the model with the highest score beside its baseline, as far as there are files."""
        return PredictionFigures(
            predictions=_predictions(self._read(self.predictions, comparison), comparison),
            sites=_sites(self._read(self.scores, comparison), comparison),
        )

    def _read(
        self, files: Mapping[tuple[str, str, str], Path], comparison: Comparison
    ) -> dict[str, pd.DataFrame]:
        place = comparison.dataset, comparison.phenotype
        tables = {}
        for name in _shown(comparison, {key[2] for key in files if key[:2] == place}):
            tables[name] = read_table(files[(*place, name)])
        return tables


def _key(path: Path) -> tuple[str, str, str]:
    return path.parents[1].name, path.parent.name, path.stem.removesuffix(ENDING)


def _shown(comparison: Comparison, names: set[str]) -> list[str]:
    """Choose the model with the highest score, and the baseline."""
    means = {
        row.representation: row.metrics[comparison.metric].mean
        for row in comparison.schemes[0].representations
    }
    models = [n for n in means if n in names and not is_baseline(n) and means[n] == means[n]]
    best = [max(models, key=means.__getitem__)] if models else []
    return [*best, *(name for name in [comparison.baseline] if name in names)]


def _predictions(tables: dict[str, pd.DataFrame], comparison: Comparison) -> str | None:
    """Draw predictions over random or fixed splits; sites have a figure of their own."""
    scheme = comparison.schemes[0].scheme
    tables = {
        name: table[table["split"].str.startswith(f"{scheme} ")] for name, table in tables.items()
    }
    tables = {name: table for name, table in tables.items() if len(table)}
    if not tables:
        return None
    if comparison.kind == "regression":
        return scatter_figure(tables)
    tested = {str(value) for table in tables.values() for value in table["target"]}
    classes = class_order(comparison, tested)
    if len(classes) == 2:
        return roc_figure(tables, classes[1])
    return confusion_figure(tables, classes) if len(classes) <= MOST_CLASSES else None


def _sites(tables: dict[str, pd.DataFrame], comparison: Comparison) -> str | None:
    metric = comparison.metric
    by_site = {}
    for name, table in tables.items():
        whole = table[(table["scheme"] == "site") & (table["fraction"] == 1)]
        known = whole.groupby("held_out")[metric].mean().dropna()
        if len(known):
            by_site[name] = known
    return sites_figure(by_site, METRICS[metric]) if by_site else None

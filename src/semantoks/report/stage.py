"""Write the report: one self-contained HTML page, and its scores as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic, read_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import Config, Model, Parcellation
from semantoks.report.boilerplate.methods import methods
from semantoks.report.cards import card_section
from semantoks.report.datasets import dataset_section, sample_text
from semantoks.report.figures.training import training_figure
from semantoks.report.importance import connectomes, importance_sections
from semantoks.report.overlap import overlaps
from semantoks.report.page import Made, ModelSection, Page, render
from semantoks.report.predictions import ScoreFiles
from semantoks.report.rounding import rounded_comparison
from semantoks.report.scaling import scaling_sections
from semantoks.report.score_table import score_table
from semantoks.report.settings import ReportSettings
from semantoks.report.summary import page_summary
from semantoks.report.tasks import task_sections
from semantoks.report.variants import VariantSection, rows_of_analyses, variant_sections
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.card.contents import Card
from semantoks.scores.vary.contents import Varied


def report(
    settings: ReportSettings,
    *,
    benchmarks: Sequence[Path],
    scans: Sequence[Path],
    metrics: Sequence[Path],
    cards: Sequence[Path],
    left_out: Sequence[Path] = (),
    confounds: Sequence[Path] = (),
    importance: Sequence[Path] = (),
    maps: Sequence[Path] = (),
    scaling: Sequence[Path] = (),
    variants: Sequence[Path] = (),
    scores: Sequence[Path] = (),
    predictions: Sequence[Path] = (),
    participants: Sequence[Path] = (),
    out: Path,
) -> list[Path]:
    """Write the report.

    Parameters
    ----------
    settings : ReportSettings
    benchmarks : sequence of Path
        Comparisons that `benchmark` wrote.
    scans : sequence of Path
        Tables of scans, ``<dataset>.parquet``.
    metrics : sequence of Path
        ``<model>/metrics.parquet`` of each model that was trained here.
    cards : sequence of Path
        Cards that `card` wrote, ``<dataset>/<representation>.json``.
    left_out : sequence of Path
        ``<dataset>/left_out.tsv`` that `index` wrote.
    confounds : sequence of Path
        ``<dataset>.parquet`` of the representation `confounds`.
    importance : sequence of Path
        ``<dataset>/<phenotype>/<representation>.tsv`` that `network_importance` wrote.
    maps : sequence of Path
        Folders ``<dataset>`` that `brain_maps` wrote.
    scaling : sequence of Path
        Curves that `scaling_curve` wrote.
    variants : sequence of Path
        Comparisons that `vary` wrote.
    scores, predictions : sequence of Path
        ``<dataset>/<phenotype>/<row>.parquet`` and ``<row>_predictions.parquet`` that `probe`
        wrote. They are drawn only if the report may show participants.
    participants : sequence of Path
        ``<dataset>/participants.parquet``, likewise.
    out : Path
        HTML.

    Returns
    -------
    list of Path
        `out`, and ``scores.tsv`` beside it.
    """
    config, shown = settings.config, settings.report
    comparisons = [Comparison.model_validate(read_json(path)) for path in benchmarks]
    # Before anything is drawn, since figures and tables of published scores contain counts.
    if not shown.participants:
        comparisons = [rounded_comparison(comparison) for comparison in comparisons]
    scan_tables = {path.stem: read_table(path) for path in scans}
    metrics_files = {path.parent.name: path for path in metrics}
    unmatched = {path.parent.name: pd.read_csv(path, sep="\t", dtype=str) for path in left_out}
    sources = {path.stem: read_metadata(path).get("sources") for path in confounds}
    people = {path.parent.name: read_table(path) for path in participants}
    shared = overlaps(scan_tables, config)
    training = {name: read_table(path) for name, path in metrics_files.items()}
    files = ScoreFiles.of_paths(scores, predictions)
    tasks = task_sections(comparisons, shared, training, config, shown, files)
    datasets = [
        dataset_section(
            name,
            table,
            config.datasets[name],
            _limits(config, name),
            shown,
            unmatched.get(name),
            sources.get(name),
            people.get(name),
        )
        for name, table in scan_tables.items()
    ]
    schemes = [scheme for comparison in comparisons for scheme in comparison.schemes]
    page = Page(
        summary=page_summary(tasks, config, shown),
        made=Made.of_inputs([*benchmarks, *scans]),
        methods=methods(
            config,
            {path.stem: read_metadata(path) for path in scans},
            has_motion=any(table["mean_fd"].notna().any() for table in scan_tables.values()),
            samples={section.name: sample_text(section, shown) for section in datasets},
            splits={s.splits for s in schemes if s.scheme == "random"},
            has_sites=any(s.scheme == "site" for s in schemes),
        ),
        tasks=tasks,
        overlaps=shared,
        cards=[
            card_section(name, of_dataset, comparisons, shown)
            for name in config.datasets
            if (of_dataset := _read_cards(name, cards))
        ],
        datasets=datasets,
        models=[_model(n, model, training.get(n)) for n, model in config.models.items()],
        importance=importance_sections(importance, maps, comparisons, shown),
        connectomes=connectomes(maps),
        scaling=scaling_sections(scaling, comparisons, shown),
        variants=variant_sections(
            [Varied.model_validate(read_json(path)) for path in variants], comparisons, shown
        ),
    )
    with atomic(out) as temporary:
        temporary.write_text(render(page, config, shown), encoding="utf-8")
    table = out.with_name("scores.tsv")
    _write_scores(table, comparisons, page.variants)
    return [out, table]


def _write_scores(
    out: Path, comparisons: Sequence[Comparison], variants: Sequence[VariantSection]
) -> None:
    """Write the scores of the main analysis and of all variants as a table."""
    varied = [variant.comparison for section in variants for variant in section.variants]
    table = score_table([*comparisons, *varied], rows_of_analyses(variants, comparisons))
    with atomic(out) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a")


def _limits(config: Config, dataset: str) -> Parcellation:
    """Thresholds of a data set: those for resting scans do not apply to runs of a task."""
    of_task = config.datasets[dataset].events is not None
    return config.parcellation.of_task_runs() if of_task else config.parcellation


def _read_cards(dataset: str, paths: Sequence[Path]) -> dict[str, Card]:
    """Read the cards of a data set, by representation."""
    of_dataset = [path for path in paths if path.parent.name == dataset]
    return {path.stem: Card.model_validate(read_json(path)) for path in of_dataset}


def _model(name: str, model: Model, metrics: pd.DataFrame | None) -> ModelSection:
    figure = training_figure(metrics) if metrics is not None and len(metrics) else None
    return ModelSection(name, model.checkpoint, figure)

"""Stages that draw: the report, pages of scans, maps and curves."""

from __future__ import annotations

from semantoks.commands.entries.options import LINK_TARGETS, SHARD, TIMESERIES
from semantoks.commands.stage import (
    Option,
    Stage,
    input_option,
    inputs_option,
    path_option,
    word_option,
)
from semantoks.report.brain_maps.settings import BrainMapsSettings
from semantoks.report.scaling_curve.settings import ScalingCurveSettings
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.settings import ReportSettings

REPORT = (
    Stage(
        "brain_maps",
        "report.brain_maps",
        "Draw the importance of networks on the brain, and the mean connectome by network.",
        BrainMapsSettings,
        "Folder of figures (PNG), and the mean connectome (TSV).",
        (
            inputs_option("importance", "Losses that `network_importance` wrote."),
            TIMESERIES,
            Option("atlas_image", "Label image of the atlas, if it has one.", "input", False),
            input_option("atlas_table", "Table of its regions."),
        ),
    ),
    Stage(
        "scaling_curve",
        "report.scaling_curve",
        "Draw scores against the number of people in pretraining.",
        ScalingCurveSettings,
        "Curves (JSON); a figure is written beside them (SVG).",
        (
            inputs_option("scores", "Scores that `probe` wrote, of wholes and parts."),
            inputs_option("models", "config.json of each model of a part of the people."),
            word_option("dataset", "Name of the data set in tables."),
        ),
    ),
    Stage(
        "scan_page",
        "report.scan_page",
        "Write a page with pictures of every scan of one shard.",
        ScanPageSettings,
        "HTML page.",
        (
            input_option("runs", "Time series of the shard that `parcellate` wrote."),
            SHARD,
            path_option("data", "Folder of derivatives, or of a data set that is not raw."),
            LINK_TARGETS,
        ),
    ),
    Stage(
        "report",
        "report",
        "Write the HTML report.",
        ReportSettings,
        "HTML page; scores.tsv is written beside it.",
        (
            inputs_option("benchmarks", "Comparisons that `benchmark` wrote."),
            inputs_option("scans", "Table of scans of each data set that `scans` wrote."),
            inputs_option("metrics", "metrics.parquet of each model trained here.", optional=True),
            inputs_option("cards", "Cards that `card` wrote.", optional=True),
            inputs_option("left_out", "left_out.tsv that `index` wrote.", optional=True),
            inputs_option(
                "confounds", "Representation `confounds` of each data set.", optional=True
            ),
            inputs_option("importance", "Losses that `network_importance` wrote.", optional=True),
            inputs_option("maps", "Folders that `brain_maps` wrote.", optional=True),
            inputs_option("scaling", "Curves that `scaling_curve` wrote.", optional=True),
            inputs_option("variants", "Comparisons that `vary` wrote.", optional=True),
            inputs_option("scores", "Scores that `probe` wrote, for those by site.", optional=True),
            inputs_option("predictions", "Predictions that `probe` wrote.", optional=True),
            inputs_option(
                "participants", "Tables of participants that `index` wrote.", optional=True
            ),
        ),
    ),
)

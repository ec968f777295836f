"""Stages from representations to scores."""

from __future__ import annotations

from semantoks.commands.entries.options import PARTICIPANTS, SCANS, TIMESERIES
from semantoks.commands.stage import Option, Stage, input_option, inputs_option, word_option
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.choose.settings import ChooseSettings
from semantoks.scores.encode.settings import EncodeSettings
from semantoks.scores.get_representation.settings import GetRepresentationSettings
from semantoks.scores.network_importance.settings import NetworkImportanceSettings
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.represent.settings import RepresentSettings
from semantoks.scores.split.settings import SplitSettings
from semantoks.scores.vary.settings import VarySettings

SCORES = (
    Stage(
        "represent",
        "scores.represent",
        "Write a representation that needs no model.",
        RepresentSettings,
        "Representation (Parquet).",
        (
            word_option(
                "representation",
                "fc, fc_gsr, tangent, tangent_gsr, tangent_rbf, partial, coskewness, "
                "mean_activity, confounds or chance.",
            ),
            TIMESERIES,
            PARTICIPANTS,
        ),
    ),
    Stage(
        "encode",
        "scores.encode",
        "Write a representation by an encoder that an installed package offers.",
        EncodeSettings,
        "Representation (Parquet).",
        (TIMESERIES,),
    ),
    Stage(
        "get_representation",
        "scores.get_representation",
        "Take a representation that was made elsewhere.",
        GetRepresentationSettings,
        "Representation (Parquet).",
        (
            inputs_option("files", "File of features; of a .npy file also that of its ids."),
            SCANS,
        ),
    ),
    Stage(
        "split",
        "scores.split",
        "Draw training and test participants for a phenotype.",
        SplitSettings,
        "Splits (Parquet).",
        (
            PARTICIPANTS,
            SCANS,
            Option("like", "Splits of the main analysis, for a variant.", "input", False),
        ),
    ),
    Stage(
        "probe",
        "scores.probe",
        "Score a representation, or several stacked or combined, against phenotypes.",
        ProbeSettings,
        "Scores (Parquet), with predictions and scores of permutations beside them; of several "
        "phenotypes the folder that has a folder for each.",
        (
            word_option("representation", "Name of the representation in tables."),
            inputs_option("features", "Its file, or those that are stacked or combined."),
            inputs_option("splits", "Splits of each phenotype that `split` wrote."),
            inputs_option("confounds", "Representation to regress out.", optional=True),
        ),
    ),
    Stage(
        "choose",
        "scores.choose",
        "Take the best of several representations, chosen inside the training part.",
        ChooseSettings,
        "Scores (Parquet); predictions and scores of permutations are written beside them.",
        (
            word_option("representation", "Name of the row in tables."),
            inputs_option("scores", "Scores of the representations that `probe` wrote."),
        ),
    ),
    Stage(
        "network_importance",
        "scores.network_importance",
        "Measure what a score loses without each network, and each pair of networks.",
        NetworkImportanceSettings,
        "Losses (TSV); the scores of each split are written beside them.",
        (
            word_option("representation", "Name of the representation in tables."),
            input_option("features", "Representation."),
            input_option("splits", "Splits of the phenotype that `split` wrote."),
            input_option("networks", "A file of its time series, whose manifest has the networks."),
            Option("config", "config.json of the model that it is from.", "input", False),
            inputs_option("confounds", "Representation to regress out.", optional=True),
        ),
    ),
    Stage(
        "card",
        "scores.card",
        "Measure the leakage and the test-retest reliability of a representation.",
        CardSettings,
        "Card (JSON).",
        (input_option("features", "Representation."), PARTICIPANTS, SCANS),
    ),
    Stage(
        "benchmark",
        "scores.benchmark",
        "Compare representations on one phenotype.",
        BenchmarkSettings,
        "Comparison (JSON).",
        (
            inputs_option("scores", "Scores of each representation that `probe` wrote."),
            word_option("dataset", "Name of the data set in tables."),
            inputs_option(
                "scans", "Table of scans, for scores of their first seconds.", optional=True
            ),
        ),
    ),
    Stage(
        "vary",
        "scores.vary",
        "Compare the scores of variants with those of the main analysis.",
        VarySettings,
        "Comparison of variants (JSON).",
        (
            inputs_option("benchmarks", "Comparisons of the main analysis, then of each variant."),
            inputs_option("scores", "Scores of their representations that `probe` wrote."),
        ),
    ),
)

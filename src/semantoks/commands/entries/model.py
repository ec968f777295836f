"""Stages of the model: getting or training it, embedding, fine-tuning."""

from __future__ import annotations

from semantoks.commands.entries.options import CPU_THREADS, TIMESERIES
from semantoks.commands.stage import (
    Option,
    Stage,
    input_option,
    inputs_option,
    path_option,
    word_option,
)
from semantoks.finetune.settings import FinetuneSettings
from semantoks.model.connectome.settings import ConnectomeSettings
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.settings import GetModelSettings
from semantoks.model.pretrain.settings import PretrainSettings

MODEL = (
    Stage(
        "get_model",
        "model.files",
        "Take a trained model instead of training one.",
        GetModelSettings,
        "Weights (encoder.safetensors); config.json is written beside them.",
        (inputs_option("files", "Files of a model on this machine.", optional=True),),
    ),
    Stage(
        "pretrain",
        "model.pretrain",
        "Pretrain a model on time series.",
        PretrainSettings,
        "Weights (encoder.safetensors); config.json and metrics.parquet are written beside them.",
        (
            TIMESERIES,
            inputs_option(
                "scans", "Tables of scans, if people of any data set are held out.", optional=True
            ),
            CPU_THREADS,
        ),
    ),
    Stage(
        "connectome",
        "model.connectome",
        "Make a model's reference covariances and distilled map from time series.",
        ConnectomeSettings,
        "Reference covariances and map (connectome.safetensors).",
        (
            inputs_option("timeseries", "Parquet files of regional time series.", optional=True),
            inputs_option(
                "scans", "Tables of scans, if people of any data set are held out.", optional=True
            ),
            inputs_option("files", "connectome.safetensors of a given model.", optional=True),
            CPU_THREADS,
        ),
    ),
    Stage(
        "embed",
        "model.embed",
        "Embed scans with a model.",
        EmbedSettings,
        "Representation (Parquet).",
        (
            input_option("model", "Weights (encoder.safetensors) with config.json beside them."),
            TIMESERIES,
            Option("config", "The model's config.json, to record its checksum.", "input", False),
            Option("connectome", "The model's connectome.safetensors.", "input", False),
            Option("participants", "Table of participants, to recentre sites.", "input", False),
            CPU_THREADS,
        ),
    ),
    Stage(
        "finetune",
        "finetune",
        "Fine-tune a model on a phenotype: score it split by split, and save one of everybody.",
        FinetuneSettings,
        "Scores (Parquet); predictions and scores of permutations are written beside them.",
        (
            input_option("model", "Weights (encoder.safetensors) with config.json beside them."),
            TIMESERIES,
            input_option("splits", "Splits of the phenotype that `split` wrote."),
            word_option("representation", "Name of the row in tables."),
            path_option(
                "save",
                "Weights (encoder.safetensors) of the model that is trained on all people; "
                "config.json and its head are written beside them.",
            ),
            Option("config", "The model's config.json, to record its checksum.", "input", False),
            CPU_THREADS,
        ),
    ),
)

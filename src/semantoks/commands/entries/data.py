"""Stages from data sets to time series, and tables of scans."""

from __future__ import annotations

from semantoks.commands.entries.options import (
    LINK_TARGETS,
    PARTICIPANTS,
    PROCESSES,
    SHARD,
    TIMESERIES,
)
from semantoks.commands.stage import Option, Stage, input_option, inputs_option, path_option
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.blocks.settings import BlocksSettings
from semantoks.data.index.settings import IndexSettings
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.preprocess.settings import PreprocessSettings
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.simulate.settings import SimulateSettings

DATA = (
    Stage(
        "simulate",
        "data.simulate",
        "Simulate a data set with known phenotypes.",
        SimulateSettings,
        "Table of participants (participants.tsv) in the folder of the new data set.",
        (path_option("truth", "Folder for what was planted."), PROCESSES),
    ),
    Stage(
        "get_atlas",
        "data.atlas",
        "Write an atlas: label image and table of regions.",
        GetAtlasSettings,
        "Label image (.nii.gz); the table again for an atlas without an image.",
        (
            path_option("table", "Table of regions (TSV) to write."),
            inputs_option("files", "Image and table of an atlas of your own.", optional=True),
        ),
    ),
    Stage(
        "index",
        "data.index",
        "List the scans and the participants of a data set.",
        IndexSettings,
        "Table of scans (scans.parquet); the other tables are written beside it.",
        (
            inputs_option(
                "participants",
                "Tables of participants (.tsv, .csv, .tab, .txt), or one HDF5 file.",
            ),
            Option("hold_out", "Table of people whom the settings hold out.", "input", False),
            Option("exclude", "Table of scans that are excluded by hand.", "input", False),
            path_option("data", "Folder of the data set, or its HDF5 file."),
        ),
    ),
    Stage(
        "preprocess",
        "data.preprocess",
        "Preprocess the raw images of one shard.",
        PreprocessSettings,
        "Folder of derivatives in fMRIPrep's layout.",
        (
            SHARD,
            path_option("bids", "Folder of the raw data set."),
            PROCESSES,
            Option("memory", "Memory for fMRIPrep in MB; 0 if unknown.", "number", False, 0),
            Option(
                "running",
                "JSON: settings that change how fMRIPrep is run but not what it makes.",
                "json",
                False,
                {},
            ),
            LINK_TARGETS,
        ),
    ),
    Stage(
        "parcellate",
        "data.parcellate",
        "Average one shard over an atlas and clean the time series.",
        ParcellateSettings,
        "Time series (Parquet).",
        (
            SHARD,
            path_option("data", "Folder of derivatives, or of a data set that is not raw."),
            Option("atlas_image", "Label image of the atlas, if it has one.", "input", False),
            input_option("atlas_table", "Table of its regions."),
            input_option("atlas_metadata", "JSON file about the atlas."),
            # Named again by `data`; as an input its checksum is verified and recorded.
            inputs_option("derivatives", "Folder that `preprocess` wrote.", optional=True),
            inputs_option("regions", "Table of regions that the settings name.", optional=True),
            inputs_option(
                "excluded", "Table of its scans that are excluded by hand.", optional=True
            ),
            LINK_TARGETS,
        ),
    ),
    Stage(
        "blocks",
        "data.blocks",
        "Cut the runs of one shard into blocks by the events of their task.",
        BlocksSettings,
        "Time series (Parquet); the table of events (*_blocks.parquet) is written beside it.",
        (
            input_option("runs", "Time series of the shard that `parcellate` wrote."),
            SHARD,
            path_option("data", "Folder of the data set."),
            LINK_TARGETS,
        ),
    ),
    Stage(
        "samples",
        "data.samples",
        "List the blocks of a data set, with what is known of their events and people.",
        SamplesSettings,
        "Table of blocks (Parquet), in the place of the table of participants.",
        (inputs_option("blocks", "Tables of events that `blocks` wrote."), PARTICIPANTS),
    ),
    Stage(
        "scans",
        "data.scans",
        "List the scans of all shards, included and excluded.",
        ScansSettings,
        "Table of scans (Parquet).",
        (
            TIMESERIES,
            Option("held_out", "held_out.tsv that `index` wrote.", "input", False),
        ),
    ),
)

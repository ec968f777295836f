"""Every stage of the pipeline: its settings, its options, and the function that does the work.

Each stage is a folder with a ``stage.py``, whose function bears the stage's name and takes the
settings and the options below as keyword arguments. It is imported only when it is called, since a
stage needs only the packages of its own environment.
"""

from __future__ import annotations

from semantoks.commands.stage import (
    Option,
    Stage,
    input_option,
    inputs_option,
    path_option,
    word_option,
)
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.blocks.settings import BlocksSettings
from semantoks.data.index.settings import IndexSettings
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.preprocess.settings import PreprocessSettings
from semantoks.data.samples.settings import SamplesSettings
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.simulate.settings import SimulateSettings
from semantoks.finetune.settings import FinetuneSettings
from semantoks.model.connectome.settings import ConnectomeSettings
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.settings import GetModelSettings
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.report.brain_maps.settings import BrainMapsSettings
from semantoks.report.scaling_curve.settings import ScalingCurveSettings
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.settings import ReportSettings
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

TIMESERIES = inputs_option("timeseries", "Parquet files of regional time series.")
PARTICIPANTS = input_option("participants", "Table of participants that `index` wrote.")
SCANS = input_option("scans", "Table of scans that `scans` wrote.")
SHARD = input_option("shard", "Table of one shard that `index` wrote (shard-NNNN.tsv).")
PROCESSES = Option(
    "threads", "Number of processes; results do not depend on it.", "number", False, 1
)
CPU_THREADS = Option(
    "threads", "Threads on a CPU; the last digits of the results depend on it.", "number", False, 1
)

LINK_TARGETS = Option(
    "link_targets", "JSON: folders that links of the data set may lead to.", "json", False, ()
)

_STAGES = (
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
        "Score a representation, or several stacked or combined, against a phenotype.",
        ProbeSettings,
        "Scores (Parquet); predictions and scores of permutations are written beside them.",
        (
            word_option("representation", "Name of the representation in tables."),
            inputs_option("features", "Its file, or those that are stacked or combined."),
            input_option("splits", "Splits of the phenotype that `split` wrote."),
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

STAGES = {stage.name: stage for stage in _STAGES}

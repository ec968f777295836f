"""The model and its pretraining."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from semantoks.config.base import Settings
from semantoks.config.readouts import FULL, OF_CONNECTOME, Block, ConnectomeMap, Readout, Recentre
from semantoks.config.scaling import PeopleFraction
from semantoks.config.sizes import Size, small_values, with_size

# The fields of `artifacts.timeseries.Manifest`, which `config` may not import; a test compares.
ManifestField = Literal[
    "atlas",
    "atlas_sha256",
    "labels",
    "networks",
    "space",
    "tr",
    "low_pass",
    "high_pass",
    "confounds",
    "engine",
]


# The views of a batch are drawn in this many chunks, if they divide it, each with its own seed. As
# many processes as divide this number therefore draw the same views as one.
CHUNKS = 8
# Lengths that no weight determines are limited: a stranger's model must not fill the memory.
MOST_VOLUMES = 1_000_000
MOST_SCALES = 20  # 2^19 is the last power of two below it


class Tokenizer(Settings):
    """Tokenizer of one network: a dense and a structured convolution in parallel."""

    dense_channels: int = Field(384, ge=1, description="Channels of the dense branch.")
    structured_channels: int = Field(384, ge=1, description="Channels of the structured branch.")
    dense_kernel: int = Field(3, ge=1, description="Kernel length of the dense branch.")
    structured_kernel: int = Field(4, ge=1, description="Learned kernel length of each scale.")
    scales: int = Field(
        3, ge=1, le=MOST_SCALES, description="Number of scales of the structured kernel."
    )
    decay_min: float = Field(2.0, gt=0, description="Decay over scales at the first region.")
    decay_max: float = Field(2.0, gt=0, description="Decay over scales at the last region.")


class Architecture(Settings):
    """Sizes of the encoder and the projector."""

    window: int = Field(100, ge=2, le=MOST_VOLUMES, description="Volumes of a training window.")
    patch: int = Field(20, ge=1, description="Volumes of a time patch; divides the window.")
    tokenizer: Tokenizer = Field(Tokenizer(), description="The tokenizers.")
    depth: int = Field(8, ge=1, description="Transformer blocks.")
    head_width: int = Field(64, ge=1, description="Width of an attention head.")
    layer_scale: float = Field(0.1, gt=0, description="Initial value of LayerScale.")
    projector_hidden: int = Field(1024, ge=1, description="Hidden width of the projector.")
    projector_output: int = Field(128, ge=1, description="Output width of the projector.")
    min_presence: float = Field(
        0.5, ge=0, le=1, description="Networks with a smaller fraction of their regions are masked."
    )

    @property
    def width(self) -> int:
        """Width of a token: both tokenizer branches concatenated."""
        return self.tokenizer.dense_channels + self.tokenizer.structured_channels

    @model_validator(mode="after")
    def _sizes_fit(self) -> Architecture:
        """Check what sizes have to do with each other."""
        if self.tokenizer.structured_kernel * 2 ** (self.tokenizer.scales - 1) > MOST_VOLUMES:
            raise ValueError(
                f"structured_kernel × 2^(scales - 1) is more than {MOST_VOLUMES:,} volumes; "
                "choose fewer scales"
            )
        if self.window % self.patch:
            raise ValueError(
                f"window ({self.window}) must be a multiple of patch ({self.patch}) volumes"
            )
        # The time embedding is half sine, half cosine, so the width must be even.
        if self.width % self.head_width or self.width % 2:
            raise ValueError(
                f"dense_channels + structured_channels ({self.width}) must be even and a multiple "
                f"of head_width ({self.head_width})"
            )
        return self


class Training(Settings):
    """Hyperparameters of pretraining."""

    # Defaults are those of arXiv 2512.11582 where it names a value.
    epochs: int = Field(
        100, ge=0, description="Passes over the scans; 0 gives an untrained model for comparison."
    )
    batch_size: int = Field(512, ge=2, description="Scans per step.")
    learning_rate: float = Field(
        7e-4, gt=0, description="Peak learning rate for a batch of 256; scaled with the batch."
    )
    warmup_epochs: float = Field(3.0, ge=0, description="Epochs of linear warm-up.")
    weight_decay: tuple[float, float] = Field(
        (0.05, 0.3), description="Weight decay at the start and at the end (cosine)."
    )
    max_overlap: float = Field(
        1.0, ge=0, le=1, description="Largest fraction that the two windows of a pair may share."
    )
    masking: Literal["paper", "reference"] = Field(
        "paper", description="Mask ratios of the paper, or mask counts of the reference code."
    )
    ttr_weight: float = Field(0.5, ge=0, description="Initial weight of the temporal regulariser.")
    ttr_fraction: float = Field(
        0.05, ge=0, le=1, description="Fraction of training over which that weight decays to zero."
    )
    token_weight: float = Field(0.5, ge=0, description="Weight of the masked-token loss.")
    teacher_momentum: float = Field(0.99, ge=0, lt=1, description="Initial momentum of the EMA.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Precision of matrix products; `auto` is bfloat16 on a GPU, else float32.",
    )
    accumulation: int = Field(
        1,
        ge=1,
        description="Number of parts in which a batch passes the encoders. Saves memory and costs "
        "one more forward pass of the student; the losses still compare all scans of the batch.",
    )
    compile: Literal["auto", "always", "never"] = Field(
        "auto", description="Use of torch.compile; `auto` uses it on a GPU only."
    )
    crops_per_epoch: int = Field(1, ge=1, description="Pairs of views per scan and epoch.")
    seed: int = Field(0, ge=0, description="Seed of all random draws.")


class Pretraining(Settings):
    """What a pretrained model depends on; see `Model`."""

    # Readouts, processes and nodes are left out, so that changing them does not retrain.
    architecture: Architecture = Architecture()
    training: Training = Training()
    allow_mismatch: list[ManifestField] = Field([])
    # So that settings without it are what they were.
    ranks: int | None = Field(None, exclude_if=lambda ranks: ranks is None)


class Model(Settings):
    """A model to pretrain, or a pretrained one."""

    checkpoint: str | None = Field(
        None,
        description="A pretrained model to use instead of training one: a folder as in "
        "`results/models`, a `.pth` file of the reference implementation, or an id on the Hugging "
        "Face hub: `hf:owner/name`, `hf:owner/name/file.pth`, either with `@revision` (a tag, or "
        "the hash of a commit, which fixes the content).",
    )
    datasets: list[str] = Field([], description="Data sets to pretrain on (default: all).")
    readouts: list[Readout] = Field(
        ["pooled"],
        description="Embeddings to compute: `pooled` (mean token and [CLS], as in the paper), "
        "`networks` (one vector per network), `coupling` (covariance between regions in the "
        "tangent space at the mean of the scans that the model has seen), `coupling_gsr` (after "
        "global signal regression), `distilled` (what one half of a scan predicts of the other), "
        "`amplitude` (log standard deviation of each region), `spectrum` (log power in four bands "
        "of each region), or `full` (the `blocks` in one representation).",
    )
    blocks: list[Block] = Field(
        list(FULL),
        min_length=1,
        description="Readouts that `full` consists of. Their kernels have equal weights in the "
        "probe, but that of `amplitude`, which has half, and those of `networks` and `spectrum`, "
        "which have a fifth.",
    )
    recentre: Recentre = Field(
        "none",
        description="`site`: `coupling` and `coupling_gsr` are in the tangent space at the mean of "
        "the person's own site (`site_column` of the data set), if it has 20 scans; no phenotype "
        "is used.",
    )
    connectome: ConnectomeMap = Field(
        ConnectomeMap(), description="How the readout `distilled` is fitted."
    )
    allow_mismatch: list[ManifestField] = Field(
        [],
        description="Manifest fields in which the time series may differ between data sets and "
        "from the model, such as `engine` or `confounds`.",
    )
    cpu_threads: int = Field(
        4,
        ge=1,
        description="CPU threads, independent of `--cores`: with another number sums are rounded "
        "in "
        "another order, and the last digits of the weights differ.",
    )
    processes: int = Field(
        1,
        ge=1,
        description="Pretraining processes per node, each with one GPU if there are any. If "
        "`processes` × `nodes` divides 8 and `training.batch_size`, the result is that of one "
        "process except for the last digits; otherwise other views are drawn, and the model is "
        "another one.",
    )
    nodes: int = Field(1, ge=1, description="Slurm nodes for pretraining, started by srun.")
    size: Size = Field(
        "paper",
        description="Defaults of `architecture` and `training`: `paper` (62.75 million weights, "
        f"for a GPU), or `small` (0.26 million, for a few hundred scans and a CPU), with "
        f"{small_values()}.",
    )
    scaling: list[PeopleFraction] = Field(
        [],
        description="Fractions of the people, such as `[0.1, 0.3, 1]`: for each below 1 the model "
        "is pretrained again on so many of them, in as many steps, for a curve of the scores "
        "against the number of people. Smaller parts are within larger ones.",
    )
    architecture: Architecture = Field(Architecture(), description="Sizes of the network.")
    training: Training = Field(Training(), description="Hyperparameters.")

    @model_validator(mode="before")
    @classmethod
    def _of_size(cls, content: object) -> object:
        return with_size(content) if isinstance(content, Mapping) else content

    @model_validator(mode="after")
    def _trained_or_given(self) -> Model:
        if self.checkpoint is not None:
            of_training = ("datasets", "processes", "nodes", "size", "architecture")
            for key in (*of_training, "training", "connectome", "scaling"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(
                        f"a model with a `checkpoint` is not trained, so `{key}` has no effect; "
                        "remove one of the two"
                    )
        return self

    @model_validator(mode="after")
    def _scaling_is_learned(self) -> Model:
        if self.scaling and self.is_untrained:
            raise ValueError(
                "scaling pretrains on parts of the people, but training.epochs is 0; take it out, "
                "or train the model"
            )
        if self.scaling and not self.fractions:
            raise ValueError(
                "scaling has no fraction below 1, which the model itself is; add one, such as 0.3"
            )
        return self

    @property
    def fractions(self) -> list[float]:
        """Fractions of the people below 1 that the model is pretrained on, too."""
        return sorted({fraction for fraction in self.scaling if fraction < 1})

    @property
    def chunks(self) -> int:
        """Parts in which the views of a batch are drawn, each with a seed of its own."""
        return math.gcd(self.training.batch_size, CHUNKS)

    @property
    def ranks(self) -> int | None:
        """Number of pretraining processes if other views are drawn than by one of them."""
        ranks = self.processes * self.nodes
        return ranks if self.chunks % ranks else None

    @property
    def is_untrained(self) -> bool:
        """Whether nothing is learned, so that its connectome has no map."""
        return self.checkpoint is None and self.training.epochs == 0

    def blocks_of(self, readout: Readout) -> list[Block]:
        """Blocks that a readout consists of."""
        return self.blocks if readout == "full" else [readout]

    def needs_connectome(self, readout: Readout) -> bool:
        """Whether `connectome.safetensors` of the model is needed for a readout."""
        return not set(OF_CONNECTOME).isdisjoint(self.blocks_of(readout))

    @model_validator(mode="after")
    def _blocks_fit(self) -> Model:
        if len(set(self.blocks)) < len(self.blocks):
            twice = next(name for name in self.blocks if self.blocks.count(name) > 1)
            raise ValueError(f"blocks has {twice} twice; name each block once")
        for readout in self.readouts:
            if self.is_untrained and self.blocks_of(readout) == ["distilled"]:
                where = "blocks" if readout == "full" else "readouts"
                raise ValueError(
                    f"{where} has distilled, which is learned, but training.epochs is 0; take it "
                    "out, or train the model"
                )
        return self

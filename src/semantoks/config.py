"""What a user may say: the configuration, as frozen models that document themselves.

``workflow/schemas/config.schema.json`` is generated from here (``python -m semantoks schema``).
Output folders, threads and memory are absent on purpose: they belong to rules and profiles.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
Kind = Literal["classification", "regression"]
Strength = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Strategy = Literal["none", "simple", "scrubbing", "compcor", "ica_aroma", "36p"]
_ByValue = Annotated[dict[str, dict[str | int | float, float]], Field(min_length=1, max_length=1)]
RepetitionTime = Annotated[float, Field(gt=0)] | str | _ByValue
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
MINIMAL_SPACE = "MNI152NLin2009aSym"  # what the built-in engine writes
ENTITIES = ("participant", "session", "task", "run")
Readout = Literal["pooled", "networks"]
SCHAEFER = r"schaefer([1-9]00|1000)x(7|17)"
BUILT_IN = rf"semantoks457|seitzman300|cc200|{SCHAEFER}"
KNOWN_ATLASES = "semantoks457, seitzman300, cc200, schaefer{100 to 1000}x{7,17}"


class Settings(BaseModel):
    """Base of every configuration model: frozen, and a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulation(Settings):
    """A made-up raw BIDS data set with known phenotypes, written before it is read.

    The faulty scans belong to people of their own, who have no other scan.
    """

    participants: int = Field(28, ge=4, description="Number of people.")
    two_sessions: int = Field(2, ge=0, description="How many of them come twice.")
    seconds: float = Field(240.0, gt=20, description="Length of a run in seconds.")
    repetition_time: float = Field(2.5, gt=0, description="Repetition time (TR) in seconds.")
    voxel_size: float = Field(5.0, gt=1, description="Edge of a BOLD voxel in mm.")
    anatomy_voxel_size: float = Field(3.0, gt=0.9, description="Edge of a T1w voxel in mm.")
    faults: bool = Field(
        True, description="Include a scan with heavy head motion and a truncated NIfTI file."
    )
    seed: int = Field(0, ge=0, description="Seed of everything that is drawn.")

    @model_validator(mode="after")
    def _enough_people(self) -> Simulation:
        needed = self.two_sessions + 2 * self.faults
        if self.participants < needed:
            raise ValueError(
                f"participants must be at least {needed}: {self.two_sessions} come twice"
                + (" and two others have a faulty scan" if self.faults else "")
            )
        return self


class Fmriprep(Settings):
    """How fMRIPrep is run, where `preprocessing.engine` is `fmriprep`."""

    runner: Literal["docker", "apptainer", "singularity", "native"] = Field(
        "docker",
        description="What starts it: `docker` (by way of fmriprep-docker), `apptainer` or "
        "`singularity` (need `image`), or `native`, a `fmriprep` on PATH.",
    )
    version: str = Field(
        "25.2.7",
        pattern=r"^[A-Za-z0-9][\w.-]*$",
        description="Version; `docker` takes nipreps/fmriprep of this version.",
    )
    image: str | None = Field(
        None, description="Image file (.sif) of fMRIPrep for `apptainer` and `singularity`."
    )
    license: str | None = Field(
        None,
        description="FreeSurfer licence file (default: the one the environment variable "
        "FS_LICENSE names).",
    )
    output_space: str = Field(
        "MNI152NLin6Asym:res-2",
        pattern=r"^[A-Za-z0-9]+(:(res|cohort)-[A-Za-z0-9]+)*$",
        description="Space of the images, as fMRIPrep's --output-spaces names it.",
    )
    participants_per_call: int = Field(
        4, ge=1, description="People that one call of fMRIPrep works on."
    )
    arguments: list[str] = Field(
        [], description="More arguments for fMRIPrep, such as --fs-no-reconall."
    )

    @field_validator("output_space")
    @classmethod
    def _is_volume(cls, space: str) -> str:
        name = space.split(":")[0]
        if name in _NO_TEMPLATES or name.startswith(("fsaverage", "fsLR")):
            raise ValueError(
                f"'{space}' is no volume in the space of a template; name one, such as "
                "MNI152NLin6Asym:res-2"
            )
        return space

    @field_validator("arguments")
    @classmethod
    def _leave_ours(cls, arguments: list[str]) -> list[str]:
        for argument in arguments:
            name = argument.split("=")[0]
            if name in _SET_BY_ENGINE:
                raise ValueError(f"'{name}' cannot be given; {_SET_BY_ENGINE[name]}")
        return arguments

    @model_validator(mode="after")
    def _has_image(self) -> Fmriprep:
        wanted = self.runner in ("apptainer", "singularity")
        if wanted and self.image is None:
            raise ValueError(f"runner '{self.runner}' needs 'image', the path of a .sif file")
        if not wanted and self.image is not None:
            raise ValueError(
                f"'image' is for apptainer and singularity; runner '{self.runner}' takes none"
            )
        return self


_NO_TEMPLATES = ("anat", "T1w", "run", "func", "boldref", "sbref", "fsnative")
# Arguments that the engine sets or relies on, in all their spellings, and what to do instead.
_SET_BY_ENGINE = {
    argument: instead
    for instead, arguments in {
        "set 'output_space' instead": ["--output-spaces"],
        "set 'license' instead": ["--fs-license-file"],
        "set 'version' or 'image' instead": ["-i", "--image"],
        "set the data set's 'task' instead": ["-t", "--task-id", "--task_id"],
        "the engine names the people of each call": ["--participant-label", "--participant_label"],
        "the engine gives each call its own folder": ["-w", "--work-dir", "--work_dir"],
        "it follows the threads of rule preprocess": [
            *("--nprocs", "--nthreads", "--n_cpus", "--n-cpus", "--omp-nthreads")
        ],
        "it follows the memory of rule preprocess": ["--mem", "--mem_mb", "--mem-mb"],
        "the engine sets it already": [
            *("--notrack", "--no-tty", "--skip-bids-validation", "--skip_bids_validation")
        ],
        "with it no BOLD images come, and the next steps need them": [
            *("-h", "--help", "--version", "--shell", "--anat-only", "--anat_only"),
            *("--boilerplate-only", "--boilerplate_only", "--reports-only", "--reports_only"),
        ],
    }.items()
    for argument in arguments
}


class Preprocessing(Settings):
    """From raw BOLD and T1w images to images in template space."""

    engine: Literal["minimal", "fmriprep"] = Field(
        "minimal", description="`minimal` (built in, antspyx) or `fmriprep`."
    )
    fmriprep: Fmriprep = Field(Fmriprep(), description="How fMRIPrep is run.")
    voxel_size: float = Field(3.0, gt=0, description="Edge in mm of the voxels written.")
    registration_voxel_size: float = Field(
        2.0, gt=0, description="Edge in mm of the template that T1w images are registered to."
    )
    min_dice: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Scans whose brain mask overlaps the template's less (Dice) count as failed.",
    )
    min_correlation: float = Field(
        0.3,
        ge=-1,
        le=1,
        description="Scans whose registered T1w image correlates less with the template, inside "
        "the brain, count as failed.",
    )


class Origin(Settings):
    """What the folder of a data set holds, and how it is read."""

    source: Literal["bids", "fmriprep", "timeseries"] = Field(
        "bids",
        description="`bids`: raw images; `fmriprep`: preprocessed ones (volumes or CIFTI); "
        "`timeseries`: regional time series (.tsv, .csv, .1D, .npy, HDF5, our Parquet).",
    )
    template: str | None = Field(
        None,
        description="Where the files of another tree lie, with entities in braces, such as "
        "`{participant}/fMRI/rfMRI.ica/reg_standard/filtered_func_data_clean.nii.gz`; entities: "
        "participant, session, task, run; `*` is anything.",
    )
    space: str | None = Field(
        None,
        description="Template space of the images that a `template` names, such as "
        "`MNI152NLin6Asym`, where neither their names nor their headers say it.",
    )
    confounds: Strategy | None = Field(
        None, description="Confounds of this data set, if not those of `parcellation`."
    )
    regions: str | None = Field(
        None,
        description="Table whose column `name` lists the regions of time series that do not name "
        "their columns, in order.",
    )

    @model_validator(mode="after")
    def _template_fits(self) -> Origin:
        if self.template is None:
            return self
        if self.source == "bids":
            raise ValueError("'template' goes with `source: fmriprep` or `source: timeseries`")
        entities = set(re.findall(r"{(.*?)}", self.template))
        if "participant" not in entities or entities - set(ENTITIES):
            raise ValueError(
                f"template '{self.template}' must have {{participant}}, may have "
                f"{', '.join(f'{{{name}}}' for name in ENTITIES[1:])} and nothing else in braces"
            )
        return self


class Dataset(Origin):
    """One data set and what is to be predicted in it."""

    path: str | None = Field(
        None, description="Folder (or HDF5 file) of the data set, unless it is simulated."
    )
    participants: str = Field(
        "participants.tsv",
        description="Table of the people (.tsv or .csv), in the folder or with a path of its own.",
    )
    participant_column: str = Field(
        "participant_id", description="Its column with the ids that the files are named by."
    )
    missing_values: list[str] = Field(
        [], description="What that table writes for a missing value, beside n/a and nothing."
    )
    repetition_time: RepetitionTime | None = Field(
        None,
        description="TR in seconds of files that do not say it: a number, a column of the table of "
        "people, or `{column: {value: TR}}`, for instance by site.",
    )
    task: str | None = Field(None, description="Keep only this BIDS task (default: all).")
    shards: int = Field(1, ge=1, le=9999, description="Number of parts it is worked on in.")
    phenotypes: dict[str, Kind] = Field(
        {},
        description="Columns of participants.tsv to predict, each classification or regression.",
    )
    simulate: Simulation | None = Field(
        None,
        description="Make this data set up, below results/simulated, instead of reading a `path`.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Dataset:
        if (self.path is None) == (self.simulate is None):
            raise ValueError("needs either 'path' or 'simulate', exactly one of them")
        if self.simulate is not None and self.source != "bids":
            raise ValueError("'simulate' makes raw images: leave `source: bids`")
        return self


class AtlasFiles(Settings):
    """An atlas of your own."""

    image: str = Field(description="Label image, NIfTI or CIFTI (`.dlabel.nii`).")
    table: str = Field(
        description="TSV or CSV with the columns `index` (label in the image), `name` and "
        "`network`, in the order wanted; `hemisphere` or `hemi` (L, R) is used where it is there."
    )
    space: str = Field(
        min_length=1, description="Template space of the image, such as `MNI152NLin6Asym`."
    )


class Parcellation(Settings):
    """From images to cleaned regional time series."""

    confounds: Strategy = Field(
        "simple",
        description="What is regressed out: `simple`, `scrubbing`, `compcor` or `ica_aroma` as in "
        "nilearn, `36p` (motion, tissues and global signal with derivatives and squares) or "
        "`none`.",
    )
    motion: Literal["basic", "power2", "derivatives", "full"] = Field(
        "full", description="Motion regressors: 6, 12, 12 or 24 (nilearn's names)."
    )
    low_pass: float = Field(0.1, gt=0, description="Upper edge of the band-pass in Hz.")
    high_pass: float = Field(0.01, ge=0, description="Lower edge of the band-pass in Hz.")
    repetition_time: float = Field(2.0, gt=0, description="TR of the time series in seconds.")
    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Regions covered less than this by the brain mask are NaN."
    )
    keep_means: bool = Field(
        False, description="Keep the regional means before cleaning, at their own TR."
    )
    min_seconds: float = Field(120.0, ge=0, description="Shorter scans are excluded.")
    min_dof: float = Field(
        10.0,
        ge=0,
        description="Scans with fewer degrees of freedom left after censoring, band-pass and "
        "confounds are excluded.",
    )
    min_scan_coverage: float = Field(
        0.1, ge=0, le=1, description="Scans with a smaller part of the regions are excluded."
    )
    max_mean_fd: float = Field(
        0.5, gt=0, description="Scans with a larger mean framewise displacement (mm) are excluded."
    )
    max_censored: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Scans with a larger part of their volumes censored are excluded.",
    )
    min_tsnr: float | None = Field(
        None, ge=0, description="Scans with a smaller temporal signal-to-noise ratio are excluded."
    )
    max_dvars: float | None = Field(
        None, gt=0, description="Scans with larger DVARS (% of the mean signal) are excluded."
    )

    @model_validator(mode="after")
    def _band_fits(self) -> Parcellation:
        nyquist = 1 / (2 * self.repetition_time)
        if not self.high_pass < self.low_pass < nyquist:
            raise ValueError(
                f"the band {self.high_pass:g} to {self.low_pass:g} Hz must rise and end below "
                f"{nyquist:g} Hz, half the rate of a TR of {self.repetition_time:g} s"
            )
        return self


class Tokenizer(Settings):
    """One tokenizer per network: a dense and a structured convolution side by side."""

    dense_channels: int = Field(384, ge=1, description="Channels of the dense branch.")
    structured_channels: int = Field(384, ge=1, description="Channels of the structured branch.")
    dense_kernel: int = Field(3, ge=1, description="Kernel length of the dense branch.")
    structured_kernel: int = Field(4, ge=1, description="Learned kernel length of each scale.")
    scales: int = Field(3, ge=1, description="Number of scales of the structured kernel.")
    decay_min: float = Field(2.0, gt=0, description="Decay over scales at the first region.")
    decay_max: float = Field(2.0, gt=0, description="Decay over scales at the last region.")


class Architecture(Settings):
    """Sizes of the encoder and the projector."""

    window: int = Field(100, ge=2, description="Volumes of a training window.")
    patch: int = Field(20, ge=1, description="Volumes of a time patch; divides the window.")
    tokenizer: Tokenizer = Field(Tokenizer(), description="The tokenizers.")
    depth: int = Field(8, ge=1, description="Transformer blocks.")
    head_width: int = Field(64, ge=1, description="Width of an attention head.")
    layer_scale: float = Field(0.1, gt=0, description="Initial value of LayerScale.")
    projector_hidden: int = Field(1024, ge=1, description="Hidden width of the projector.")
    projector_output: int = Field(128, ge=1, description="Output width of the projector.")
    min_presence: float = Field(
        0.5, ge=0, le=1, description="Networks with a smaller part of their regions are masked."
    )

    @property
    def width(self) -> int:
        """Width of a token: the two tokenizer branches side by side."""
        return self.tokenizer.dense_channels + self.tokenizer.structured_channels

    @model_validator(mode="after")
    def _sizes_fit(self) -> Architecture:
        if self.window % self.patch:
            raise ValueError(
                f"window ({self.window}) must be a multiple of patch ({self.patch}) volumes"
            )
        if self.width % self.head_width or self.width % 2:
            raise ValueError(
                f"dense_channels + structured_channels ({self.width}) must be even and a multiple "
                f"of head_width ({self.head_width})"
            )
        return self


class Training(Settings):
    """How the model is pretrained."""

    epochs: int = Field(100, ge=1, description="Passes over the scans.")
    batch_size: int = Field(512, ge=2, description="Scans per step.")
    learning_rate: float = Field(
        7e-4, gt=0, description="Peak learning rate for a batch of 256; scaled with the batch."
    )
    warmup_epochs: float = Field(3.0, ge=0, description="Epochs of linear warm-up.")
    weight_decay: tuple[float, float] = Field(
        (0.05, 0.3), description="Weight decay at the start and at the end (cosine)."
    )
    max_overlap: float = Field(
        1.0, ge=0, le=1, description="Largest part that the two windows of a pair may share."
    )
    masking: Literal["paper", "reference"] = Field(
        "paper", description="Ratios of the paper, or counts of the reference code."
    )
    ttr_weight: float = Field(0.5, ge=0, description="Initial weight of the temporal regulariser.")
    ttr_fraction: float = Field(
        0.05, ge=0, le=1, description="Part of the training over which that weight decays to zero."
    )
    token_weight: float = Field(0.5, ge=0, description="Weight of the masked-token loss.")
    teacher_momentum: float = Field(0.99, ge=0, lt=1, description="Initial momentum of the EMA.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Of matrix products; `auto` is bfloat16 on a GPU, else float32."
    )
    accumulation: int = Field(
        1,
        ge=1,
        description="In how many parts a batch goes through the encoders; saves memory, costs "
        "one more pass through the student, and gives the same losses, which compare all scans "
        "of the batch.",
    )
    compile: Literal["auto", "always", "never"] = Field(
        "auto", description="Whether torch.compile is used; `auto` is on a GPU only."
    )
    crops_per_epoch: int = Field(1, ge=1, description="Pairs of views per scan and epoch.")
    seed: int = Field(0, ge=0, description="Seed of everything that is drawn.")


class Model(Settings):
    """A model to pretrain."""

    datasets: list[str] = Field([], description="Data sets to learn from (default: all).")
    readouts: list[Readout] = Field(
        ["pooled"],
        description="Embeddings to make: `pooled` (mean token and [CLS], as in the paper) or "
        "`networks` (one vector per network).",
    )
    allow_mismatch: list[ManifestField] = Field(
        [],
        description="Fields of the time series' manifest that may differ between data sets and "
        "from the model's, such as `engine` or `confounds`.",
    )
    architecture: Architecture = Field(Architecture(), description="Sizes.")
    training: Training = Field(Training(), description="Optimisation.")


class Splits(Settings):
    """Who is trained on and who is tested on."""

    test_fraction: float = Field(0.2, gt=0, lt=1, description="Part of the people tested on.")
    seed: int = Field(0, ge=0, description="Seed of the splits.")


class Probe(Settings):
    """How representations are scored against phenotypes."""

    repeats: int = Field(10, ge=1, le=100, description="How many of the 100 splits are scored.")
    inner_folds: int = Field(5, ge=2, description="Folds inside the training part.")
    strengths: list[Strength] = Field(
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2],
        min_length=1,
        description="L2 strengths to choose from, relative to rows of unit length.",
    )


class Report(Settings):
    """What the report shows."""

    participants: bool = Field(True, description="Name excluded scans by their participant id.")


class Config(Settings):
    """The whole configuration."""

    atlas: str = Field(
        "seitzman300",
        description="Atlas that images are averaged over: `seitzman300`, `semantoks457` (the "
        "paper's; in MNI152NLin6Asym, not 2009cAsym, where its cerebellum is not published), "
        "`cc200`, `schaefer400x7` (100 to 1000 regions, 7 or 17 networks), or a key of `atlases`.",
    )
    atlases: dict[Name, AtlasFiles] = Field({}, description="Atlases of your own by name.")
    atlas_dir: str | None = Field(
        None,
        description="Folder with the published files of atlases, searched with its subfolders "
        "instead of downloading them.",
    )
    datasets: dict[Name, Dataset] = Field(description="Data sets by name.")
    preprocessing: Preprocessing = Field(
        Preprocessing(), description="Raw images to template space."
    )
    parcellation: Parcellation = Field(Parcellation(), description="Images to time series.")
    models: dict[Name, Model] = Field({}, description="Models by name.")
    baselines: list[Literal["fc", "confounds"]] = Field(
        ["fc", "confounds"], description="Representations beside models."
    )
    splits: Splits = Field(Splits(), description="Training and test people.")
    probe: Probe = Field(Probe(), description="Scoring.")
    report: Report = Field(Report(), description="The report.")

    @model_validator(mode="after")
    def _atlas_exists(self) -> Config:
        taken = [name for name in self.atlases if re.fullmatch(BUILT_IN, name)]
        if taken:
            raise ValueError(f"atlases.{taken[0]}: that is a built-in atlas; choose another name")
        if self.atlas not in self.atlases and not re.fullmatch(BUILT_IN, self.atlas):
            raise ValueError(f"atlas is '{self.atlas}'; {_nearest_atlas(self.atlas, self.atlases)}")
        return self

    @model_validator(mode="after")
    def _space_fits(self) -> Config:
        raw = [name for name, dataset in self.datasets.items() if dataset.source == "bids"]
        own, engine = self.atlases.get(self.atlas), self.preprocessing.engine
        generic = "MNI152" if self.atlas == "seitzman300" else "MNI152NLin6Asym"
        atlas = own.space if own else generic
        output = self.preprocessing.fmriprep.output_space.split(":")[0]
        images = MINIMAL_SPACE if engine == "minimal" else output
        if raw and atlas not in (images, "MNI152"):
            raise ValueError(
                f"the engine {engine} writes images in {images}, the atlas {self.atlas} is in "
                f"{atlas}; for {raw[0]} use the atlas seitzman300, or the engine fmriprep with an "
                "output_space that is the atlas's"
            )
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Config:
        if not self.datasets:
            raise ValueError("'datasets' is empty; name at least one data set")
        for name, dataset in self.datasets.items():
            odd = [p for p in dataset.phenotypes if "/" in p or p.startswith(".")]
            if odd:
                raise ValueError(
                    f"datasets.{name}.phenotypes has '{odd[0]}', which cannot name a file; rename "
                    "the column"
                )
        for name, model in self.models.items():
            if name in ("fc", "confounds", "chance"):
                raise ValueError(f"models.{name}: that is the name of a baseline; choose another")
            unknown = set(model.datasets) - set(self.datasets)
            if unknown:
                raise ValueError(
                    f"models.{name}.datasets names '{min(unknown)}', which is not among the data "
                    f"sets ({', '.join(self.datasets)})"
                )
        return self


def _nearest_atlas(name: str, own: Iterable[str]) -> str:
    sizes = [f"schaefer{regions}00x{networks}" for regions in range(1, 11) for networks in (7, 17)]
    known = [*own, "seitzman300", "semantoks457", "cc200", *sizes]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join([*own, KNOWN_ATLASES])}"


def json_schema() -> dict[str, Any]:
    """Build the schema that ``workflow/schemas/config.schema.json`` holds."""
    schema = Config.model_json_schema()
    for key in ("atlases", "datasets", "models"):
        schema["properties"][key]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema

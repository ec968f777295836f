"""The configuration as frozen pydantic models.

``workflow/schemas/config.schema.json`` and ``docs/configuration.md`` are generated from them
(`make schema`). Output folders, threads and memory are set by rules and profiles instead.
"""

from __future__ import annotations

from semantoks.config.atlases import BUILT_IN, KNOWN_ATLASES, SCHAEFER, AtlasFiles
from semantoks.config.base import Settings
from semantoks.config.data import Dataset, IndexedDataset
from semantoks.config.events import PERSON, Events
from semantoks.config.filters import EntityFilter
from semantoks.config.finetuning import FINETUNED_SUFFIX, Finetune, FinetuneTraining
from semantoks.config.fmriprep import Fmriprep
from semantoks.config.importance import Content, Importance
from semantoks.config.model import (
    CHUNKS,
    Architecture,
    ManifestField,
    Model,
    Pretraining,
    Tokenizer,
    Training,
)
from semantoks.config.origin import ENTITIES, Origin, split_zip
from semantoks.config.parcellation import Parcellation
from semantoks.config.participants_table import HDF5_SUFFIXES, ConfoundColumns, RepetitionTime
from semantoks.config.phenotypes import (
    PUBLICATION,
    ColumnNames,
    Condition,
    Cut,
    Kind,
    Phenotype,
    Published,
)
from semantoks.config.preprocessing import MINIMAL_SPACE, Preprocessing, Simulation
from semantoks.config.readouts import (
    BLOCK_WEIGHTS,
    FULL,
    OF_CONNECTOME,
    OF_ENCODER,
    Block,
    ConnectomeMap,
    Readout,
    Recentre,
)
from semantoks.config.representations import GivenRepresentation
from semantoks.config.scaling import PeopleFraction, name_at, split_fraction
from semantoks.config.schema import Config, json_schema
from semantoks.config.scores import (
    BEST_CONNECTIVITY,
    CONNECTIVITY,
    MIN_TESTED,
    MIN_TRAINED,
    PAPER_SUFFIX,
    Baseline,
    CardProbe,
    Probe,
    Protocol,
    Report,
    RowProtocol,
    Splitting,
    connectivity_candidates,
    row_of_seconds,
    split_row,
)

__all__ = [
    "BEST_CONNECTIVITY",
    "BLOCK_WEIGHTS",
    "BUILT_IN",
    "CHUNKS",
    "CONNECTIVITY",
    "ENTITIES",
    "FINETUNED_SUFFIX",
    "FULL",
    "HDF5_SUFFIXES",
    "KNOWN_ATLASES",
    "MINIMAL_SPACE",
    "MIN_TESTED",
    "MIN_TRAINED",
    "OF_CONNECTOME",
    "OF_ENCODER",
    "PAPER_SUFFIX",
    "PERSON",
    "PUBLICATION",
    "SCHAEFER",
    "Architecture",
    "AtlasFiles",
    "Baseline",
    "Block",
    "CardProbe",
    "ColumnNames",
    "Condition",
    "Config",
    "ConfoundColumns",
    "ConnectomeMap",
    "Content",
    "Cut",
    "Dataset",
    "EntityFilter",
    "Events",
    "Finetune",
    "FinetuneTraining",
    "Fmriprep",
    "GivenRepresentation",
    "Importance",
    "IndexedDataset",
    "Kind",
    "ManifestField",
    "Model",
    "Origin",
    "Parcellation",
    "PeopleFraction",
    "Phenotype",
    "Preprocessing",
    "Pretraining",
    "Probe",
    "Protocol",
    "Published",
    "Readout",
    "Recentre",
    "RepetitionTime",
    "Report",
    "RowProtocol",
    "Settings",
    "Simulation",
    "Splitting",
    "Tokenizer",
    "Training",
    "connectivity_candidates",
    "json_schema",
    "name_at",
    "row_of_seconds",
    "split_fraction",
    "split_row",
    "split_zip",
]

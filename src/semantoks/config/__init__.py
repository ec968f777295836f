"""What a user may say: the configuration, as frozen models that document themselves.

``workflow/schemas/config.schema.json`` is generated from here (``python -m semantoks schema``).
Output folders, threads and memory are absent on purpose: they belong to rules and profiles.
"""

from __future__ import annotations

from semantoks.config.base import Settings
from semantoks.config.data import (
    BUILT_IN,
    ENTITIES,
    KNOWN_ATLASES,
    SCHAEFER,
    AtlasFiles,
    Dataset,
    Origin,
    Parcellation,
    RepetitionTime,
)
from semantoks.config.model import Architecture, ManifestField, Model, Readout, Tokenizer, Training
from semantoks.config.preprocessing import MINIMAL_SPACE, Fmriprep, Preprocessing, Simulation
from semantoks.config.schema import Config, json_schema
from semantoks.config.scores import Baseline, Probe, Report, Splits
from semantoks.config.tasks import Condition, Kind, Published, Task

__all__ = [
    "BUILT_IN",
    "ENTITIES",
    "KNOWN_ATLASES",
    "MINIMAL_SPACE",
    "SCHAEFER",
    "Architecture",
    "AtlasFiles",
    "Baseline",
    "Condition",
    "Config",
    "Dataset",
    "Fmriprep",
    "Kind",
    "ManifestField",
    "Model",
    "Origin",
    "Parcellation",
    "Preprocessing",
    "Probe",
    "Published",
    "Readout",
    "RepetitionTime",
    "Report",
    "Settings",
    "Simulation",
    "Splits",
    "Task",
    "Tokenizer",
    "Training",
    "json_schema",
]

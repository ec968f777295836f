"""The whole configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationInfo, model_validator

from semantoks.config.atlases import AtlasFiles
from semantoks.config.base import Settings
from semantoks.config.consistency import images, rows, scoring
from semantoks.config.data import Dataset
from semantoks.config.finetuning import Finetune
from semantoks.config.importance import Importance, contents_of_networks
from semantoks.config.model import Model
from semantoks.config.parcellation import Parcellation
from semantoks.config.preprocessing import Preprocessing
from semantoks.config.representations import GivenRepresentation
from semantoks.config.scaling import name_at
from semantoks.config.scores import Baseline, Probe, Report, Splitting

# Letters and digits only: derived names add "-" and "+" (`model-networks`, `model+fc`), and the
# names of atlases are BIDS labels. A file name has at most 255 bytes; suffixes need the rest.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$", max_length=100)]
# A data set is always a folder or a whole file name.
DatasetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=100)]


class Config(Settings):
    """The whole configuration."""

    atlas: str = Field(
        "seitzman300",
        description="Atlas: `seitzman300`, `semantoks457` (the paper's, in MNI152NLin6Asym only), "
        "`cc200`, `schaefer400x7` (100 to 1000 regions, 7 or 17 networks), or a key of `atlases`.",
    )
    atlases: dict[Name, AtlasFiles] = Field({}, description="Your own atlases by name.")
    atlas_dir: str | None = Field(
        None,
        description="Folder with the published atlas files, searched recursively, instead of "
        "downloading them.",
    )
    datasets: dict[DatasetName, Dataset] = Field(description="Data sets by name.")
    preprocessing: Preprocessing = Field(
        Preprocessing(), description="Raw images to template space."
    )
    parcellation: Parcellation = Field(Parcellation(), description="Images to time series.")
    models: dict[Name, Model] = Field({}, description="Models by name.")
    baselines: list[Baseline] = Field(
        ["fc", "fc_gsr", "tangent", "tangent_gsr", "confounds"],
        description="Representations to compare models with: `fc` (Pearson correlation), `fc_gsr` "
        "(after global signal regression), `tangent` (tangent space at the mean covariance of the "
        "training participants), `tangent_gsr` (after global signal regression), `tangent_rbf` "
        "(`tangent` by a Gaussian kernel, so not linear), `partial` "
        "(partial correlation), `coskewness` (correlation in the subspace of the largest third "
        "moments), `mean_activity` (mean of each region over a block; data sets with `events` "
        "only) and `confounds`. Of two or more kinds of connectivity, the best, chosen inside the "
        "training part, becomes a row of its own, which verdicts refer to.",
    )
    representations: dict[Name, GivenRepresentation] = Field(
        {},
        description="Representations of your own by name, scored beside the others over the same "
        "splits, as in `{mine: {path: embeddings.parquet}}`.",
    )
    stacked: bool = Field(
        True,
        description="Also score `pooled` and `networks` of each model, and `representations`, "
        "stacked with `fc`.",
    )
    combined: dict[Name, list[str]] = Field(
        {},
        description="Representations that are scored together, by a name for their row: the "
        "kernels of all their blocks are summed, as in `{mine: [model-networks, fc_gsr, "
        "tangent]}`. They are baselines of this configuration, names of `representations`, or "
        "embeddings: `<model>` (pooled) or `<model>-<readout>`.",
    )
    splits: Splitting = Field(Splitting(), description="Training and test participants.")
    probe: Probe = Field(Probe(), description="Scoring.")
    importance: bool | Importance = Field(
        False,
        description="`true`: measure what scores lose without each network, and draw it on the "
        "brain; or which `representations` and `phenotypes`.",
    )
    finetune: Finetune = Field(Finetune(), description="Fine-tuning of models on phenotypes.")
    report: Report = Field(Report(), description="The report.")
    variants: dict[Name, dict[str, Any]] = Field(
        {},
        description="The same configuration with some keys replaced, by name, as in `{gsr: "
        "{parcellation: {confounds: 36p}}}`: each is run from the first stage that differs, and "
        "the report shows its scores beside those of the main analysis (docs/variants.md).",
    )

    @model_validator(mode="after")
    def _groups_fit(self, info: ValidationInfo) -> Config:
        for check in CHECKS:
            check(self)
        if not (info.context or {}).get("is_variant"):
            rows.require_unharmonised(self)
        return self

    @property
    def of_networks(self) -> dict[str, str]:
        """Baseline or readout of each representation whose features belong to networks."""
        return contents_of_networks(self.baselines, self.embeddings)

    def important(self, phenotype: str) -> list[str]:
        """Representations that are asked how much a phenotype needs each network."""
        if self.importance is False:
            return []
        if self.importance is True:
            return list(self.of_networks)
        if self.importance.phenotypes and phenotype not in self.importance.phenotypes:
            return []
        return self.importance.representations or list(self.of_networks)

    @property
    def scaled_models(self) -> dict[str, Model]:
        """Models that are pretrained on a part of the people, by their internal name."""
        return {
            name_at(name, fraction): model
            for name, model in self.models.items()
            for fraction in model.fractions
        }

    @property
    def scaled_embeddings(self) -> dict[str, tuple[str, str]]:
        """Model and readout of each of their rows; see `embeddings`."""
        return {
            name_at(row, fraction): (name_at(name, fraction), readout)
            for row, (name, readout) in self.embeddings.items()
            for fraction in self.models[name].fractions
        }

    @property
    def embeddings(self) -> dict[str, tuple[str, str]]:
        """Model and readout of each embedding, by the name of its row.

        The pooled readout is the paper's embedding and bears the name of its model.
        """
        return {
            name if readout == "pooled" else f"{name}-{readout}": (name, readout)
            for name, model in self.models.items()
            for readout in model.readouts
        }


# In this order: the first that fails is what the user reads.
CHECKS: tuple[Callable[[Config], None], ...] = (
    images.require_atlas,
    images.require_image,
    images.require_space,
    images.require_filters,
    images.require_simulated_regions,
    scoring.require_protocol,
    scoring.require_sites_to_recentre,
    scoring.require_sites_to_harmonize,
    scoring.require_volumes,
    scoring.require_activity,
    rows.require_names,
    rows.require_representation_names,
    rows.require_finetuned,
    rows.require_combined,
    rows.require_importance,
)


def json_schema() -> dict[str, Any]:
    """Build the schema that ``workflow/schemas/config.schema.json`` holds."""
    schema = Config.model_json_schema()
    # A pattern of keys becomes `patternProperties`, which alone allows any other key.
    for key in ("atlases", "combined", "datasets", "models", "representations", "variants"):
        schema["properties"][key]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema

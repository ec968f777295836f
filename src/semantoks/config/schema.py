"""The whole configuration, and checks between its groups."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from pydantic import Field, StringConstraints, model_validator

from semantoks.config.atlases import BUILT_IN, AtlasFiles, nearest_atlas
from semantoks.config.base import Settings
from semantoks.config.data import Dataset
from semantoks.config.finetuning import Finetune
from semantoks.config.importance import Importance, contents_of_networks
from semantoks.config.model import Model
from semantoks.config.parcellation import Parcellation
from semantoks.config.preprocessing import MINIMAL_SPACE, Preprocessing
from semantoks.config.readouts import OF_ENCODER
from semantoks.config.representations import GivenRepresentation
from semantoks.config.scaling import name_at
from semantoks.config.scores import FITTED, MIN_VOLUMES, Baseline, Probe, Report, Splitting
from semantoks.config.suggestions import suggest

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
    def _atlas_exists(self) -> Config:
        taken = [name for name in self.atlases if re.fullmatch(BUILT_IN, name)]
        if taken:
            raise ValueError(f"atlases.{taken[0]}: that is a built-in atlas; choose another name")
        if self.atlas not in self.atlases and not re.fullmatch(BUILT_IN, self.atlas):
            raise ValueError(f"atlas is '{self.atlas}'; {nearest_atlas(self.atlas, self.atlases)}")
        return self

    @model_validator(mode="after")
    def _image_is_there(self) -> Config:
        """Only time series can do with an atlas that is a table of regions."""
        custom = self.atlases.get(self.atlas)
        for name, dataset in self.datasets.items():
            if custom and custom.image is None and dataset.source != "timeseries":
                raise ValueError(
                    f"atlases.{self.atlas} has no 'image', and datasets.{name} needs one, because "
                    f"its source is {dataset.source} (images); add 'image' and 'space', or use "
                    "data sets with `source: timeseries` only"
                )
        return self

    @model_validator(mode="after")
    def _space_fits(self) -> Config:
        """Compare the atlas with what the engine writes; spheres fit every MNI152 template."""
        raw = [name for name, dataset in self.datasets.items() if dataset.source == "bids"]
        custom, engine = self.atlases.get(self.atlas), self.preprocessing.engine
        generic = "MNI152" if self.atlas == "seitzman300" else "MNI152NLin6Asym"
        atlas = custom.space if custom and custom.space else generic
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
    def _filters_fit(self) -> Config:
        """FMRIPrep combines echoes by itself."""
        if self.preprocessing.engine == "minimal":
            return self
        for name, dataset in self.datasets.items():
            if "echo" in dataset.entities:
                raise ValueError(
                    f"datasets.{name}.entities.echo is for the built-in engine; fMRIPrep combines "
                    "the echoes of a run, so take it out"
                )
        return self

    @model_validator(mode="after")
    def _simulated_regions_fit(self) -> Config:
        for name, dataset in self.datasets.items():
            if dataset.simulate and dataset.source == "timeseries" and self.atlas != "seitzman300":
                raise ValueError(
                    f"datasets.{name}.simulate makes time series of the atlas seitzman300, not of "
                    f"{self.atlas}; simulate raw images (`source: bids`) or change the atlas"
                )
        return self

    @model_validator(mode="after")
    def _protocol_fits(self) -> Config:
        """Give the paper's head windows as they are, and validation participants."""
        protocol = self.probe.protocol
        if protocol == "exact":
            return self
        if protocol == "paper":
            self._require_windows()
        if self.probe.confounds != "none":
            raise ValueError(
                f"probe.protocol is {protocol}, which scores windows as they are, but "
                "probe.confounds regresses them out; take that out, or leave `protocol: exact`"
            )
        if self.probe.harmonize != "none":
            raise ValueError(
                f"probe.protocol is {protocol}, which scores windows as they are, but "
                "probe.harmonize changes them; take that out, or leave `protocol: exact`"
            )
        for name, dataset in self.datasets.items():
            for key, phenotype in dataset.phenotypes.items():
                if phenotype.validation_people == 0 and phenotype.kind == "classification":
                    raise ValueError(
                        f"datasets.{name}.phenotypes.{key}.validation_people is 0, but the paper's "
                        f"head (probe.protocol: {protocol}) chooses its learning rate on "
                        "validation participants; raise it, or leave `protocol: exact`"
                    )
        return self

    def _require_windows(self) -> None:
        """Refuse what the paper's head alone cannot score."""
        # These are fitted to the training participants of a split by the exact protocol.
        odd = [f"baselines has {name}" for name in self.baselines if name in FITTED]
        odd += [
            f"models.{name}.readouts has {readout}, which is of a whole scan"
            for name, model in self.models.items()
            for readout in model.readouts
            if readout not in OF_ENCODER
        ]
        if odd:
            raise ValueError(
                f"probe.protocol is paper, which scores windows as they are, but {odd[0]}; take "
                "that out, or leave `protocol: exact`"
            )

    @model_validator(mode="after")
    def _recentring_has_sites(self) -> Config:
        for name, model in self.models.items():
            scored = {key: data for key, data in self.datasets.items() if data.phenotypes}
            without = [key for key, data in scored.items() if data.site_column is None]
            if model.recentre == "site" and without:
                raise ValueError(
                    f"models.{name}.recentre is site, but datasets.{without[0]} has no "
                    "'site_column'; name the column of the site, or leave `recentre: none`"
                )
        return self

    @model_validator(mode="after")
    def _harmonizing_has_sites(self) -> Config:
        for name, dataset in self.datasets.items():
            if self.probe.harmonize == "none" or not dataset.phenotypes:
                continue
            if dataset.site_column is None:
                raise ValueError(
                    f"probe.harmonize is {self.probe.harmonize}, but datasets.{name} has no "
                    "'site_column'; name the column of the site, or leave `harmonize: none`"
                )
        return self

    @model_validator(mode="after")
    def _seconds_have_volumes(self) -> Config:
        tr = self.parcellation.repetition_time
        for seconds in self.probe.seconds:
            volumes = round(seconds / tr)
            if volumes < MIN_VOLUMES:
                raise ValueError(
                    f"probe.seconds has {seconds:g}, which is {volumes} volumes of {tr:g} s "
                    f"(parcellation.repetition_time); at least {MIN_VOLUMES} are needed"
                )
        return self

    @model_validator(mode="after")
    def _has_activity(self) -> Config:
        """Regions of a whole run are z-scored, so their means are zero."""
        scored = {name: data for name, data in self.datasets.items() if data.phenotypes}
        whole = [name for name, data in scored.items() if data.events is None]
        if "mean_activity" in self.baselines and whole:
            raise ValueError(
                f"baselines has mean_activity, but datasets.{whole[0]} has no 'events': the mean "
                "of a region over a whole z-scored run is zero; take mean_activity out, or cut the "
                "runs into blocks by `events`"
            )
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Config:
        if not self.datasets:
            raise ValueError("'datasets' is empty; name at least one data set")
        for name, model in self.models.items():
            if name in (*get_args(Baseline), "chance"):
                raise ValueError(f"models.{name}: that is the name of a baseline; choose another")
            unknown = set(model.datasets) - set(self.datasets)
            if unknown:
                raise ValueError(
                    f"models.{name}.datasets names '{min(unknown)}', which is not among the data "
                    f"sets ({', '.join(self.datasets)})"
                )
        return self

    @model_validator(mode="after")
    def _representations_have_names(self) -> Config:
        for name in self.representations:
            if name in (*get_args(Baseline), "chance", *self.models):
                raise ValueError(
                    f"representations.{name}: that is the name of a baseline or a model; choose "
                    "another"
                )
        return self

    @model_validator(mode="after")
    def _finetuned_exist(self) -> Config:
        """Refuse models that are not there, and confounds that only features can lose."""
        models = self.finetune.models
        for name in models:
            if name not in self.models:
                raise ValueError(
                    f"finetune.models names '{name}', which is not among the models; "
                    f"{suggest(name, list(self.models))}"
                )
        if len(set(models)) < len(models):
            raise ValueError("finetune.models names a model twice; name each once")
        if models and self.probe.confounds != "none":
            raise ValueError(
                f"probe.confounds is {self.probe.confounds}, but finetune.models trains encoders "
                "on time series, which confounds are not regressed out of, so the rows could not "
                "be compared; take one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _combined_exist(self) -> Config:
        """Refuse rows whose name is taken, or whose members have no file of their own."""
        if self.combined and self.probe.protocol == "paper":
            raise ValueError(
                "combined sums kernels, which probe.protocol: paper cannot; take combined out, or "
                "use `protocol: exact` or `both`"
            )
        known = [*self.embeddings, *self.representations, *self.baselines]
        for name, members in self.combined.items():
            if name in (*get_args(Baseline), "chance", *self.models, *self.representations):
                raise ValueError(
                    f"combined.{name}: that is the name of another row; choose another name"
                )
            if len(members) < 2 or len(set(members)) < len(members):
                raise ValueError(
                    f"combined.{name} has {', '.join(members) or 'no representation'}, but needs "
                    "two or more different ones; add another, or take the row out"
                )
            for member in members:
                if member not in known:
                    raise ValueError(
                        f"combined.{name} names '{member}', which is no baseline, no embedding and "
                        f"none of representations; "
                        f"{suggest(member, known)}"
                    )
        return self

    @model_validator(mode="after")
    def _importance_exists(self) -> Config:
        """Refuse names that nothing has, and the paper's head, which is not fitted exactly."""
        if self.importance is False:
            return self
        if self.probe.protocol == "paper":
            raise ValueError(
                "importance needs exact fits, but probe.protocol is paper; take importance out, or "
                "use `protocol: exact` or `both`"
            )
        if isinstance(self.importance, Importance):
            phenotypes = [name for data in self.datasets.values() for name in data.phenotypes]
            chosen = {
                "representations": (self.importance.representations, self.of_networks),
                "phenotypes": (self.importance.phenotypes, phenotypes),
            }
            for key, (names, known) in chosen.items():
                for name in names:
                    if name not in known:
                        raise ValueError(
                            f"importance.{key} names '{name}', which is none of those that can be "
                            f"asked ({', '.join(known)}); {suggest(name, list(known))}"
                        )
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


def json_schema() -> dict[str, Any]:
    """Build the schema that ``workflow/schemas/config.schema.json`` holds."""
    schema = Config.model_json_schema()
    # A pattern of keys becomes `patternProperties`, which alone allows any other key.
    for key in ("atlases", "combined", "datasets", "models", "representations", "variants"):
        schema["properties"][key]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema

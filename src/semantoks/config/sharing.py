"""Which files of the main analysis a variant uses as they are.

In a variant ``gsr`` the data set ``abide`` is called ``abide~gsr``, and so is the model
``semantoks~gsr``: the same rules make their files, in folders of their own. A variant has files of
its own from the first stage whose settings or inputs differ; before it, names lead to the files of
the main analysis. What is compared is rather too much than too little: a key that nobody has
thought of makes a stage run again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from semantoks.config import (
    Config,
    ConfoundColumns,
    Dataset,
    Model,
    split_fraction,
    split_row,
)

MARK = "~"  # in no name of a data set or model
# Keys of a data set that only stages after its time series use.
LATE = {"phenotypes", "events", "group_column", *ConfoundColumns.model_fields}
# Keys of a model that change the last digits of its weights at most; see `Model.ranks`.
LAUNCH = {"processes", "nodes"}
# Keys that change neither its weights nor its connectome.
AFTER_TRAINING = {"readouts", "blocks", "recentre", *LAUNCH}


def _listing(config: Config, name: str) -> Any:
    """Return what the tables of scans and participants depend on."""
    dataset = config.datasets[name]
    late = LATE if dataset.hold_out is None else LATE - {"group_column"}
    return dataset.model_dump(exclude=late), config.preprocessing.engine


def _preprocessing(config: Config, name: str) -> Any:
    is_raw = config.datasets[name].source == "bids"
    return config.preprocessing if is_raw else None


def _parcellation(config: Config, name: str) -> Any:
    of_task = config.datasets[name].events is not None
    return config.atlas, config.atlases.get(config.atlas), config.parcellation, of_task


def _samples(config: Config, name: str) -> Any:
    dataset = config.datasets[name]
    return dataset.events and (dataset.events, dataset.group_column)


# In their order; each depends on all before it.
STAGES: dict[str, Callable[[Config, str], Any]] = {
    "index": _listing,
    "preprocess": _preprocessing,
    "timeseries": _parcellation,
    "samples": _samples,
}


class Sharing:
    """Names of data sets and models in the main analysis and in variants, and whose files they use.

    Parameters
    ----------
    main : Config
    variants : mapping of str to Config
        See `read_variants`.
    """

    def __init__(self, main: Config, variants: Mapping[str, Config]) -> None:
        self.main = main
        self.variants = dict(variants)
        # A plan of 40,000 participants asks thousands of times.
        self._known: dict[Hashable, bool] = {}

    @property
    def datasets(self) -> dict[str, Dataset]:
        """Data sets of the main analysis, and then of each variant."""
        return self._of_all(lambda config: config.datasets)

    @property
    def models(self) -> dict[str, Model]:
        """Models of the main analysis, and then of each variant."""
        return self._of_all(lambda config: config.models)

    def _of_all(self, part: Callable[[Config], Mapping[str, Any]]) -> dict[str, Any]:
        varied = {
            f"{name}{MARK}{variant}": value
            for variant, config in self.variants.items()
            for name, value in part(config).items()
        }
        return dict(part(self.main)) | varied

    def config_of(self, name: str) -> Config:
        """Return the configuration that a data set or model belongs to."""
        variant = name.partition(MARK)[2]
        return self.variants[variant] if variant else self.main

    def dataset(self, stage: str, name: str) -> str:
        """Name of the data set whose files of one of `STAGES` are used."""
        return self._shared(name, (stage,), lambda *names: self._same_stage(stage, *names))

    def seen(self, model: str) -> list[str]:
        """Names of the data sets that a model is fitted to."""
        name, mark, variant = model.partition(MARK)
        config = self.config_of(model)
        seen = config.models[split_fraction(name)[0]].datasets or config.datasets
        return [f"{dataset}{mark}{variant}" for dataset in seen]

    def holding_out(self, model: str) -> list[str]:
        """Names of the data sets of the same analysis that hold people out."""
        _, mark, variant = model.partition(MARK)
        datasets = self.config_of(model).datasets
        return [f"{n}{mark}{variant}" for n, dataset in datasets.items() if dataset.hold_out]

    def model(self, dataset: str, name: str) -> str:
        """Name of the model that embeds the scans of a data set."""
        _, mark, variant = dataset.partition(MARK)
        varied = f"{name}{mark}{variant}"
        return self._shared(varied, ("model",), lambda *names: self._same_model(*names))

    def representation(self, dataset: str, row: str) -> str:
        """Name of the data set whose file of a representation is used."""
        name = split_row(row)[0]
        return self._shared(
            dataset, ("row", name), lambda *names: self._same_representation(name, *names)
        )

    def split(self, dataset: str, phenotype: str) -> str:
        """Name of the data set whose splits of a phenotype are used."""
        return self._shared(
            dataset,
            ("split", phenotype),
            lambda *names: (
                self._same_stage("samples", *names) and self._same_design(phenotype, *names)
            ),
        )

    def followed(self, dataset: str, phenotype: str) -> str | None:
        """Name of the data set whose splits are taken as far as its participants are here.

        None in the main analysis, and where a variant draws participants in another manner.
        """
        name, _, variant = dataset.partition(MARK)
        return name if variant and self._same_design(phenotype, name, variant) else None

    def scores(self, dataset: str, phenotype: str, members: Iterable[str]) -> str:
        """Name of the data set whose scores of a phenotype are used.

        Parameters
        ----------
        dataset, phenotype : str
        members : iterable of str
            Representations that the row consists of.
        """
        members = [*members]
        return self._shared(
            dataset,
            ("scores", phenotype, *members),
            lambda *names: self._same_scores(phenotype, members, *names),
        )

    def _shared(self, name: str, key: Hashable, is_same: Callable[[str, str], bool]) -> str:
        """Name without its variant, if the files are those of the main analysis."""
        base, _, variant = name.partition(MARK)
        if not variant:
            return name
        question = (name, key)
        if question not in self._known:
            self._known[question] = is_same(base, variant)
        return base if self._known[question] else name

    def _same_stage(self, stage: str, name: str, variant: str) -> bool:
        for key, settings in STAGES.items():
            if settings(self.main, name) != settings(self.variants[variant], name):
                return False
            if key == stage:
                return True
        raise KeyError(stage)

    def _same_model(self, name: str, variant: str) -> bool:
        config = self.variants[variant]
        ours, theirs = self.main.models[name], config.models[name]
        if ours.model_dump(exclude=AFTER_TRAINING) != theirs.model_dump(exclude=AFTER_TRAINING):
            return False
        if ours.ranks != theirs.ranks:
            return False
        if theirs.checkpoint:
            return True
        seen = theirs.datasets or list(config.datasets)
        held_out = any(d.hold_out for c in (self.main, config) for d in c.datasets.values())
        if held_out:  # their other recordings are looked for in all data sets
            return all(self._same_stage("samples", d, variant) for d in config.datasets)
        return all(self._same_stage("timeseries", d, variant) for d in seen)

    def _same_representation(self, row: str, name: str, variant: str) -> bool:
        """Whether a representation, or the scores of a fine-tuned model, would be the same."""
        if not self._same_stage("samples", name, variant):
            return False
        config = self.variants[variant]
        if row in config.finetune.rows:
            training = [c.finetune.training(c.probe.repeats) for c in (self.main, config)]
            is_same = training[0] == training[1]
            return is_same and self._same_model(config.finetune.rows[row], variant)
        if row not in config.embeddings:
            given = self.main.representations.get(row) == config.representations.get(row)
            return given and (row != "confounds" or self._same_columns(name, variant))
        model = config.embeddings[row][0]
        ours, theirs = self.main.models[model], config.models[model]
        sites = self.main.datasets[name].site_column, config.datasets[name].site_column
        return (
            ours.model_dump(exclude=LAUNCH) == theirs.model_dump(exclude=LAUNCH)
            and self._same_model(model, variant)
            and (theirs.recentre == "none" or sites[0] == sites[1])
        )

    def _same_columns(self, name: str, variant: str) -> bool:
        ours, theirs = self.main.datasets[name], self.variants[variant].datasets[name]
        return ConfoundColumns.part_of(ours) == ConfoundColumns.part_of(theirs)

    def _same_design(self, phenotype: str, name: str, variant: str) -> bool:
        """Whether participants are selected and drawn in the same manner."""
        config = self.variants[variant]
        ours, theirs = self.main.datasets[name], config.datasets[name]
        return (
            self._same_columns(name, variant)
            and (ours.group_column, self.main.splits) == (theirs.group_column, config.splits)
            and ours.phenotypes[phenotype].without_publication()
            == theirs.phenotypes[phenotype].without_publication()
        )

    def _same_scores(self, phenotype: str, members: Iterable[str], name: str, variant: str) -> bool:
        probe = self.variants[variant].probe
        removed = ["confounds"] if probe.confounds != "none" else []
        return (
            self.main.probe == probe
            and self._same_stage("samples", name, variant)
            and self._same_design(phenotype, name, variant)
            and all(self._same_representation(m, name, variant) for m in [*members, *removed])
        )

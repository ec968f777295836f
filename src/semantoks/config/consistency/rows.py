"""Names of models, representations and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from semantoks.config.importance import Importance
from semantoks.config.scores import Baseline
from semantoks.config.suggestions import suggest

if TYPE_CHECKING:
    from semantoks.config.schema import Config


def require_names(config: Config) -> None:
    """Refuse models with the name of a baseline or with unknown data sets."""
    if not config.datasets:
        raise ValueError("'datasets' is empty; name at least one data set")
    for name, model in config.models.items():
        if name in (*get_args(Baseline), "chance"):
            raise ValueError(f"models.{name}: that is the name of a baseline; choose another")
        unknown = set(model.datasets) - set(config.datasets)
        if unknown:
            raise ValueError(
                f"models.{name}.datasets names '{min(unknown)}', which is not among the data "
                f"sets ({', '.join(config.datasets)})"
            )


def require_representation_names(config: Config) -> None:
    """Refuse representations with the name of a baseline or a model."""
    for name in config.representations:
        if name in (*get_args(Baseline), "chance", *config.models):
            raise ValueError(
                f"representations.{name}: that is the name of a baseline or a model; choose another"
            )


def require_finetuned(config: Config) -> None:
    """Refuse models that are not there, and confounds that only features can lose."""
    models = config.finetune.models
    for name in models:
        if name not in config.models:
            raise ValueError(
                f"finetune.models names '{name}', which is not among the models; "
                f"{suggest(name, list(config.models))}"
            )
    if len(set(models)) < len(models):
        raise ValueError("finetune.models names a model twice; name each once")
    if models and config.probe.confounds != "none":
        raise ValueError(
            f"probe.confounds is {config.probe.confounds}, but finetune.models trains encoders "
            "on time series, which confounds are not regressed out of, so the rows could not "
            "be compared; take one of the two out"
        )


def require_unharmonised(config: Config) -> None:
    """Refuse fine-tuned rows beside harmonised ones; a variant may harmonise."""
    if config.finetune.models and config.probe.harmonize != "none":
        raise ValueError(
            f"probe.harmonize is {config.probe.harmonize}, but finetune.models trains encoders on "
            "time series, which are not harmonised, so the rows could not be compared; take one "
            "of the two out, or harmonise in a variant"
        )


def require_combined(config: Config) -> None:
    """Refuse rows whose name is taken, or whose members have no file of their own."""
    if config.combined and config.probe.protocol == "paper":
        raise ValueError(
            "combined sums kernels, which probe.protocol: paper cannot; take combined out, or "
            "use `protocol: exact` or `both`"
        )
    known = [*config.embeddings, *config.representations, *config.baselines]
    for name, members in config.combined.items():
        if name in (*get_args(Baseline), "chance", *config.models, *config.representations):
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


def require_importance(config: Config) -> None:
    """Refuse names that nothing has, and the paper's head, which is not fitted exactly."""
    if config.importance is False:
        return
    if config.probe.protocol == "paper":
        raise ValueError(
            "importance needs exact fits, but probe.protocol is paper; take importance out, or "
            "use `protocol: exact` or `both`"
        )
    if isinstance(config.importance, Importance):
        phenotypes = [name for data in config.datasets.values() for name in data.phenotypes]
        chosen = {
            "representations": (config.importance.representations, config.of_networks),
            "phenotypes": (config.importance.phenotypes, phenotypes),
        }
        for key, (names, known) in chosen.items():
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"importance.{key} names '{name}', which is none of those that can be "
                        f"asked ({', '.join(known)}); {suggest(name, list(known))}"
                    )

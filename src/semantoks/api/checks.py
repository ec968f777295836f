"""Arguments of `semantoks.score` that do not fit each other or the table of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd
from pandas.api.types import is_numeric_dtype

from semantoks.config import PUBLICATION, Phenotype
from semantoks.config.preflight.sizes import MOST_CLASSES
from semantoks.config.suggestions import near
from semantoks.errors import UserError


def require_options(
    options: Mapping[str, object], baselines: object, arguments: Collection[str]
) -> None:
    """Refuse what would be ignored, or fail with an error of Python.

    Parameters
    ----------
    options : mapping
        Keys of a phenotype.
    baselines : mapping or None
        Anything else is refused.
    arguments : collection of str
        Names of all arguments, which a mistyped key may stand for.
    """
    if unused := [key for key in options if key in PUBLICATION]:
        raise UserError(
            f"score() takes no `{unused[0]}`: it belongs to published scores in a configuration. "
            "Classes are compared by balanced accuracy, numbers by Pearson's r."
        )
    for key in options:
        if key not in Phenotype.model_fields and (meant := near(key, arguments)):
            raise UserError(f"score() takes no `{key}`; did you mean {meant[0]}?")
    if baselines is not None and not isinstance(baselines, Mapping):
        raise UserError(
            "`baselines` gives features, or files of time series, by name: {'fc': 'folder'}."
        )


def require_no_residuals(probe: Mapping[str, object] | None) -> None:
    """Refuse to regress out confounds, of which `score` has no table."""
    if (probe or {}).get("confounds", "none") != "none":
        raise UserError(
            "score() cannot regress confounds out of features (`confounds` in `probe`). Run a "
            "workflow with `probe: {confounds: residualise}`, or give `confounds` as a baseline."
        )


def require_columns(people: pd.DataFrame, **columns: str | None) -> None:
    """Refuse arguments that name columns which are not there."""
    for argument, column in columns.items():
        if column is not None and column not in people:
            listed = ", ".join(map(str, people.columns))
            raise UserError(
                f"`people` has no column '{column}', which `{argument}` names (columns: {listed})."
                " Correct the name."
            )


def require_classes(people: pd.DataFrame, phenotype: str) -> None:
    """Refuse a measure as classes: many numbers, some of which a single participant has."""
    values = people.get(phenotype)
    if values is None or not is_numeric_dtype(values):
        return
    if values.nunique() > MOST_CLASSES and values.value_counts().min() == 1:
        raise UserError(
            f"'{phenotype}' has {values.nunique()} different numbers; did you mean "
            "kind='regression'? For classes of a measure give `bins` or `edges`."
        )

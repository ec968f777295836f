"""Rows of the paper's benchmark: one name becomes a whole configuration.

``snakemake --config row=ukb_sex path=/data/ukb table=ukb.csv`` and a configuration file with these
keys are the same. Every other key may stand beside them and overrules what the row sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semantoks.config import Config, Dataset, catalogue
from semantoks.config.suggestions import sentence, suggest
from semantoks.errors import UserError

KEY = "row"
TABLE = "table"  # `participants`, but relative to the working folder, as shells complete it


def expand_row(content: Mapping[str, Any]) -> dict[str, Any]:
    """Replace ``row`` by the configuration that it stands for.

    Parameters
    ----------
    content : mapping
        What the user wrote. Without ``row`` it is returned as it is.

    Returns
    -------
    dict
        Keys of a data set that stand beside ``row`` (``path``, ``table``, ``shards``, …) belong to
        the data set of the row. Keys of the configuration overrule it, key by key.

    Raises
    ------
    UserError
        When there is no such row, or it has no data.
    """
    if KEY not in content:
        return dict(content)
    name = str(content[KEY])
    if name not in catalogue.row_names():
        raise UserError(sentence(f"row is '{name}'; {suggest(name, catalogue.row_names())}"))
    given = {key: content[key] for key in content if key != TABLE}
    if TABLE in content:
        given["participants"] = _absolute(content[TABLE])
    beside = {key: given[key] for key in given if _is_of_dataset(key)}
    whole = {key: given[key] for key in given if key != KEY and key not in beside}
    preset, of_task = catalogue.row_of(name)
    if "path" not in beside and "datasets" not in whole:
        raise UserError(
            f"row {name} needs the folder of the data: add path=FOLDER (preset {preset}; "
            f"docs/rows/{name}.md says what belongs in it)."
        )
    phenotype = name.removeprefix(f"{preset}_")
    dataset = {"preset": preset, **of_task, **beside, "phenotypes": {phenotype: {"task": name}}}
    return merged(catalogue.row_defaults(name) | {"datasets": {preset: dataset}}, whole)


def _absolute(table: Any) -> Any:
    if isinstance(table, list):
        return [_absolute(file) for file in table]
    return str(Path(str(table)).absolute())


def _is_of_dataset(key: str) -> bool:
    return key in Dataset.model_fields and key not in Config.model_fields


def merged(defaults: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Overrule defaults key by key, at any depth; a list is replaced as a whole."""
    both = defaults.keys() & changes.keys()
    deeper = {
        key: merged(defaults[key], changes[key])
        for key in both
        if isinstance(defaults[key], Mapping) and isinstance(changes[key], Mapping)
    }
    return {**defaults, **changes, **deeper}

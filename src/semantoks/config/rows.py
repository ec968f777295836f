"""Rows of the paper's benchmark: one name becomes a whole configuration.

``snakemake --config row=ukb_sex path=/data/ukb table=ukb.csv`` and a configuration file with these
keys are the same. Every other key may stand beside them and overrules what the row sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from semantoks.config import Config, Dataset, Phenotype, catalogue
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
    _require_known(whole, name.removeprefix(f"{preset}_"))
    if "path" not in beside and "datasets" not in whole:
        raise UserError(
            f"row {name} needs the folder of the data: add path=FOLDER (preset {preset}; "
            f"docs/rows/{name}.md says what belongs in it)."
        )
    phenotype, defaults = name.removeprefix(f"{preset}_"), catalogue.row_defaults(name)
    dataset = {"preset": preset, **of_task, "phenotypes": {phenotype: {"task": name}}}
    dataset = merged(dataset, beside)
    config = merged(defaults | {"datasets": {preset: dataset}}, whole)
    _require_atlas_of_model(name, config, defaults)
    return config


def _require_known(keys: Iterable[str], phenotype: str) -> None:
    """Refuse keys that belong nowhere, and say where those of a phenotype belong."""
    known = [*Config.model_fields, *Dataset.model_fields, KEY, TABLE]
    for key in keys:
        if key in Phenotype.model_fields and key not in known:
            raise UserError(
                f"'{key}' is a key of the phenotype: write it into a configuration file, as "
                f"phenotypes: {{{phenotype}: {{{key}: …}}}} beside `row` (docs/rows/README.md)."
            )
        if key not in known:
            raise UserError(sentence(f"unknown key '{key}' beside `row`; {suggest(key, known)}"))


def _require_atlas_of_model(
    name: str, config: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    """Refuse the published checkpoint with another atlas, before all scans are averaged over it."""
    published = {model["checkpoint"] for model in defaults["models"].values()}
    used = {model.get("checkpoint") for model in config["models"].values()}
    if published & used and config["atlas"] != defaults["atlas"]:
        raise UserError(
            f"The checkpoint of row {name} needs the atlas {defaults['atlas']}, not "
            f"{config['atlas']}. For another atlas, name another model: `models: {{semantoks: "
            "{checkpoint: null}}` trains one."
        )


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

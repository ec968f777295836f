"""Variants: the same configuration with some keys replaced.

Each is checked as the whole configuration is. It has the rows of the main configuration, so that
every score of a variant stands beside that of the main analysis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semantoks.config import Config
from semantoks.config.rows import merged
from semantoks.config.validation import validated
from semantoks.errors import UserError, shown

# What the rows of the main analysis and the report are, or belongs to no single analysis.
OF_ALL = ("atlas_dir", "baselines", "combined", "report", "stacked", "variants")


def read_variants(content: Mapping[str, Any], main: Config, source: str) -> dict[str, Config]:
    """Build the whole configuration of each variant.

    Parameters
    ----------
    content : mapping
        What the user wrote, with ``variants``.
    main : Config
        The configuration that it stands for.
    source : str
        Name of the configuration file, for messages.

    Returns
    -------
    dict of str to Config
        By name of the variant, without variants of their own.

    Raises
    ------
    UserError
        If a key does not exist, changes nothing, or changes which rows there are.
    """
    base = {key: value for key, value in content.items() if key != "variants"}
    variants = dict[str, Config]()
    for name, changes in main.variants.items():
        where = f"{source}, variants.{name}"
        for key in OF_ALL:
            if key in changes:
                raise UserError(
                    f"{where} has '{key}', which is the same in all variants. Set it in the main "
                    "part of the configuration."
                )
        variants[name] = validated(Config, merged(base, changes), where, {"is_variant": True})
        _require_same_rows(main, variants[name], where)
        _require_changes(changes, main, variants[name], where)
    _require_one_meaning([main, *variants.values()], source)
    return variants


def changed_part(main: Config, variant: Config) -> Config:
    """Return a variant without the data sets that were checked with the main configuration.

    Tables of 40,000 people take a second to check. What of the configuration is compared with them
    is in `splits`, `probe` and `preprocessing`.
    """
    for key in ("splits", "probe", "preprocessing"):
        if getattr(main, key) != getattr(variant, key):
            return variant
    datasets = {n: d for n, d in variant.datasets.items() if d != main.datasets[n]}
    return variant.model_copy(update={"datasets": datasets})


def _require_changes(changes: Mapping[str, Any], main: Config, variant: Config, where: str) -> None:
    """Refuse a key that has the value of the main configuration: it may be a mistake."""
    if not changes:
        raise UserError(f"{where} changes nothing. Give it a key with another value, or remove it.")
    before, after = (config.model_dump(mode="json") for config in (main, variant))
    for path in _unchanged(changes, before, after):
        raise UserError(
            f"{where} changes nothing by {'.'.join(path)}, which has this value in the main "
            "configuration, too. Give another value, or remove the key."
        )


def _unchanged(changes: Any, before: Any, after: Any) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key whose value is the same before and after."""
    if not all(isinstance(part, Mapping) for part in (changes, before, after)):
        if before == after:
            yield ()
        return
    for key, value in changes.items():
        # A preset or a published task becomes other keys, and is not looked for itself.
        if key in before and key in after:
            for path in _unchanged(value, before[key], after[key]):
                yield shown(key), *path


def _require_same_rows(main: Config, variant: Config, where: str) -> None:
    """Refuse what adds or removes a row, or a table of rows."""
    ours, theirs = _rows(main), _rows(variant)
    for what in ours:
        if ours[what] != theirs[what]:
            raise UserError(
                f"{where} changes the {what}, but its scores must stand beside those of the main "
                "analysis. Change them in the main part of the configuration."
            )


def _rows(config: Config) -> dict[str, object]:
    """Return what the tables of scores consist of."""
    return {
        "names of data sets": sorted(config.datasets),
        "names or kinds of phenotypes": {
            (name, key): phenotype.kind
            for name, dataset in config.datasets.items()
            for key, phenotype in dataset.phenotypes.items()
        },
        "names or readouts of models": config.embeddings,
        "names or kinds of representations": {
            name: bool(given.path) for name, given in config.representations.items()
        },
        "fine-tuned models (finetune.models)": sorted(config.finetune.models),
        "protocol (probe.protocol)": config.probe.protocol,
        "lengths of scans (probe.seconds)": config.probe.seconds,
    }


def _require_one_meaning(configs: list[Config], source: str) -> None:
    """Refuse two atlases of one name, and atlases with and without an image."""
    known = dict[str, object]()
    for config in configs:
        for name, files in config.atlases.items():
            if known.setdefault(name, files) != files:
                raise UserError(
                    f"{source}: atlases.{name} is different in two variants, but the files of an "
                    "atlas are stored by its name. Choose another name for one of them."
                )
    has_image = {_has_image(config): config.atlas for config in configs}
    if len(has_image) > 1:
        raise UserError(
            f"{source}: the atlas {has_image[False]} is a table of regions without an image, and "
            f"{has_image[True]} has one. Give all atlases of the variants an image, or none."
        )


def _has_image(config: Config) -> bool:
    files = config.atlases.get(config.atlas)
    return files is None or files.image is not None

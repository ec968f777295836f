"""What a preset of a data set sets, and the configuration that a row of the paper stands for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import yaml

from semantoks.config import Config, catalogue
from semantoks.config.rows import KEY, expand_row
from semantoks.config.suggestions import sentence, suggest
from semantoks.config.validation import validated
from semantoks.errors import UserError


def preset_text(name: str | None) -> str:
    """Return the file of a preset, or the names and first sentences of all.

    Raises
    ------
    UserError
        When there is no such preset.
    """
    names = catalogue.preset_names()
    if name is None:
        width = max(map(len, names))
        return "".join(f"{known:{width}}  {_title(known)}\n" for known in names)
    if name not in names:
        raise UserError(sentence(f"There is no preset '{name}'; {suggest(name, names)}"))
    return catalogue.preset_text(name)


def _title(name: str) -> str:
    """Return the first sentence of the comment that a preset begins with."""
    lines = itertools.takewhile(
        lambda line: line.startswith("#"), catalogue.preset_text(name).splitlines()
    )
    comment = " ".join(line.removeprefix("#").strip() for line in lines)
    return re.split(r"(?<=\.) (?=[A-Z])", comment)[0]


def row_text(name: str | None, keys: Sequence[str]) -> str:
    """Return the configuration of a row as YAML, or the names and titles of all rows.

    Parameters
    ----------
    name : str or None
    keys : sequence of str
        ``KEY=VALUE`` as for ``snakemake --config``.

    Raises
    ------
    UserError
        When there is no such row, or the keys do not fit.
    """
    if name is None:
        rows = {row: catalogue.read(row)["title"] for row in catalogue.row_names()}
        width = max(map(len, rows))
        return "".join(f"{row:{width}}  {title}\n" for row, title in rows.items())
    config = expand_row({KEY: name, **dict(map(_parsed, keys))})
    validated(Config, config, f"row {name}")
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)


def _parsed(key: str) -> tuple[str, object]:
    name, separator, value = key.partition("=")
    if not separator:
        raise UserError(f"'{key}' is not of the form KEY=VALUE, such as path=/data/ukb.")
    return name, yaml.safe_load(value)

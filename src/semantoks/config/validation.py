"""A configuration as a user wrote it becomes a complete one, or one sentence on what is wrong.

Runs inside Snakemake's own process, which has pydantic: Snakemake depends on it by way of sqlmodel.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from semantoks.config import Config
from semantoks.errors import UserError

SIMULATED_COLUMNS = ("age", "sex", "group", "trait", "null")


def complete(config: dict[str, Any], source: str) -> dict[str, Any]:
    """Check a configuration and fill in every default.

    Parameters
    ----------
    config : dict
        What the user wrote.
    source : str
        Name of the file, for the message.

    Raises
    ------
    UserError
        For the first thing that is wrong.
    """
    try:
        return Config.model_validate(config).model_dump(mode="json")
    except ValidationError as error:
        first = min(error.errors(), key=lambda details: len(details["loc"]))
        raise UserError(f"{source}: {_explain(first)}") from None


def _explain(error: ErrorDetails) -> str:
    *parents, last = error["loc"] or ("",)
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key '{where}'{_nearest(str(last), _keys_below(parents), parents)}"
    if error["type"] == "missing":
        return f"'{where}' is missing; add it."
    if last == "[key]":
        return f"the name '{parents[-1]}' must start with a letter and have only letters and digits"
    if error["type"] == "literal_error":
        choices = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f"{where} is '{error['input']}'{_nearest(str(error['input']), choices, [])}"
    if error["type"] == "value_error":
        sentence = f"{where + ': ' if where else ''}{error['ctx']['error']}"
        return sentence if sentence.endswith("?") else f"{sentence}."
    return f"{where} is '{error['input']}': {error['msg'][0].lower()}{error['msg'][1:]}."


def _nearest(word: str, known: Iterable[str], parents: Iterable[int | str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{'.'.join([*map(str, parents), close[0]])}'?"
    return f"; known: {', '.join(sorted(known))}."


def _keys_below(path: Iterable[int | str]) -> list[str]:
    """Keys that the configuration knows at a place."""
    annotation: Any = Config
    for part in path:
        model = _model(annotation)
        if model is None:  # the values of a dictionary
            annotation = get_args(annotation)[1]
        else:
            annotation = model.model_fields[str(part)].annotation
    model = _model(annotation)
    return list(model.model_fields) if model else []


def _model(annotation: Any) -> type[BaseModel] | None:
    optional = get_origin(annotation) in (Union, UnionType)
    for option in get_args(annotation) if optional else [annotation]:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None

"""What a user wrote becomes complete settings, or one sentence about what is wrong.

Snakemake's own process runs this too; it has pydantic, since Snakemake depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from semantoks.config import Config
from semantoks.config.guide import places_of
from semantoks.config.suggestions import sentence, suggest
from semantoks.errors import UserError, shown

M = TypeVar("M", bound=BaseModel)
MOST_VALUES = 1_000_000
MOST_MISTAKES = 5  # in a message
MOST_PLACES = 4  # of a key; a longer list does not help
# What kind of value a key takes, by the beginning of pydantic's name for the error.
_KINDS = {
    "int_": "a whole number",
    "float_": "a number",
    "bool_": "true or false",
    "string_type": "a text (put numbers in quotes)",
    "list_type": "a list, such as [a, b]",
    "dict_type": "keys and values below it, such as `name: value`",
    "model_": "keys and values below it, such as `name: value`",
}
_LIMITS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "at least {min_length} in it",
    "too_long": "at most {max_length} in it",
    "string_pattern_mismatch": "a text of the form {pattern}",
}
# pydantic puts which kind of several a value was taken for behind the key.
_OF_UNION = re.compile(r"(constrained-)?(int|float|bool|str)$|(list|literal|function)\b")


def validated(
    model: type[M], content: Any, source: str, context: Mapping[str, Any] | None = None
) -> M:
    """Check settings and fill in every default.

    Parameters
    ----------
    model : type of BaseModel
    content : dict
        What the user wrote.
    source : str
        Where it was written, for the message.
    context : mapping, optional
        What the checks of the model need to know beside its settings.

    Raises
    ------
    UserError
        For everything that is wrong; checks of several keys together come after those of each.
    """
    _require_plausible_size(content, source)
    try:
        return model.model_validate(content, context=context)
    except ValidationError as error:
        mistakes = [_explain(model, details) for details in _one_per_place(error.errors())]
    raise UserError(f"{source}: {_listed(mistakes)}")


def _one_per_place(errors: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield errors without those at or below a place that has another.

    pydantic reports each kind that a value could have been.
    """
    places = list[tuple[int | str, ...]]()
    for details in sorted(errors, key=lambda details: len(details["loc"])):
        place = tuple(part for part in details["loc"] if not _OF_UNION.match(str(part)))
        if not any(place[: len(above)] == above for above in places):
            places.append(place)
            yield details


def _listed(mistakes: Sequence[str]) -> str:
    """Write mistakes on one line, with a number each if there are several."""
    if len(mistakes) == 1:
        return mistakes[0]
    numbered = [f"({n}) {text}" for n, text in enumerate(mistakes[:MOST_MISTAKES], 1)]
    more = len(mistakes) - len(numbered)
    return f"{len(mistakes)} mistakes: {' '.join(numbered)}{f' And {more} more.' if more else ''}"


def _require_plausible_size(content: Any, source: str) -> None:
    """Refuse content whose aliases multiply it, before anything walks through all of it."""
    waiting, seen = [content], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        if seen + len(waiting) > MOST_VALUES:
            raise UserError(f"{source} has more than {MOST_VALUES:,} values. Shorten its lists.")


def complete(config: dict[str, Any], source: str) -> dict[str, Any]:
    """Check a configuration and fill in every default; see `validated`."""
    return validated(Config, config, source).model_dump(mode="json")


def _explain(model: type[BaseModel], error: ErrorDetails) -> str:
    """Turn an error of pydantic into a sentence that says where and what to do."""
    *parents, last = error["loc"] or ("",)
    where = ".".join(shown(part) for part in error["loc"] if not _OF_UNION.match(str(part)))
    if error["type"] == "extra_forbidden":
        prefix = "".join(f"{part}." for part in parents)
        known = sorted(_keys_below(model, parents))
        typed = get_close_matches(str(last), known, n=1, cutoff=0.8)
        elsewhere = "" if typed else _right_place(model, str(last))
        hint = elsewhere or suggest(shown(last), known, prefix=prefix)
        return sentence(f"unknown key '{where}'; {hint}")
    if error["type"] == "missing":
        return f"'{where}' is missing{_meaning(model, error['loc'])}; add it."
    # pydantic puts "[key]" after a dictionary key that is itself invalid.
    if last == "[key]":
        more = ", '_' and '-'" if "datasets" in parents else ""
        name = shown(parents[-1])
        if error["input"] is None:
            return "a key is null, which stands for nothing in YAML; put it in quotes: 'null'."
        if error["type"] == "string_too_long":
            most = error["ctx"]["max_length"]
            return f"the name '{name}' has more than {most} characters; choose a shorter one."
        return f"the name '{name}' must start with a letter and have only letters, digits{more}"
    if error["type"] == "literal_error":
        # pydantic lists the choices as text: "'a', 'b' or 'c'".
        choices = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        hint = suggest(shown(error["input"]), sorted(choices))
        return sentence(f"{where} is '{shown(error['input'])}'; {hint}")
    if error["type"] == "value_error":
        return sentence(f"{where + ': ' if where else ''}{error['ctx']['error']}")
    return f"{where} is {_as_yaml(error['input'])}, {_expected(error)}."


def _expected(error: ErrorDetails) -> str:
    """Say what kind of value, or which numbers, a key takes."""
    if words := next((words for key, words in _KINDS.items() if error["type"].startswith(key)), ""):
        return f"expected {words}"
    if words := _LIMITS.get(error["type"], ""):
        return f"expected {words.format(**error['ctx'])}"
    return f"{error['msg'][0].lower()}{error['msg'][1:]}"


def _as_yaml(value: object) -> str:
    if value is None:
        return "empty"
    return str(value).lower() if isinstance(value, bool) else f"'{shown(value)}'"


def _right_place(model: type[BaseModel], key: str) -> str:
    """Say where in the configuration a key stands that is in the wrong place; "" if nowhere."""
    places = places_of(key) if model is Config else []
    if len(places) > MOST_PLACES:
        return ""
    listed = " or ".join(f"'{place}'" if place else "the top level" for place in places)
    return f"it is a key of {listed}" if places else ""


def _meaning(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """Return what a top-level key means, in brackets; nothing for a key below another."""
    field = model.model_fields.get(str(path[0])) if len(path) == 1 else None
    text = (field.description or "").split(",")[0].rstrip(".") if field else ""
    return f" ({text[0].lower()}{text[1:]})" if text else ""


def _keys_below(model: type[BaseModel], path: Iterable[int | str]) -> list[str]:
    """Keys that the settings know at a place."""
    annotation: Any = model
    for part in path:
        parent = _model(annotation)
        if parent is None:  # the values of a dictionary or a list
            annotation = get_args(annotation)[-1]
        else:
            annotation = parent.model_fields[str(part)].annotation
    parent = _model(annotation)
    return list(parent.model_fields) if parent else []


def _model(annotation: Any) -> type[BaseModel] | None:
    optional = get_origin(annotation) in (Union, UnionType)
    for option in get_args(annotation) if optional else [annotation]:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None

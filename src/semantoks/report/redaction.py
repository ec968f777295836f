"""The configuration without what its user wrote freely: paths, codes, labels and other texts.

What may be shown is listed, so that a new key is hidden until somebody decides. Numbers, choices
among fixed words and defaults say nothing about people and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from semantoks.config import Config

HIDDEN = "(not shown)"
ROUNDED_TO = 5
# Texts that stay: names that the page shows anyway, and those of columns, spaces and versions.
SHOWN = {
    *(
        "atlas",
        "datasets",
        "models",
        "preset",
        "combined",
        "title",
        "metric",
        "model",
        "protocol",
        "source",
    ),
    *("classes", "head", "preprocessing", "pretraining"),  # of published scores
    *("column", "participant_column", "group_column", "match"),
    *("age_column", "sex_column", "site_column", "motion_column"),
    *("space", "output_space", "version"),
    *("representations", "phenotypes"),  # of importance
}


def redacted(config: Config) -> Config:
    """Replace free texts by `HIDDEN`; the result is a configuration that passes all checks."""
    return Config.model_validate(_redacted_model(config))


def _redacted_model(model: BaseModel) -> dict[str, Any]:
    """Redact each field of a model; what is as the default says nothing."""
    content = dict[str, Any]()
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None or value == field.get_default():
            # Not left out: a preset would fill in its own value.
            content[name] = value
        elif name in SPECIAL:
            content[name] = SPECIAL[name](value)
        elif _has_settings(value):
            content[name] = _redacted_settings(value)
        elif name in SHOWN or not _holds_text(field.annotation):
            content[name] = value
        else:
            content[name] = _hidden(value)
    return content


def _has_settings(value: object) -> bool:
    """Whether a value is a model, or a list or mapping of models."""
    if isinstance(value, dict):
        value = next(iter(value.values()), None)
    elif isinstance(value, list):
        value = next(iter(value), None)
    return isinstance(value, BaseModel)


def _redacted_settings(value: Any) -> Any:
    """Redact models; the names of data sets, phenotypes, models and columns stay."""
    if isinstance(value, dict):
        return {name: _redacted_model(model) for name, model in value.items()}
    if isinstance(value, list):
        return [_redacted_model(model) for model in value]
    return _redacted_model(value)


def _holds_text(annotation: Any) -> bool:
    """Whether a type allows any text, rather than numbers and choices among fixed words."""
    origin = get_origin(annotation)
    if origin is Literal:
        return False
    if origin is Annotated:
        return _holds_text(get_args(annotation)[0])
    if origin in (Union, UnionType) or origin is not None:
        return any(_holds_text(part) for part in get_args(annotation))
    return annotation not in (bool, int, float, type(None), Ellipsis)


def _hidden(value: Any) -> Any:
    """Hide texts; of a list not even their number is shown."""
    if isinstance(value, dict):
        return {f"{HIDDEN} {n}": _hidden(part) for n, part in enumerate(value.values(), 1)}
    if isinstance(value, list | tuple):
        return list(dict.fromkeys(_hidden(part) for part in value))
    return HIDDEN if isinstance(value, str) else value


def _hidden_labels(entities: Mapping[str, Any]) -> dict[str, Any]:
    """Hide the labels of a filter; its entities are fixed words."""
    return {name: _hidden(labels) for name, labels in entities.items()}


def _hidden_values(include: Mapping[str, Any]) -> dict[str, Any]:
    """Hide the values of conditions by column; those of events are lists."""
    return _redacted_settings(include) if _has_settings(include) else _hidden_labels(include)


def _hidden_files(files: Mapping[str, str]) -> dict[str, str]:
    """Hide templates by trial type, in a form that their checks accept."""
    return {f"{HIDDEN} {n}": f"{{participant}} {HIDDEN}" for n in range(1, len(files) + 1)}


def _hidden_sites(repetition_time: Any) -> Any:
    """Hide the values of a column by which repetition times are given."""
    if not isinstance(repetition_time, dict):
        return repetition_time
    return {column: _hidden(times) for column, times in repetition_time.items()}


def _hidden_visit(keep: str) -> str:
    """Hide the value of a visit; two words are fixed."""
    return keep if keep in ("first", "last") else HIDDEN


def _option_names(arguments: list[str]) -> list[str]:
    """Keep options without their values."""
    return [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]


def _hidden_variants(variants: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Hide what a variant changes, except the name of its group of keys."""
    return {name: dict.fromkeys(changes, HIDDEN) for name, changes in variants.items()}


def _held_out(hold_out: int | str) -> int | str:
    """Hide the name of a file of people, and round their number."""
    return HIDDEN if isinstance(hold_out, str) else _rounded(hold_out)


def _rounded(people: int) -> int:
    """Round a number of participants, as the page does."""
    return people and max(ROUNDED_TO * round(people / ROUNDED_TO), ROUNDED_TO)


# Fields whose checks want a certain form, or of which a part may be shown.
SPECIAL: dict[str, Callable[[Any], Any]] = {
    "template": lambda template: f"{{participant}} {HIDDEN}",
    "t1w_template": lambda template: f"{{participant}} {HIDDEN}",
    "link_targets": lambda _: [f"/{HIDDEN}"],
    "files": _hidden_files,
    "include": _hidden_values,
    "entities": _hidden_labels,
    "t1w_entities": _hidden_labels,
    "repetition_time": _hidden_sites,
    "keep": _hidden_visit,
    "variants": _hidden_variants,
    "arguments": _option_names,
    "hold_out": _held_out,
    "train_people": _rounded,
    "validation_people": _rounded,
    "test_people": _rounded,
}

"""Check a configuration against its JSON schema and say in one sentence what is wrong.

Runs inside Snakemake's own process, which may have nothing but Snakemake's dependencies: hence
jsonschema here, and pydantic only where the schema is generated.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from semantoks.errors import UserError

SIMULATED_COLUMNS = ("age", "sex", "group", "trait", "null")


def check(config: dict[str, Any], schema: dict[str, Any], source: str) -> None:
    """Raise a `UserError` for the first thing that is wrong in `config`.

    Parameters
    ----------
    config : dict
        What the user wrote.
    schema : dict
        ``workflow/schemas/config.schema.json``.
    source : str
        Name of the file, for the message.
    """
    for error in sorted(Draft202012Validator(schema).iter_errors(config), key=_depth):
        raise UserError(f"{source}: {_explain(error)}")
    for problem in contradictions(config):
        raise UserError(f"{source}: {problem}")


def fill(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return `config` with every default that `schema` knows.

    Snakemake's own ``validate`` cannot do it: it fails on a key that may be null.
    """
    return _filled(config, schema, schema["$defs"])


def _filled(value: Any, schema: dict[str, Any], known: dict[str, Any]) -> Any:
    if "anyOf" in schema:
        schema = next((s for s in schema["anyOf"] if "$ref" in s), schema)
    if "$ref" in schema:
        schema = known[schema["$ref"].split("/")[-1]]
    if not isinstance(value, dict):
        return value
    result = dict(value)
    for key, about in schema.get("properties", {}).items():
        if key in result or "default" in about:
            result[key] = _filled(result.get(key, about.get("default")), about, known)
    for about in schema.get("patternProperties", {}).values():
        result = {key: _filled(inner, about, known) for key, inner in result.items()}
    return result


def _depth(error: ValidationError) -> tuple[int, str]:
    return len(error.absolute_path), str(error.absolute_path)


def _explain(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        if not allowed:
            return f"{where}: a name starts with a letter and has only letters and digits."
        wrong = next(key for key in error.instance if key not in allowed)
        return f"unknown key '{_join(where, wrong)}'{_nearest(str(wrong), allowed, where)}"
    if error.validator == "required":
        missing = next(k for k in error.validator_value if k not in error.instance)
        return f"'{_join(where, missing)}' is missing; add it."
    if error.validator in ("enum", "const"):
        value = error.validator_value
        choices = [str(choice) for choice in (value if isinstance(value, list) else [value])]
        return f"{where} is '{error.instance}'{_nearest(str(error.instance), choices, None)}"
    described = error.schema.get("description") if isinstance(error.schema, dict) else None
    meaning = f" ({described})" if described else ""
    return f"{where or 'the configuration'}: {error.message}{meaning}"


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _nearest(word: str, known: list[str], where: str | None) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0] if where is None else _join(where, close[0])}'?"
    return f"; known: {', '.join(sorted(known))}."


def contradictions(config: dict[str, Any]) -> Iterator[str]:
    """Yield what no schema can say: references between keys."""
    datasets = config.get("datasets") or {}
    if not datasets:
        yield "'datasets' is empty; name at least one data set."
    for name, dataset in datasets.items():
        if (dataset.get("path") is None) == (dataset.get("simulate") is None):
            yield f"datasets.{name} needs either 'path' or 'simulate', exactly one of them."
    for name, model in (config.get("models") or {}).items():
        architecture = model.get("architecture") or {}
        window, patch = architecture.get("window", 100), architecture.get("patch", 20)
        if window % patch:
            yield (
                f"models.{name}.architecture.patch is {patch}, which does not divide the window "
                f"of {window} volumes."
            )
        for dataset in model.get("datasets") or []:
            if dataset not in datasets:
                yield (
                    f"models.{name}.datasets names '{dataset}'"
                    f"{_nearest(dataset, list(datasets), None)}"
                )

"""The guide to every key, ``docs/configuration.md``, written from the models themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from semantoks.config import json_schema


def guide() -> str:
    """Write the guide as Markdown: one table per group of keys."""
    schema = json_schema()
    lines = [
        "# Every key of the configuration",
        "",
        "Written by `make schema` from `src/semantoks/config/`. A key that is left out has its",
        "default; a key that does not exist is an error that names the nearest one.",
    ]
    for path, about in _groups("", schema, schema["$defs"]):
        lines += ["", f"## {f'`{path}`' if path else 'Top level'}", "", about["description"], ""]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        lines += [_row(key, value) for key, value in about["properties"].items()]
    return "\n".join(lines) + "\n"


def _groups(
    path: str, about: dict[str, Any], known: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, about
    for key, value in about["properties"].items():
        place = f"{path}.{key}" if path else key
        for option in [value, *value.get("anyOf", [])]:
            if "$ref" in option:
                yield from _groups(place, known[_name(option)], known)
        for option in value.get("patternProperties", {}).values():
            yield from _groups(f"{place}.<name>", known[_name(option)], known)


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).split("/")[-1]


def _row(key: str, about: dict[str, Any]) -> str:
    nested = "$ref" in about or "patternProperties" in about
    default = "" if nested else f"`{json.dumps(about.get('default'), ensure_ascii=False)}`"
    choices = about.get("enum") or about.get("items", {}).get("enum")
    one_of = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return f"| `{key}` | {default} | {about.get('description', '')}{one_of} |"

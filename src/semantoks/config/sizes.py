"""Sizes of a model by a single word, so that nobody has to know twelve numbers to begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Size = Literal["paper", "small"]
# What differs from the paper's. For a few hundred scans and a CPU; these are those of the demo.
_SMALL: dict[str, dict[str, Any]] = {
    "architecture": {
        "window": 60,  # volumes; at least two of them in a scan, so that views need not overlap
        "tokenizer": {"dense_channels": 32, "structured_channels": 32},
        "depth": 4,
        "projector_hidden": 128,
        "projector_output": 32,
    },
    "training": {
        "epochs": 75,
        "batch_size": 48,
        "learning_rate": 5e-3,
        "max_overlap": 0.0,
        "warmup_epochs": 8.0,
        "teacher_momentum": 0.96,  # the teacher averages over about 25 steps
    },
}


def with_size(content: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what the size of a model says; keys that are there count.

    Parameters
    ----------
    content : mapping
        A model of the configuration, before it is validated.
    """
    filled = dict(content)
    if filled.get("size") == "small" and filled.get("checkpoint") is None:
        for key, values in _SMALL.items():
            filled[key] = _merged(values, filled.get(key, {}))
    return filled


def small_values() -> str:
    """List the values that a small model sets, with their keys."""
    return ", ".join(f"`{key}: {value:g}`" for key, value in _flat(_SMALL))


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield key, value


def _merged(defaults: Mapping[str, Any], given: Any) -> Any:
    """Put given values over defaults, at any depth; what is no mapping is for the validation."""
    if not isinstance(given, Mapping):
        return given
    merged = {**defaults, **given}
    nested = [key for key, value in defaults.items() if isinstance(value, Mapping) and key in given]
    return merged | {key: _merged(defaults[key], given[key]) for key in nested}

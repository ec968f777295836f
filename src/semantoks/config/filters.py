"""Filters of raw images by the entities in their names, as PyBIDS and fMRIPrep have them."""

from __future__ import annotations

from typing import Any

from pydantic import StrictInt, StrictStr

from semantoks.config.suggestions import suggest

_EntityValue = StrictStr | StrictInt | None
# None is for files without the entity, `*` for files with any value of it.
EntityFilter = dict[str, _EntityValue | list[_EntityValue]]
FILTERED = ("ses", "acq", "ce", "rec", "dir", "run", "echo", "part", "chunk")


def check_filter(chosen: Any) -> Any:
    """Check what a user wrote as a filter.

    Raises
    ------
    ValueError
        When a key is no entity, or a value no label.
    """
    for name, values in chosen.items() if isinstance(chosen, dict) else ():
        if name == "task":
            raise ValueError("'task' is a key of the data set itself; set it there")
        if name not in FILTERED:
            raise ValueError(f"'{name}' is no entity; {suggest(str(name), FILTERED)}")
        for value in values if isinstance(values, list) else [values]:
            # YAML reads `no` as false; pydantic would name every type of the union.
            if isinstance(value, bool | float | dict | list):
                raise ValueError(f"{name} is {value}; put labels in quotes, as {name}: 'no'")
    return chosen

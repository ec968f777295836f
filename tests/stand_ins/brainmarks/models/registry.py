"""What the suite's registry (brainmarks 0.1.1) does with a plug-in, for tests without it.

Written from its documented interface: a decorator that keeps a function under its name, and a
constructor that returns the pair of transform and model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_registered: dict[str, Callable[..., Any]] = {}


def register_model(function: Callable[..., Any]) -> Callable[..., Any]:
    _registered[function.__name__] = function
    return function


def create_model(name: str, **kwargs: Any) -> tuple[Any, Any]:
    transform, model = _registered[name](**kwargs)
    return transform, model

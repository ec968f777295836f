"""Read the file of a reference checkpoint: its weights, wherever they are in it, and options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from semantoks.errors import UserError, shown
from semantoks.model.files.weights import damaged, require_pytorch

# Where the weights are in a file: of the reference, of Lightning, and of many scripts.
_CONTAINERS = ("model_state_dict", "state_dict", "model")
ROLES = ("student_encoder.", "teacher_encoder.")


class Options(NamedTuple):
    """What is not determined by the weights, with the reference's defaults."""

    patch: int
    token_weight: float
    momentum: float

    @classmethod
    def from_config(cls, config: object) -> Options:
        """Pick the options out of the reference's nested configuration."""
        return cls(
            patch=int(_option(config, "data", "patch_size", 20)),
            token_weight=_option(config, "ssl", "mask_loss_weight", 0.5),
            momentum=_option(config, "dino", "base_teacher_momentum", 0.99),
        )


def has_patch(config: object) -> bool:
    """Whether the configuration says the size of a patch, which no weight determines."""
    return "patch_size" in _section(config, "data")


def _section(config: object, name: str) -> Mapping[str, Any]:
    section = config.get(name, {}) if isinstance(config, Mapping) else None
    if not isinstance(section, Mapping):
        raise ValueError(f"its 'config' has no section '{name}' of names and values")
    return section


def _option(config: object, section: str, name: str, default: float) -> float:
    value = _section(config, section).get(name, default)
    whole = isinstance(default, int)
    if not isinstance(value, int if whole else int | float):
        raise ValueError(f"{section}.{name} of its 'config' is '{shown(value)}', expected a number")
    return value


def read_checkpoint(path: Path) -> dict[Any, Any]:
    """Return the content of a checkpoint file without running its pickle.

    Raises
    ------
    UserError
        If the file is missing, damaged, of another kind, or contains other objects than tensors
        and plain values.
    """
    if not path.exists():
        raise UserError(f"There is no checkpoint at {path}. Check the path.")
    require_pytorch(path)
    # A pickle can run any code when it is loaded; `weights_only` admits tensors and plain values.
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    # A damaged pickle can raise nearly anything else.
    except Exception as error:
        text = str(error)
        if "global" not in text.lower() and "TorchScript" not in text:
            # PyTorch's own text advises to load such a file unsafely.
            unsafe = text.startswith("Weights only")
            raise damaged(path, "it is no pickle" if unsafe else error) from error
        raise UserError(
            f"{path} could not be read as plain weights; other pickled objects are refused, "
            "because loading them can run code. Save it again as a dict of tensors "
            "('model_state_dict') and plain values ('config')."
        ) from error
    if not isinstance(content, dict):
        raise UserError(
            f"{path} holds a {type(content).__name__}, expected a dict with 'model_state_dict'. "
            "Name the reference checkpoint that the training wrote."
        )
    return content


def find_state(content: Mapping[Any, Any], path: str | Path) -> Mapping[Any, Any]:
    """Return the weights of student and teacher, which files hold under different keys.

    Raises
    ------
    UserError
        If they are under no key, or under several.
    """
    containers = {key: content[key] for key in _CONTAINERS if key in content}
    fitting = [state for state in (containers or {"": content}).values() if _has_encoders(state)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UserError(
            f"{path} has weights under {' and '.join(map(repr, containers))}, and which of them "
            "are meant is not known. Save it again with 'model_state_dict' alone."
        )
    (place, names), *_ = [*containers.items(), ("it", content)]
    is_mapping = isinstance(names, Mapping)
    keys = [f"'{shown(key)}'" for key in names] if is_mapping else [type(names).__name__]
    listed = ", ".join(keys[:4]) + (", …" if len(keys) > 4 else "")
    raise UserError(
        f"{path} has no weights of student_encoder and teacher_encoder, expected under "
        f"'model_state_dict' (in {place}: {listed or 'nothing'}). Name the reference checkpoint "
        "that the training wrote."
    )


def _has_encoders(state: object) -> bool:
    if not isinstance(state, Mapping):
        return False
    return any(f".{role}" in f".{name}" for name in state for role in ROLES)

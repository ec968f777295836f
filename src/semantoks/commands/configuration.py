"""The text of a configuration as values, before they are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from semantoks.errors import UserError


def read_configuration(path: Path) -> Any:
    """Read a configuration, which is YAML.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UserError
        When it cannot be read, with the line that is wrong.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(
            f"{path}{where}: no valid YAML ({error.problem}). Indent with spaces, the keys of a "
            "group alike, and close what is open."
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read ({error}). Correct it.") from None

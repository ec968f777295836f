"""Run one stage: check its settings and inputs, do the work, record where its output is from."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semantoks.artifacts.provenance import record, verified
from semantoks.commands.stage import Stage
from semantoks.config import Settings
from semantoks.config.validation import validated
from semantoks.errors import LONGEST_PATH, UserError, shown

log = logging.getLogger(__name__)


def run_stage(stage: Stage, text: str, out: Path, options: Mapping[str, Any]) -> None:
    """Run a stage and write a provenance sidecar beside each of its artifacts.

    Parameters
    ----------
    stage : Stage
    text : str
        Settings as JSON, or the name of a JSON file.
    out : Path
    options : mapping
        Value of each of `stage.options` by name.

    Raises
    ------
    UserError
        When settings or inputs are wrong, or the stage cannot go on.
    """
    settings, started = read_settings(stage, text), time.monotonic()
    lists = [option.name for option in stage.options if option.kind == "inputs"]
    options = {**options, **{name: listed(options[name]) for name in lists}}
    inputs = _input_files(stage, options)
    for path in inputs:
        if not path.exists():
            raise UserError(f"{path} does not exist; `{stage.command}` reads it.")
    if not _is_first_rank():
        stage.function()(settings, out=out, **options)
        return
    # Before the work, so that what is recorded is what the stage was given.
    hashes = verified(inputs)
    written = stage.function()(settings, out=out, **options)
    seconds = time.monotonic() - started
    content = settings.model_dump(mode="json")
    for artifact in written:
        record(artifact, stage.command, content, hashes, seconds)
    log.info("done in %.1f s", seconds)


def read_settings(stage: Stage, text: str) -> Settings:
    """Validate the settings of a stage, given as JSON or as the name of a JSON file.

    Raises
    ------
    UserError
        Naming the first key that is wrong or missing.
    """
    source = f"--settings of {stage.command}"
    try:
        if not text.lstrip().startswith("{"):
            text, source = Path(text).read_text(encoding="utf-8"), shown(text, LONGEST_PATH)
        content = json.loads(text)
    except (OSError, ValueError) as error:
        reason: object = error
        if isinstance(error, OSError):
            reason = f"{error.strerror}: {shown(text, LONGEST_PATH)}"
        raise UserError(
            f"{source} is neither JSON nor a readable JSON file ({reason}). Write it as "
            """'{"key": value}'."""
        ) from None
    # Checked first: settings of another version also have other keys, and a message about those
    # would mislead. Settings written by hand may leave the version out.
    number = content.get("version", stage.version) if isinstance(content, dict) else stage.version
    if number != stage.version:
        raise UserError(
            f"{source} is for version {number} of `{stage.command}`, which is now version "
            f"{stage.version}. Run snakemake again."
        )
    return validated(stage.settings, content, source)


def listed(paths: Sequence[Path]) -> list[Path]:
    """Replace ``@FILE`` by the names in FILE, one per line; a command line is limited in length.

    A file whose own name begins with @ is that file.

    Raises
    ------
    UserError
        When the list cannot be read.
    """
    files: list[Path] = []
    for path in paths:
        if not str(path).startswith("@") or path.exists():
            files.append(path)
            continue
        try:
            content = Path(str(path)[1:]).read_bytes()
        except OSError as error:
            raise UserError(
                f"{path} stands for the files that {str(path)[1:]} lists, one per line, which "
                f"cannot be read ({error.strerror})."
            ) from None
        files += [Path(os.fsdecode(name)) for name in content.split(b"\n") if name]
    return files


def _input_files(stage: Stage, options: Mapping[str, Any]) -> list[Path]:
    paths: list[Path] = []
    for option in stage.options:
        value = options[option.name]
        if option.kind == "inputs":
            paths += value
        elif option.kind == "input" and value:
            paths.append(value)
    return paths


def _is_first_rank() -> bool:
    """Whether this process is to hash and record: `system.ranks` starts several with a command."""
    return os.environ.get("RANK", "0") == "0"

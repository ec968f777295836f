"""What a stage of the pipeline is to the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from semantoks.config import Settings


@dataclass(frozen=True)
class Option:
    """One option of a stage.

    Attributes
    ----------
    name : str
        Name of the function's argument; dashes instead of underscores on the command line.
    help : str
    kind : {"input", "inputs", "path", "word", "number", "json"}
        Input files are checked against their checksums and recorded; a path is not.
    required : bool
    default
        Its value where it is left out.
    """

    name: str
    help: str
    kind: Literal["input", "inputs", "path", "word", "number", "json"]
    required: bool = True
    default: Any = None

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def parser_arguments(self) -> dict[str, Any]:
        """Arguments for `argparse.ArgumentParser.add_argument`."""
        types = {"word": str, "number": int, "json": json.loads}
        metavars = {"input": "FILE", "inputs": "FILE", "number": "N"}
        # An empty optional input of a rule leaves the flag without a value, which both accept.
        many = {"nargs": "*"} if self.kind == "inputs" else {}
        if self.kind == "input" and not self.required:
            many = {"nargs": "?"}
        notes = {"number": f" (default: {self.default})", "inputs": " @FILE: those in this list."}
        return many | {
            "help": self.help + notes.get(self.kind, ""),
            "type": types.get(self.kind, Path),
            "metavar": metavars.get(self.kind, self.kind.upper()),
            "required": self.required,
            "default": self.default,
        }


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes
    ----------
    name : str
        Name of the rule, the function and (with dashes) the sub-command.
    package : str
        Its folder, as ``data.index``.
    help : str
    settings : type of Settings
        What its output depends on beside its inputs.
    out : str
        What ``--out`` is.
    options : sequence of Option
    """

    name: str
    package: str
    help: str
    settings: type[Settings]
    out: str
    options: Sequence[Option] = ()

    @property
    def command(self) -> str:
        """Name on the command line."""
        return self.name.replace("_", "-")

    @property
    def version(self) -> int:
        """Number that is raised when the stage's output changes."""
        number: int = self.settings.model_fields["version"].default
        return number

    def function(self) -> Callable[..., list[Path]]:
        """Import the function that does the work and returns the artifacts it wrote."""
        module = import_module(f"semantoks.{self.package}.stage")
        work: Callable[..., list[Path]] = getattr(module, self.name)
        return work


def input_option(name: str, text: str) -> Option:
    """Declare one input file."""
    return Option(name, text, "input")


def inputs_option(name: str, text: str, *, optional: bool = False) -> Option:
    """Declare any number of input files."""
    return Option(name, text, "inputs", not optional, ())


def path_option(name: str, text: str) -> Option:
    """Declare a path that is not checked or recorded."""
    return Option(name, text, "path")


def word_option(name: str, text: str) -> Option:
    """Declare a word."""
    return Option(name, text, "word")

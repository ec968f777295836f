"""The command: look, guess, write, and say what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from semantoks.artifacts.files import atomic
from semantoks.commands.init.atlas import guess_atlas
from semantoks.commands.init.folder import DataFolder, look_at, seconds_of_image
from semantoks.commands.init.people import PeopleTable, find_table
from semantoks.commands.init.text import GIVEN, configuration_text
from semantoks.commands.names import CONFIGURATION
from semantoks.config import Config, catalogue
from semantoks.config.validation import validated
from semantoks.errors import UserError

MOST_SHOWN = 5
FEW = 30  # people: some scans of them may be excluded
GENERIC = {"bids", "rawdata", "raw", "data", "derivatives", "fmriprep", "xcpd", "timeseries"}


def init(
    path: Path,
    out: Path = CONFIGURATION,
    *,
    participants: Path | None = None,
    size: str = "small",
    atlas: str | None = None,
    repetition_time: float | None = None,
) -> Iterator[str]:
    """Write a configuration for the data in a folder, and yield what to say about it.

    Parameters
    ----------
    path : Path
        Folder of a data set.
    out : Path
        Not there yet.
    participants : Path, optional
        Table of participants, if it is not found.
    size : str
        Of the model.
    atlas : str, optional
        Of time series, if it is not recognised.
    repetition_time : float, optional
        Of time series that do not state it, in seconds.

    Raises
    ------
    UserError
        When `out` exists, or nothing in the folder is recognised.
    """
    data = look_at(path)
    if not out.parent.is_dir():
        raise UserError(f"{out} cannot be written: there is no folder {out.parent}. Make it first.")
    if out.exists():
        raise UserError(f"{out} is there already. Name another file with --out, or move it away.")
    preset = catalogue.read_preset(data.preset) if data.preset else {}
    table = find_table(data, participants, preset.get("missing_values", []))
    guess = (atlas, GIVEN) if atlas else guess_atlas(data.example)
    name = _name(data.path.resolve())
    seconds = seconds_of_image(data.example)
    class_names = catalogue.class_names(data.preset) if data.preset else {}
    text = configuration_text(
        data, name, table, guess, size, preset, repetition_time, seconds, class_names
    )
    validated(Config, yaml.safe_load(text), str(out))
    with atomic(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    yield from _findings(data, name, table, None if atlas else guess)
    named = "" if out == CONFIGURATION else f" --configuration {out}"
    yield f"Written: {out}. Check its lines with (?), then: semantoks run{named}"


def _findings(
    data: DataFolder, name: str, table: PeopleTable | None, guess: tuple[str, str] | None
) -> Iterator[str]:
    """Yield what was found in a folder and in its table of participants."""
    people = f" of {_people(len(data.people))}" if data.people else ""
    called = f" Results call it '{name}'." if name not in data.path.resolve().parts else ""
    yield f"{data.path}: {data.kind}{people}.{called}"
    if table is None:
        yield "No table of participants was found: time series are made, and nothing is scored."
    else:
        kinds = [column.kind for column in table.columns]
        yield (
            f"{table.path}: {kinds.count('classification')} phenotypes in classes and "
            f"{kinds.count('regression')} in numbers."
        )
        left_out = [f"{c.name} ({c.remark})" for c in table.columns if not c.kind]
        if left_out:
            yield f"Not proposed: {_few(left_out, '; ')}."
    if guess and data.source == "timeseries":
        yield f"Atlas: {guess[0]}, a guess from the {guess[1]}; --atlas NAME names another."
    if table is not None and 0 < len(data.people) < FEW:
        now = [column.name for column in table.columns if column.kind and not column.is_compared]
        yield (
            f"{_people(len(data.people))} are few: with fewer than 20 of them usable, or fewer "
            "than 5 of a class beside the 10 that are tested, no model is compared with "
            f"connectivity.{f' Too few already: {_few(now)}.' if now else ''}"
        )


def _few(texts: Sequence[str], separator: str = ", ") -> str:
    """List the first of some texts."""
    return separator.join([*texts[:MOST_SHOWN], *(["…"] if len(texts) > MOST_SHOWN else [])])


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _name(path: Path) -> str:
    """Name a data set after its folder, or after the first above it whose name says something."""
    names = (re.sub(r"[^A-Za-z0-9]", "", folder.stem) for folder in (path, *path.parents))
    return next((name for name in names if name and name.lower() not in GENERIC), "data")

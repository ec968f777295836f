"""The configuration as commented YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from joblib import cpu_count

from semantoks.commands.init.folder import DataFolder
from semantoks.commands.init.people import Column, PeopleTable
from semantoks.config import CHUNKS

PEOPLE_PER_SHARD, MOST_PHENOTYPES, MOST_LISTED = 100, 6, 60
# The built-in engine loses a shard that is interrupted, which takes a minute and more per scan.
PER_SHARD = {"bids": 5, "fmriprep": 10}  # images, which shards read side by side
MOST_SHARDS_OF_IMAGES = 40
GIVEN = "given"  # a name that is no guess
# 24 motion regressors and two of tissues leave no 10 degrees of freedom in a shorter scan, at the
# default band-pass of 0.01 to 0.1 Hz; nothing is censored here yet.
FEW_SECONDS = 300
USUAL = re.compile(r"(?i)^(age|sex|gender|dx|diagnos|group|iq|fiq|bmi)|_(age|sex|group|dx)$")
TR_COLUMNS = ("tr", "repetition_time", "repetitiontime")


def configuration_text(
    data: DataFolder,
    name: str,
    table: PeopleTable | None,
    atlas: tuple[str, str] | None,
    size: str,
    preset_keys: Mapping[str, object],
    repetition_time: float | None = None,
    seconds: float | None = None,
    class_names: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Write the configuration of a data set, with a comment beside what was guessed.

    Parameters
    ----------
    data : DataFolder
    name : str
        Of the data set.
    table : PeopleTable, optional
    atlas : tuple of str, optional
        Its name, and what the guess is from.
    size : str
        Of the model.
    preset_keys : mapping
        What the preset says, which is not repeated.
    repetition_time : float, optional
        In seconds, of time series that do not state it.
    seconds : float, optional
        Length of a scan.
    class_names : mapping, optional
        Names of the classes of columns, by value.
    """
    lines = [
        f"# Written by `semantoks init {data.path}`: {data.kind}.",
        "# Check the lines with (?), which are guesses. Every key: `semantoks guide`",
        "",
        _atlas_line(data, atlas),
        "",
        "datasets:",
        f"  {name}:",
        *_indented(4, _dataset_lines(data, table, preset_keys, repetition_time)),
        *_indented(4, _phenotype_lines(table, class_names or {})),
        "",
        "models:",
        "  semantoks:",
        _line(4, "size", size, "`small` for a CPU; `paper` for a GPU and thousands of scans"),
        *_thread_lines(size),
        _line(4, "readouts", ["pooled", "full"], "the paper's, and all blocks"),
    ]
    if data.source != "timeseries" and seconds is not None and seconds < FEW_SECONDS:
        remark = f"scans of {seconds:.0f} s are too short to regress out 24 motion regressors"
        lines += ["", "parcellation:", _line(2, "motion", "basic", remark)]
    if data.source == "bids":
        remark = "built in; `fmriprep` runs fMRIPrep in a container"
        lines += ["", "preprocessing:", _line(2, "engine", "minimal", remark)]
        lines.append(_line(2, "voxel_size", 2, "mm, of the images that are written"))
    lines += [
        "",
        "report:",
        _line(2, "participants", False, "`true` shows ids, and groups of fewer than 5"),
    ]
    return "\n".join(lines) + "\n"


def _thread_lines(size: str) -> list[str]:
    """Write how many CPU threads train a small model: as many as there are cores and chunks."""
    if size != "small":
        return []
    threads = max(n for n in range(1, CHUNKS + 1) if CHUNKS % n == 0 and n <= cpu_count())
    return [_line(4, "cpu_threads", threads, "of pretraining; the last digits depend on it")]


def _atlas_line(data: DataFolder, atlas: tuple[str, str] | None) -> str:
    if data.source != "timeseries":
        name = atlas[0] if atlas and atlas[1] == GIVEN else "seitzman300"
        others = "or schaefer400x7, semantoks457 (the paper's), …"
        if data.source == "bids":
            others = f"with engine fmriprep also {others.removeprefix('or ')}"
        return _line(0, "atlas", name, others)
    if atlas is None:
        return "# atlas:  (?) of these time series; `semantoks guide` lists the names"
    return _line(0, "atlas", atlas[0], f"(?) {atlas[1]}")


def _dataset_lines(
    data: DataFolder,
    table: PeopleTable | None,
    preset_keys: Mapping[str, object],
    repetition_time: float | None,
) -> list[str]:
    """Write the keys of the data set."""
    people = f"{len(data.people)} people" if data.people else ""
    lines = [_line(0, "path", str(data.path.resolve()), people)]
    if data.preset:
        lines.append(_line(0, "preset", data.preset, f"`semantoks preset {data.preset}` shows it"))
    lines.append(_line(0, "source", data.source))
    if data.template:
        lines.append(_line(0, "template", data.template))
    if len(data.tasks) > 1:
        others = ", ".join(data.tasks[1:])
        lines.append(_line(0, "task", data.tasks[0], f"(?) there is also: {others}"))
    if repetition_time is not None:
        lines.append(_line(0, "repetition_time", repetition_time, "TR in seconds"))
    elif data.source == "timeseries" and "repetition_time" not in preset_keys:
        lines += _repetition_time(data, table)
    if table is None:
        lines.append("# participants:  (?) the table of participants, for phenotypes")
    else:
        lines += _table_lines(data, table, preset_keys)
    shards = _shards(data)
    if shards > 1 or "shards" in preset_keys:
        lines.append(_line(0, "shards", shards, "parts; as many at a time as there are cores"))
    return lines


def _shards(data: DataFolder) -> int:
    people = len(data.people)
    shards = max(1, round(people / PEOPLE_PER_SHARD))
    if data.source in PER_SHARD:
        of_images = math.ceil(people / PER_SHARD[data.source])
        shards = max(shards, min(MOST_SHARDS_OF_IMAGES, of_images))
    return shards


def _repetition_time(data: DataFolder, table: PeopleTable | None) -> list[str]:
    if str(data.example).endswith(".parquet"):
        return []
    names = [column.name for column in table.columns] if table else []
    column = next((name for name in names if name.lower() in TR_COLUMNS), None)
    if column:
        return [_line(0, "repetition_time", column, "(?) column of the TR in seconds")]
    return ["# repetition_time: 2.0  (?) TR in seconds, needed if no sidecar states it"]


def _table_lines(
    data: DataFolder, table: PeopleTable, preset_keys: Mapping[str, object]
) -> list[str]:
    """Write the keys of the table of participants that differ from their defaults."""
    folder = data.path.resolve()
    given = table.path.resolve()
    inside = given.is_relative_to(folder)
    values: dict[str, tuple[object, str]] = {
        "participants": (str(given.relative_to(folder) if inside else given), ""),
        "participant_column": (table.id_column, ""),
    }
    if table.digits:
        values["participant_digits"] = (table.digits, "of the ids in file names")
    for key, column in table.keys.items():
        values[key] = (column, "(?)" if key == "group_column" else "")
    if table.missing:
        columns = "; ".join(f"{code} in {_some(names)}" for code, names in table.missing.items())
        values["missing_values"] = (list(table.missing), f"(?) {columns}")
    defaults = {"participants": "participants.tsv", "participant_column": "participant_id"}
    return [
        _line(0, key, value, remark)
        for key, (value, remark) in values.items()
        if value != defaults.get(key) and key not in preset_keys
    ]


def _some(names: list[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")


def _phenotype_lines(
    table: PeopleTable | None, class_names: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Write the columns to predict, then others as comments, and why the rest is left out."""
    columns = table.columns if table else []
    predicted = [column for column in columns if column.kind]
    rest = [column for column in columns if not column.kind][:MOST_LISTED]
    remarks = [f"  # not {_scalar(column.name)}: {column.remark}" for column in rest]
    if not predicted:
        return ["# phenotypes:  (?) columns of the table of participants to predict", *remarks]
    # What most people ask for comes first; the others are there to be taken in.
    predicted.sort(key=lambda column: not USUAL.search(column.name))
    chosen, others = predicted[:MOST_PHENOTYPES], predicted[MOST_PHENOTYPES:MOST_LISTED]
    lines = [
        "phenotypes: # (?) columns to predict, at most six, usual ones first: take out what you do "
        "not want"
    ]
    named = {column.name: class_names.get(column.name, {}) for column in predicted}
    lines += [f"  {_phenotype(column, named[column.name])}" for column in chosen]
    lines += [f"  # {_phenotype(column, named[column.name])}" for column in others]
    return lines + remarks


def _phenotype(column: Column, names: Mapping[str, str]) -> str:
    """Write a column to predict, with names of its classes if each of them has one."""
    if not column.classes or not set(column.classes) <= set(names):
        return _line(0, column.name, column.kind, column.remark)
    values = {value: names[value] for value in column.classes}
    return _line(0, column.name, {"kind": column.kind, "values": values}, column.remark)


def _line(indent: int, key: str, value: object, comment: str = "") -> str:
    text = f"{' ' * indent}{_scalar(key)}: {_scalar(value)}"
    return f"{text}  # {comment}" if comment else text


def _indented(indent: int, lines: Iterable[str]) -> list[str]:
    return [f"{' ' * indent}{line}" for line in lines]


def _scalar(value: object) -> str:
    """Write a value in a line of YAML, in quotation marks where it needs them."""
    text: str = yaml.safe_dump(
        str(value) if isinstance(value, Path) else value,
        default_flow_style=True,
        allow_unicode=True,
        width=10_000,
    )
    return text.removesuffix("...\n").strip()

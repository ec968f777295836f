"""How an artifact was made, down to the raw data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import sha256, sidecar
from semantoks.data.index.shards import read_shard
from semantoks.errors import UserError

WIDTH = 100  # of a line
MOST_SCANS = 50  # of a shard; its table has all


@dataclass
class _Seen:
    """What has been explained.

    Attributes
    ----------
    stages : dict of Path to str
        Which stage made each artifact.
    others : set of Path
        Files that Semantoks did not make.
    changed : dict of Path to str
        Files that are not what they were when they were used.
    """

    stages: dict[Path, str] = field(default_factory=dict)
    others: set[Path] = field(default_factory=set)
    changed: dict[Path, str] = field(default_factory=dict)

    def summary(self) -> str:
        """Return a sentence about all of them."""
        made, stages, others = len(self.stages), len(set(self.stages.values())), len(self.others)
        changes = "; ".join(f"{path}{change}" for path, change in self.changed.items())
        return (
            f"In all: {made} files by {stages} stages, and {others} other files; "
            f"{changes or 'none has changed'}."
        )


def why(path: Path) -> Iterator[str]:
    """Yield lines about how an artifact was made: stage, settings and, indented, its inputs.

    The last inputs are the tables of scans, with the files of each in the data set. The last line
    sums up.

    Raises
    ------
    UserError
        When `path` does not exist or has no sidecar.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist. Name a file below results/.")
    if path.is_dir() and not sidecar(path).exists():
        inside = next((file for file in sorted(path.rglob("*")) if sidecar(file).exists()), None)
        example = f", such as {inside}" if inside else ""
        raise UserError(f"{path} is a folder of several artifacts. Name a file in it{example}.")
    if not sidecar(path).exists():
        raise UserError(f"{path} has no {sidecar(path).name}, so Semantoks did not write it.")
    seen = _Seen()
    yield from _explain(path, path, 0, seen)
    if len(seen.stages) + len(seen.others) > 1:
        yield seen.summary()


def _root_of(path: Path) -> Path:
    """Return the folder of the run, which the names of inputs are relative to."""
    above = (folder for folder in path.resolve().parents if folder.name in ("results", "resources"))
    return next((folder.parent for folder in above), Path())


def _explain(name: Path, path: Path, depth: int, seen: _Seen) -> Iterator[str]:
    """Explain a file and what it was made from, each file once.

    Parameters
    ----------
    name : Path
        As it is shown.
    path : Path
        Where it is.
    depth : int
    seen : _Seen
        Added to.
    """
    indent = "  " * depth
    if path in seen.stages or path in seen.others:
        yield f"{indent}{name} (see above)"
        return
    if not sidecar(path).exists():
        seen.others.add(path)
        yield f"{indent}{name}" + ("" if path.exists() else " (no longer there)")
        return
    content = read_json(sidecar(path))
    version, seconds = content["software"]["semantoks"], content["seconds"]
    seen.stages[path] = content["stage"]
    change = _change(path, content["sha256"])
    if change:
        seen.changed[name] = change
    yield f"{indent}{name}: {content['stage']}, {seconds} s, semantoks {version}{change}"
    for key, value in content["settings"].items():
        if key != "version":
            yield from _setting(key, value, f"{indent}  · ")
    root = _root_of(path)
    for used, digest in content["inputs"].items():
        if change := _change(root / used, digest):
            seen.changed[Path(used)] = change
            yield f"{indent}  ! {used}{change} this was made"
        yield from _explain(Path(used), root / used, depth + 1, seen)
    if content["stage"] == "index" and path.match("shard-*.tsv"):
        yield from (f"{indent}  - {line}" for line in _files_of_scans(path))


def _setting(key: str, value: object, indent: str) -> Iterator[str]:
    """Yield a setting; of one with keys of its own that do not fit a line, each key."""
    text = _text(value)
    if not text:
        return
    if isinstance(value, dict) and len(indent) + len(key) + len(text) > WIDTH:
        yield f"{indent}{key}:"
        for name, part in value.items():
            yield from _setting(name, part, f"  {indent}")
    else:
        yield f"{indent}{key}: {text}"


def _text(value: object) -> str:
    """Return the text of a setting, without what is not set; empty if nothing is."""
    if isinstance(value, dict):
        parts = [(key, _text(part), part) for key, part in value.items()]
        return ", ".join(
            f"{key} ({text})" if isinstance(part, dict) else f"{key} {text}"
            for key, text, part in parts
            if text
        )
    if isinstance(value, list):
        return " ".join(map(_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value}"


def _files_of_scans(shard: Path) -> Iterator[str]:
    """Yield the files of each scan of a shard, relative to the data set."""
    table = read_shard(shard)
    columns = [name for name in ("bold", "t1w", "file") if name in table]
    if not columns:
        return
    for row in table.head(MOST_SCANS).itertuples():
        files = [str(getattr(row, name)) for name in columns if getattr(row, name)]
        yield f"{row.scan}: {', '.join(files)}"
    if len(table) > MOST_SCANS:
        yield f"and {len(table) - MOST_SCANS} other scans, which {shard} lists"


def _change(path: Path, digest: str) -> str:
    if not path.exists():
        return ", DELETED since"
    return "" if sha256(path) == digest else ", CHANGED since"

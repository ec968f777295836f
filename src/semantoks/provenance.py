"""Where an artifact comes from: a JSON sidecar beside each one."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semantoks import __version__
from semantoks.errors import UserError
from semantoks.store import read_json, write_json

SUFFIX = ".provenance.json"


def sha256(path: Path) -> str:
    """Hash a file; a folder is known by the table of its scans."""
    file = path / "scans.tsv" if path.is_dir() else path
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sidecar(path: Path) -> Path:
    """Name of the sidecar of an artifact."""
    return path.with_name(path.name + SUFFIX)


def record(
    output: Path, stage: str, settings: Mapping[str, Any], inputs: Sequence[Path], seconds: float
) -> None:
    """Write the sidecar of `output`: software, settings, hashes of inputs, seconds."""
    content = {
        "stage": stage,
        "software": {"semantoks": __version__, "python": platform.python_version()},
        "settings": dict(settings),
        "inputs": {str(path): sha256(path) for path in inputs},
        "sha256": sha256(output),
        "seconds": round(seconds, 2),
    }
    write_json(sidecar(output), content)


def generated_by(folder: Path) -> str:
    """Say which software wrote a BIDS derivative, and its version; empty where nobody says."""
    file = folder / "dataset_description.json"
    if not file.is_file():
        return ""
    content = read_json(file)
    tools = content.get("GeneratedBy") or content.get("PipelineDescription") or {}
    tools = tools if isinstance(tools, list) else [tools]
    return " ".join(str(tools[0][key]) for key in ("Name", "Version") if tools[0].get(key))


def explain(path: Path, depth: int = 0) -> Iterator[str]:
    """Say line by line how an artifact came to be, down to the raw data.

    Raises
    ------
    UserError
        When `path` does not exist or has no sidecar.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist. Name a file below results/.")
    if not sidecar(path).exists():
        raise UserError(f"{path} has no {sidecar(path).name}, so it was not made by Semantoks.")
    yield from _explain(path, depth, set())


def _explain(path: Path, depth: int, seen: set[Path]) -> Iterator[str]:
    indent = "  " * depth
    if path in seen:
        yield f"{indent}{path} (above)"
        return
    seen.add(path)
    if not sidecar(path).exists():
        yield f"{indent}{path}" + ("" if path.exists() else " (no longer there)")
        return
    content = read_json(sidecar(path))
    changed = _state(path, content["sha256"])
    version = content["software"]["semantoks"]
    yield (
        f"{indent}{path}: {content['stage']}, {content['seconds']} s, semantoks {version}{changed}"
    )
    for key, value in content["settings"].items():
        yield f"{indent}  · {key}: {value}"
    for name, digest in content["inputs"].items():
        if _state(Path(name), digest):
            yield f"{indent}  ! {name}{_state(Path(name), digest)} this was made"
        yield from _explain(Path(name), depth + 1, seen)


def _state(path: Path, digest: str) -> str:
    if not (path / "scans.tsv" if path.is_dir() else path).exists():
        return ", DELETED since"
    return "" if sha256(path) == digest else ", CHANGED since"

"""Where an artifact comes from: a JSON sidecar beside each one."""

from __future__ import annotations

import hashlib
import platform
import resource
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from semantoks import __version__
from semantoks.artifacts.files import read_json, write_json
from semantoks.errors import UserError

SUFFIX = ".provenance.json"
DATA = "simulate"  # what it makes up is data, which people may edit as they may their own
OURS = ("results", "resources")  # folders of what can be made again
ASIDE = ("sourcedata", "logs")  # of a folder of derivatives: nothing reads it


def sha256(path: Path) -> str:
    """Hash a file, or all files of a folder with their names."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        # Snakemake puts a hidden file of its own into folders.
        if file.is_file() and name.parts[0] not in ASIDE and not name.name.startswith("."):
            digest.update(f"{name}\0{sha256(file)}\0".encode())
    return digest.hexdigest()


def sidecar(path: Path) -> Path:
    """Name of the sidecar of an artifact."""
    return path.with_name(path.name + SUFFIX)


def verified(inputs: Sequence[Path]) -> dict[str, str]:
    """Hash what a stage reads, and compare with what was written.

    Raises
    ------
    UserError
        When an artifact has changed since. Below `OURS` it is set aside, so that the same command
        makes it anew. Also when it is gone, which is what a second job sees that reads it.
    """
    hashes = dict[str, str]()
    for path in inputs:
        try:
            hashes[str(path)] = sha256(path)
        except FileNotFoundError:
            raise UserError(
                f"{path} is no longer there: it was taken away, or another job found it damaged "
                "and set it aside. Run the same command again to have it made anew."
            ) from None
    for path in inputs:
        if _written(path) in (None, hashes[str(path)]):
            continue
        what = f"{path} is not what was written: its checksum is another (damaged, or edited)."
        if path.parts[0] not in OURS:  # a model that was given, or data
            raise UserError(
                f"{what} Put the original back, or, if it is right as it is, remove "
                f"{sidecar(path)}."
            )
        raise UserError(
            f"{what} It is now called {_set_aside(path).name}; run the same command again to have "
            "it made anew."
        )
    return hashes


def _written(path: Path) -> str | None:
    """Hash of an artifact when it was written, as its sidecar has it; None for data.

    A sidecar that is damaged knows no hash, and then nothing is known of the artifact either.
    """
    if not sidecar(path).exists():
        return None
    try:
        content = read_json(sidecar(path))
        return None if content["stage"] == DATA else str(content["sha256"])
    except (UserError, KeyError, TypeError):
        return ""


def _set_aside(path: Path) -> Path:
    """Give it another name; several jobs may do so at once."""
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        path.replace(aside)
    return aside


def record(
    output: Path,
    stage: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    seconds: float,
) -> None:
    """Write the sidecar of `output`: software, settings, hashes of inputs, seconds, memory."""
    content = {
        "stage": stage,
        "software": {"semantoks": __version__, "python": platform.python_version()},
        "settings": dict(settings),
        "inputs": dict(inputs),
        "sha256": sha256(output),
        "seconds": round(seconds, 2),
        "peak_memory_mb": _peak_memory(),
    }
    write_json(sidecar(output), content)


def _peak_memory() -> int:
    """Largest memory of this process so far, or of one of its children, in MB."""
    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return max(resource.getrusage(one).ru_maxrss for one in who) // 1024


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
    if not path.exists():
        return ", DELETED since"
    return "" if sha256(path) == digest else ", CHANGED since"

"""BIDS data sets below the folder of a data set, such as those of HBN's sites and releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from semantoks.errors import UserError

# Of a BIDS data set, beside its participants.
OTHERS = ("derivatives", "sourcedata", "code", "phenotype", "stimuli")


def problem_of_pattern(pattern: str) -> str:
    """Return why a pattern cannot name folders below a data set; or nothing."""
    parts = pattern.split("/")
    if not pattern or pattern.startswith("/") or {"", ".", "..", "**"} & set(parts):
        return (
            f"'{pattern}' must name folders below `path`, such as `MRI/Site-*`: without / at its "
            "ends, '..' and '**'"
        )
    if any(part.startswith("sub-") for part in parts):
        return f"'{pattern}' names folders of participants; name those that hold them"
    return ""


def folders_of(root: Path, patterns: Sequence[str], name: str = "") -> list[Path]:
    """List the folders that patterns name, sorted; without patterns, the folder itself.

    Parameters
    ----------
    root : Path
    patterns : sequence of str
        `folders` of a data set. Folders that hold no ``sub-*`` are left out.
    name : str, optional
        Name of the data set, for messages.

    Raises
    ------
    UserError
        When there is no such folder.
    """
    folders = set[Path]()
    for pattern in patterns:
        matching = [path for path in root.glob(pattern) if not path.name.startswith("sub-")]
        # Tables of time series may lie side by side, without folders of participants.
        holding = {path for path in matching if path.is_dir() and any(path.glob("sub-*"))}
        if not holding:
            what = "the folders that fit hold no sub-*" if matching else "no folder fits"
            key = f"datasets.{name}.folders" if name else "`folders` of the data set"
            raise UserError(
                f"{key} has '{pattern}', and below {root} {what}. Correct it; it names folders "
                "that hold sub-*, relative to `path`."
            )
        folders |= holding
    return sorted(folders) if patterns else [root]


def folders_hint(root: Path) -> str:
    """Say which value `folders` needs if the participants are one or two levels down.

    Parameters
    ----------
    root : Path
        Folder that holds no participants itself.

    Returns
    -------
    str
        A sentence; empty if no folder further down holds any.
    """
    nearer = [path for path in _subfolders(root) if _holds_participants(path)]
    deeper = (path for folder in _subfolders(root) for path in _subfolders(folder))
    folders = nearer or [path for path in deeper if _holds_participants(path)]
    if not folders:
        return ""
    names = [path.relative_to(root).as_posix() for path in folders]
    pattern = "/".join(map(_common, zip(*(name.split("/") for name in names), strict=True)))
    patterns = [pattern] if folders_of(root, [pattern]) == sorted(folders) else names
    quoted = ", ".join(f'"{name}"' for name in patterns)
    return f"Participants are in folders further down: set `folders: [{quoted}]` of the data set."


def _common(names: Sequence[str]) -> str:
    """Return the pattern of names in one place of a path."""
    if len(set(names)) == 1:
        return names[0]
    start = names[0]
    while not all(name.startswith(start) for name in names):
        start = start[:-1]
    # Of R10 and R11 it is R*, since more of them may come.
    return start.rstrip("0123456789") + "*"


def _subfolders(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        is_other = path.name in OTHERS or path.name.startswith((".", "sub-"))
        if not is_other and path.is_dir():
            yield path


def _holds_participants(folder: Path) -> bool:
    try:
        return folder.is_dir() and any(path.is_dir() for path in folder.glob("sub-*"))
    except OSError:
        return False

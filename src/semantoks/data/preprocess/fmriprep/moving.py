"""Move what fMRIPrep wrote between folders of the same file system."""

from __future__ import annotations

import shutil
from pathlib import Path

from semantoks.data.preprocess.fmriprep.outputs import derivatives_folder, freesurfer_folder


def move_participant(out: Path, participant: str, target: Path, surfaces: bool = True) -> None:
    """Move a participant's files from an output folder of fMRIPrep, and copy the shared ones.

    Parameters
    ----------
    out : Path
        Output folder of a call of fMRIPrep.
    participant : str
        With the prefix ``sub-``.
    target : Path
        Folder in the layout of fMRIPrep 21 and later.
    surfaces : bool
        Whether to move FreeSurfer's files too.
    """
    source = derivatives_folder(out)
    for path in _files_of(participant, source):
        _move(path, target / path.name)
    for path in _files_of(participant, freesurfer_folder(out)) if surfaces else []:
        _move(path, target / "sourcedata" / "freesurfer" / path.name)
    for path in source.iterdir() if source.is_dir() else []:
        if path.is_file() and not path.name.startswith("sub-"):
            # Copied, because the participants that are moved later need them too.
            shutil.copyfile(path, target / path.name)
    if (source / "logs").is_dir():
        shutil.copytree(source / "logs", target / "logs", dirs_exist_ok=True)


def _files_of(participant: str, folder: Path) -> list[Path]:
    # Folder, HTML report, and names with further entities; `sub-01*` would also match sub-010.
    patterns = (participant, f"{participant}.*", f"{participant}_*")
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def merge(source: Path, target: Path) -> None:
    """Move the content of a folder into another; files of the same name are replaced."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        _move(path, target / path.name)
    source.rmdir()


def _move(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink() and target.is_dir():
        merge(path, target)
    # `exists` follows links, so it is false for a broken one.
    elif path.exists() or path.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

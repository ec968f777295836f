"""Find the files of a model, on this machine or on the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

from httpx2 import HTTPError  # the HTTP client of huggingface_hub
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RemoteEntryNotFoundError

from semantoks.errors import UserError, disk_sentence

WEIGHTS = "encoder.safetensors"
CONFIG = "config.json"
CONNECTOME = "connectome.safetensors"

_WORD = r"[\w-][\w.-]*"
# hf:owner/name, hf:owner/name/folder/file.pth, either with @revision. The prefix keeps a relative
# path to a missing file from being fetched from whoever owns that name on the hub.
# `{_WORD}?` makes the last `*` of the word lazy, and not the word optional.
HUB_PREFIX = "hf:"
_HUB_ID = re.compile(rf"hf:({_WORD}/{_WORD}?)((?:/{_WORD})*/{_WORD}?\.pth)?(?:@({_WORD}))?")
# Commit of the files that this process has of a repository at a revision.
_commits: dict[tuple[str, str | None], str] = {}


def locate(source: str) -> list[Path]:
    """Return the weights and the description of a model, or only a reference checkpoint.

    Parameters
    ----------
    source : str
        As for `checkpoint.load_encoder`.

    Raises
    ------
    UserError
        If there is no model at `source`, or it cannot be fetched.
    """
    is_on_hub = source.startswith(HUB_PREFIX)
    files = [] if is_on_hub else _local_files(source)
    if files:
        return files
    if not is_on_hub:
        raise UserError(
            f"A model is a folder with {WEIGHTS} and {CONFIG}, or a .pth file; there is none "
            f"at {source}. Name one of these, or an id on the Hugging Face hub (hf:owner/name)."
        )
    repository, file, revision = _parse_hub_id(source)
    names = [file.lstrip("/")] if file else [WEIGHTS, CONFIG]
    return _fetch(source, repository, names, revision)


def locate_connectome(source: str) -> Path:
    """Return ``connectome.safetensors`` of a model.

    Parameters
    ----------
    source : str
        As for `checkpoint.load_encoder`.

    Raises
    ------
    UserError
        If the model has none, as is so for a reference checkpoint, or it cannot be fetched.
    """
    if source.startswith(HUB_PREFIX):
        repository, file, revision = _parse_hub_id(source)
        if not file:
            return _fetch(source, repository, [CONNECTOME], revision)[0]
    elif (path := _local_connectome(source)) and path.is_file():
        return path
    raise UserError(_no_connectome(source))


def _local_connectome(source: str) -> Path | None:
    """Return where a model on this machine has its connectome; None for a ``.pth`` file."""
    path = Path(source)
    if path.suffix == ".pth":
        return None
    return path / CONNECTOME if path.is_dir() else path.with_name(CONNECTOME)


def _no_connectome(source: str) -> str:
    """Say that a model has no connectome, and what can be done."""
    return (
        f"The model {source} has no {CONNECTOME}, which the readouts coupling, coupling_gsr and "
        "distilled need. Take these out of `readouts` and `blocks`, or put the file that "
        "`semantoks connectome` wrote beside the model."
    )


def is_repository(name: str) -> bool:
    """Whether a text is the name of a repository on the hub, ``owner/name``."""
    return re.fullmatch(rf"{_WORD}/{_WORD}", name) is not None


def _parse_hub_id(source: str) -> tuple[str, str | None, str | None]:
    """Return repository, file and revision."""
    hub_id = _HUB_ID.fullmatch(source)
    if not hub_id:
        raise UserError(
            f"{source} is not of the form hf:owner/name, hf:owner/name/file.pth or either with "
            "@revision."
        )
    repository, file, revision = hub_id.groups()
    return repository, file, revision


def _fetch(source: str, repository: str, names: list[str], revision: str | None) -> list[Path]:
    """Download files of a model, with a sentence if that fails."""
    try:
        return [_download(repository, name, revision) for name in names]
    except (HTTPError, HFValidationError, OSError) as error:
        if names == [CONNECTOME] and isinstance(error, RemoteEntryNotFoundError):
            raise UserError(_no_connectome(source)) from None
        if isinstance(error, OSError) and error.filename:
            raise UserError(
                f"{source} could not be stored: {disk_sentence(error)} HF_HOME names the folder of "
                "downloads."
            ) from error
        first_line = str(error).strip().split("\n")[0]
        raise UserError(
            f"{source}: {' and '.join(names)} could not be fetched from the Hugging Face hub "
            f"({first_line}). Check the name and the connection; files that were downloaded "
            "completely are kept."
        ) from error


def _local_files(source: str) -> list[Path]:
    """Return the files of a model on this machine; empty if there is none at `source`."""
    path = Path(source)
    if path.suffix == ".pth":
        files = [path]
    else:
        weights = path / WEIGHTS if path.is_dir() else path
        files = [weights, weights.with_name(CONFIG)]
    _require_all(files)
    return files if files[0].is_file() else []


def _require_all(files: list[Path]) -> None:
    """Refuse links to nowhere, and a model of which only some files are there."""
    missing = [file for file in files if not file.is_file()]
    for file in missing:
        if file.is_symlink():
            raise UserError(
                f"{file} is a link to a file that is not there. If git-annex or DataLad manages "
                "it, run `git annex get` in its folder."
            )
    if missing and len(missing) < len(files) and files[0].suffix == ".safetensors":
        present = next(file for file in files if file not in missing)
        raise UserError(
            f"{present} is there without {missing[0].name}, and a model needs both. Put "
            f"{missing[0].name} beside it."
        )


def _download(repository: str, name: str, revision: str | None) -> Path:
    """Download a file, or take it from the cache if the hub cannot be reached.

    All files that a process takes of a repository are of one commit, though somebody may push
    another meanwhile.
    """
    wanted = _commits.get((repository, revision), revision)
    try:
        path = Path(hf_hub_download(repository, name, revision=wanted))
    except HTTPError:
        # Not always a path or None: a file known to be absent on the hub gives a sentinel object.
        cached = try_to_load_from_cache(repository, name, revision=wanted)
        if not isinstance(cached, str):
            raise
        path = Path(cached)
    # The client keeps files in snapshots/COMMIT/NAME.
    folder = path.parents[len(Path(name).parts) - 1].name
    if re.fullmatch(r"[0-9a-f]{40}", folder):
        _commits[repository, revision] = folder
    return path

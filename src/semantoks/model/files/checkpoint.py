"""Model files: ``encoder.safetensors``, ``config.json`` and a model card in one folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from httpx2 import HTTPError  # what the hub's library fetches with
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from semantoks import __version__
from semantoks.artifacts.files import atomic, read_json, write_json
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.reference import load_reference
from semantoks.model.network.encoder import Encoder

__all__ = ["load_encoder", "load_reference", "save"]

WEIGHTS = "encoder.safetensors"
CONFIG = "config.json"
_WORD = r"[\w-][\w.-]*"
_HUB_ID = re.compile(rf"({_WORD}/{_WORD}?)(?<!\.pth)((?:/{_WORD})*/{_WORD}?\.pth)?(?:@({_WORD}))?")


def save(
    model: SelfDistillation | Encoder,
    folder: str | Path,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write an encoder (of a pair, the teacher) so that `load_encoder` finds all it needs.

    Parameters
    ----------
    model : SelfDistillation or Encoder
        Its ``manifest``, if any, is written along.
    folder : path
        Gets ``encoder.safetensors``, ``config.json`` and ``README.md``.
    training : mapping, optional
        Summary of the training, as JSON values.
    """
    folder = Path(folder)
    encoder = model.teacher if isinstance(model, SelfDistillation) else model
    manifest = encoder.manifest
    content = {
        "semantoks": __version__,
        "architecture": encoder.architecture.model_dump(),
        "networks": list(encoder.networks),
        "network_order": list(encoder.order),
        "manifest": None if manifest is None else json.loads(manifest.model_dump_json()),
        "training": dict(training or {}),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in encoder.state_dict().items()}
    with atomic(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary)
    write_json(folder / CONFIG, content)
    with atomic(folder / "README.md") as temporary:
        temporary.write_text(_model_card(encoder, training or {}), encoding="utf-8")


def load_encoder(source: str | Path) -> Encoder:
    """Load an encoder for use.

    Parameters
    ----------
    source : path or str
        A folder written by `save`, a ``.safetensors`` file in such a folder, a ``.pth``
        checkpoint of the reference implementation (its teacher), or either of them on the Hugging
        Face hub: ``owner/name`` or ``owner/name/file.pth``, with or without ``@revision``. What
        was fetched before is not fetched again.

    Returns
    -------
    Encoder
        In evaluation mode; its ``manifest`` says what the time series must look like.

    Raises
    ------
    UserError
        If there is nothing at `source` or its files do not fit together.
    """
    weights, *others = _locate(str(source))
    if not others:
        return load_reference(weights).teacher.eval()
    (description,) = others
    content = read_json(description)
    try:
        encoder = Encoder(
            Architecture.model_validate(content["architecture"]),
            content["networks"],
            content["network_order"],
        )
        encoder.load_state_dict(load_file(weights))
    except (KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"{weights} and {description} are not the weights and the description of one model "
            f"({error}). Fetch or train the model again."
        ) from error
    if content.get("manifest") is not None:
        encoder.manifest = Manifest.model_validate(content["manifest"])
    return encoder.eval().requires_grad_(False)


def _files_of(source: str) -> list[Path]:
    """Files on this machine that a model consists of; none if there is nothing at `source`."""
    path = Path(source)
    if path.suffix == ".pth":
        files = [path]
    else:
        weights = path / WEIGHTS if path.is_dir() else path
        files = [weights, weights.with_name(CONFIG)]
    return files if all(file.is_file() for file in files) else []


def _locate(source: str) -> list[Path]:
    """Weights and description, or a checkpoint of the reference; on this machine or the hub."""
    if files := _files_of(source):
        return files
    on_hub = _HUB_ID.fullmatch(source)
    if Path(source).exists() or not on_hub:
        raise UserError(
            f"A model is a folder with {WEIGHTS} and {CONFIG}, or a .pth file; found none at "
            f"{source}. Give one of them, or an id on the Hugging Face hub (owner/name)."
        )
    repository, file, revision = on_hub.groups()
    names = [file.lstrip("/")] if file else [WEIGHTS, CONFIG]
    try:
        return [_from_hub(repository, name, revision) for name in names]
    except (HTTPError, HFValidationError, OSError) as error:
        first = str(error).strip().split("\n")[0]
        raise UserError(
            f"There is no {source} here, and {' and '.join(names)} could not be fetched from the "
            f"Hugging Face hub under that id ({first}). Check the name and the connection; "
            "files that were fetched whole are kept."
        ) from error


def _from_hub(repository: str, name: str, revision: str | None) -> Path:
    """Fetch a file, or take what was fetched before where the hub does not answer."""
    try:
        return Path(hf_hub_download(repository, name, revision=revision))
    except HTTPError:
        fetched = try_to_load_from_cache(repository, name, revision=revision)
        if not isinstance(fetched, str):
            raise
        return Path(fetched)


def _model_card(encoder: Encoder, training: Mapping[str, Any]) -> str:
    sizes = encoder.architecture
    parameters = sum(p.numel() for p in encoder.parameters())
    manifest = encoder.manifest
    expects = (
        ""
        if manifest is None
        else (
            f" of atlas {manifest.atlas} (TR {manifest.tr} s, "
            f"{manifest.high_pass}-{manifest.low_pass} Hz, "
            f"confounds: {manifest.confounds}, space {manifest.space})"
        )
    )
    lines = "".join(
        f"- {key.replace('_', ' ')}: {value}\n"
        for key, value in training.items()
        if isinstance(value, int | float | str)
    )
    return (
        "---\nlibrary_name: semantoks\ntags: [fmri, neuroimaging, self-distillation]\n---\n\n"
        "# A Semantoks encoder\n\n"
        f"It reads z-scored time series of {len(encoder.networks)} regions in "
        f"{len(encoder.order)} networks{expects}, in windows of {sizes.window} volumes, and "
        f"returns {2 * sizes.width} features per window. {parameters:,} parameters, width "
        f"{sizes.width}, {sizes.depth} blocks. `config.json` lists the regions in order.\n\n"
        "```python\nfrom semantoks.model.files.checkpoint import load_encoder\n\n"
        'encoder = load_encoder("path/to/this/folder")\n'
        "features = encoder.embed(windows)  # (windows, regions, volumes), NaN: not covered\n```\n"
        + (f"\n## Training\n\n{lines}" if lines else "")
        + "\nMethod: Gijsen, Schulz & Ritter, arXiv 2512.11582. For research only.\n"
    )

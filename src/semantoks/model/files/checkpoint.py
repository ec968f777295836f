"""Model files: ``encoder.safetensors``, ``config.json`` and a model card in a folder.

This is the file format that `pretrain` and `get_model` write and that `embed` reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from semantoks import __version__
from semantoks.artifacts.files import atomic, write_json
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.hub import CONFIG, WEIGHTS, locate
from semantoks.model.files.reference import load_reference
from semantoks.model.files.tensors import write_tensors
from semantoks.model.files.weights import (
    damaged,
    first_line,
    load_weights,
    plain_names,
    require_content,
    require_finite,
    require_safetensors,
    require_weights,
)
from semantoks.model.network.encoder import Encoder

__all__ = ["CONFIG", "WEIGHTS", "load_encoder", "load_reference", "save"]


class Description(BaseModel):
    """The content of ``config.json``.

    A key of a newer version that is not known here is an error: it might change the embeddings.
    """

    model_config = ConfigDict(extra="forbid")

    semantoks: str = ""
    architecture: Architecture
    networks: tuple[str, ...] = Field(min_length=1)
    network_order: tuple[str, ...]
    manifest: Manifest | None = None
    training: Mapping[str, object] = {}


def save(
    model: SelfDistillation | Encoder,
    folder: str | Path,
    training: Mapping[str, object] | None = None,
) -> None:
    """Write an encoder so that `load_encoder` can restore it from the folder alone.

    Parameters
    ----------
    model : SelfDistillation or Encoder
        Of a pair, the teacher is saved. Its ``manifest``, if any, is part of ``config.json``.
    folder : path
        Folder for ``encoder.safetensors``, ``config.json`` and ``README.md``.
    training : mapping, optional
        Summary of the training; the values must be serialisable as JSON.

    Raises
    ------
    UserError
        If a weight is NaN or infinite.
    """
    folder = Path(folder)
    encoder = model.teacher if isinstance(model, SelfDistillation) else model
    require_finite(encoder, "The model")
    description = Description(
        semantoks=__version__,
        architecture=encoder.architecture,
        networks=encoder.networks,
        network_order=encoder.order,
        manifest=encoder.manifest,
        training=dict(training or {}),
    )
    write_tensors(folder / WEIGHTS, encoder.state_dict())
    write_json(folder / CONFIG, description.model_dump())
    with atomic(folder / "README.md") as temporary:
        temporary.write_text(_model_card(encoder, description.training), encoding="utf-8")


def load_encoder(source: str | Path) -> Encoder:
    """Load a trained encoder.

    Parameters
    ----------
    source : path or str
        A folder written by `save`, a ``.safetensors`` file in such a folder, a ``.pth``
        checkpoint of the reference implementation (its teacher is used), or either of them on the
        Hugging Face hub: ``hf:owner/name`` or ``hf:owner/name/file.pth``, with or without
        ``@revision``. Downloads are cached.

    Returns
    -------
    Encoder
        In evaluation mode; its ``manifest`` describes the time series that it expects.

    Raises
    ------
    UserError
        If there is no model at `source`, its files are damaged, of another format or version, or
        do not belong together, or a weight is NaN or infinite.
    """
    files = locate(str(source))
    if len(files) == 1:
        return load_reference(files[0]).teacher.eval()
    return _restore(*files).eval().requires_grad_(False)


def _restore(weights: Path, config: Path) -> Encoder:
    """Build the encoder that `config` describes and load its weights."""
    description = read_description(config)
    require_safetensors(weights)
    try:
        tensors = load_file(weights)
    # A file that is cut off can also raise OSError.
    except (SafetensorError, OSError) as error:
        raise damaged(weights, error) from error
    try:
        state = plain_names(tensors)
        encoder = _built(description, state)
        load_weights(encoder, state)
    except (ValueError, RuntimeError) as error:
        raise UserError(
            f"{weights} and {config} are not the weights and the description of the same model "
            f"({first_line(error)}). Download or train the model again."
        ) from error
    require_finite(encoder, weights)
    encoder.manifest = description.manifest
    return encoder


def _built(description: Description, state: Mapping[str, Any]) -> Encoder:
    """Build an encoder, after a check that its weights take no more memory than those of the file.

    Raises
    ------
    ValueError
        If `state` does not have its weights.
    """
    parts = description.architecture, description.networks, description.network_order
    # Even without memory, a million modules take minutes; each has a weight at least.
    counts = {"depth": description.architecture.depth, "networks": len(set(parts[1]))}
    for name, count in counts.items():
        if count > len(state):
            raise ValueError(f"{name} {count}, but {len(state)} weights")
    # Tensors of the device "meta" have a shape and no memory.
    with torch.device("meta"):
        require_weights(Encoder(*parts), state)
    return Encoder(*parts)


def read_description(path: Path) -> Description:
    """Read ``config.json``, for what needs no weights.

    Raises
    ------
    UserError
        If it is not the description of an encoder, or of a newer version of Semantoks.
    """
    require_content(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    if not isinstance(content, dict) or "architecture" not in content:
        raise UserError(
            f"{path} does not describe a Semantoks encoder: it has no 'architecture'. Name the "
            "folder of a model that `pretrain` or `get_model` wrote."
        )
    try:
        description = Description.model_validate(content)
    except ValidationError as error:
        raise _not_understood(path, content, error) from error
    manifest = description.manifest
    # Regions are assigned by `networks`, and time series are compared with the manifest.
    if manifest and manifest.networks != description.networks:
        raise UserError(
            f"{path} names other networks of its regions in 'networks' than in 'manifest', so it "
            "was changed by hand. Download or train the model again."
        )
    return description


def _not_understood(path: Path, content: Mapping[str, Any], error: ValidationError) -> UserError:
    """Describe the first key that is unknown, missing or wrong, and name both versions."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"])) or "architecture"
    written = str(content.get("semantoks") or "an unknown version")
    return UserError(
        f"{path} was written by Semantoks {written}, and this is {__version__}: {key} is not as "
        f"expected ({first['msg']}). Use the version that wrote the model, or a newer one."
    )


def _model_card(encoder: Encoder, training: Mapping[str, object]) -> str:
    """Return ``README.md``: input, output and training, with the metadata of the hub on top."""
    sizes = encoder.architecture
    parameters = sum(p.numel() for p in encoder.parameters())
    return (
        "---\nlibrary_name: semantoks\ntags: [fmri, neuroimaging, self-distillation]\n---\n\n"
        "# A Semantoks encoder\n\n"
        f"It reads z-scored time series of {len(encoder.networks)} regions in "
        f"{len(encoder.order)} networks{_expected_data(encoder.manifest)}, in windows of "
        f"{sizes.window} volumes, and "
        f"returns {2 * sizes.width} features per window. {parameters:,} parameters, width "
        f"{sizes.width}, {sizes.depth} blocks. `config.json` lists the regions in order.\n\n"
        "```python\nfrom semantoks.model.files.checkpoint import load_encoder\n\n"
        'encoder = load_encoder("path/to/this/folder")\n'
        "features = encoder.embed(windows)  # (windows, regions, volumes), NaN: not covered\n```\n"
        "\n`connectome.safetensors`, if it is there, holds mean covariances of regions and the "
        "distilled map, for the readouts `coupling`, `coupling_gsr` and `distilled`.\n"
        + _training_section(training)
        + "\nMethod: Gijsen, Schulz & Ritter, arXiv 2512.11582. For research only.\n"
    )


def _expected_data(manifest: Manifest | None) -> str:
    if manifest is None:
        return ""
    in_space = f", space {manifest.space}" if manifest.space else ""
    return (
        f" of atlas {manifest.atlas} (TR {manifest.tr} s, "
        f"{manifest.high_pass}-{manifest.low_pass} Hz, "
        f"confounds: {manifest.confounds}{in_space})"
    )


def _training_section(training: Mapping[str, object]) -> str:
    lines = "".join(
        f"- {key.replace('_', ' ')}: {value}\n"
        for key, value in training.items()
        if isinstance(value, int | float | str)
    )
    return f"\n## Training\n\n{lines}" if lines else ""

"""Read a checkpoint of the public reference implementation.

Sizes are derived from the shapes of the weights, and the configuration is used only for what the
weights do not determine, because a checkpoint may come without it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from semantoks.config import Architecture, Tokenizer
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.reference_file import (
    ROLES,
    Options,
    find_state,
    has_patch,
    read_checkpoint,
)
from semantoks.model.files.weights import (
    first_line,
    load_weights,
    plain_names,
    require_finite,
    require_stored,
)
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector

logger = logging.getLogger(__name__)

# The 457 regions in order: Schaefer 2018, 400 parcels in 7-network order (left hemisphere first),
# Tian S3 subcortex, Buckner 7-network cerebellum. The counts are from the atlases' label files.
_SCHAEFER = ("Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default")
_LEFT = (31, 37, 23, 22, 13, 22, 52)
_RIGHT = (30, 40, 23, 25, 13, 30, 39)
NETWORKS: tuple[str, ...] = (
    tuple(
        name
        for names, counts in ((_SCHAEFER, _LEFT), (_SCHAEFER, _RIGHT), (("Subcortex",), (50,)))
        for name, count in zip(names, counts, strict=True)
        for _ in range(count)
    )
    + ("Cerebellum",) * 7
)

_TRANSFORMER = "inter_network_transformer."
_BLOCK = {
    "norm1": "attention_norm",
    "attn.qkv": "qkv",
    "attn.proj": "projection",
    "ls1.gamma": "attention_scale",
    "norm2": "mlp_norm",
    # nn.Sequential also counts layers without weights, so the indices differ.
    "mlp.0": "mlp.0",
    "mlp.3": "mlp.2",
    "ls2.gamma": "mlp_scale",
}
_TOKENIZER = {
    "branches.0": "dense",
    "branches.1.slconv.D": "structured.skip_HC",
    "branches.1.slconv.kernel_list": "structured.kernels",
    "branches.1.projection": "structured.projection",
    "norm": "norm",
}


def load_reference(path: str | Path, config: Mapping[str, Any] | None = None) -> SelfDistillation:
    """Load student and teacher of a reference checkpoint (``.pth``) without running its pickle.

    Parameters
    ----------
    path : path
        File with ``model_state_dict`` and often ``config``.
    config : mapping, optional
        Configuration of the reference implementation; overrides the one in the file.

    Returns
    -------
    SelfDistillation
        On the 457 regions of `NETWORKS`.

    Raises
    ------
    UserError
        If the file is missing, contains other objects than weights and plain values, or is not a
        checkpoint of this model.
    """
    content = read_checkpoint(Path(path))
    state = find_state(content, path)
    options = config if config is not None else content.get("config") or {}
    try:
        model = _build(plain_names(state), Options.from_config(options))
    # What a stranger's file can raise: names without a number, lists, texts, tensors of odd shape.
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{path} does not fit a model of {len(NETWORKS)} regions in {len(set(NETWORKS))} "
            f"networks: {_reason(error)}. Is it a reference checkpoint on that atlas?"
        ) from error
    require_finite(model, path)
    if not has_patch(options):
        logger.warning(
            "%s does not say the size of a patch; %d volumes are assumed, as in the paper.",
            path,
            model.student.architecture.patch,
        )
    return model


def _reason(error: Exception) -> str:
    """Describe in a line what is wrong with the weights or the configuration of a file."""
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    if isinstance(error, IndexError):
        return "a weight has too few axes"
    if isinstance(error, ValidationError):
        # The first line of pydantic's text only counts the errors.
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'sizes'}: {first['msg']}"
    return first_line(error)


def _build(state: dict[str, Any], options: Options) -> SelfDistillation:
    """Build both encoders with their projectors and load the renamed weights into them."""
    student, teacher = (_encoder_state(state, role) for role in ROLES)
    require_stored(state)
    architecture = _architecture(student, state, options.patch)
    model = SelfDistillation(
        Encoder(architecture, NETWORKS),
        Projector(architecture.width, architecture.projector_hidden, architecture.projector_output),
        options.token_weight,
        options.momentum,
    )
    load_weights(model.student, student)
    load_weights(model.teacher, teacher)
    load_weights(model.projector, _projector_state(state, "student_predictor."))
    load_weights(model.teacher_projector, _projector_state(state, "teacher_predictor."))
    return model


def _encoder_state(state: dict[str, Any], prefix: str) -> dict[str, Tensor]:
    """Rename the weights of an encoder, and drop those that its forward pass never uses."""
    keys = {k.removeprefix(prefix): k for k in state if k.startswith(prefix)}
    if not keys:
        raise ValueError(f"no name of a weight starts with {prefix}")
    # The reference builds a set of tokenizers for each part of the atlas, and uses only the first.
    atlas = next((k.split(".")[1] for k in keys if k.startswith("network_tokenizers.")), "")
    renamed: dict[str, Tensor] = {}
    for short, key in keys.items():
        if not isinstance(state[key], Tensor):
            raise ValueError(f"{key} is a {type(state[key]).__name__} and not a tensor")
        if short.startswith(f"network_tokenizers.{atlas}."):
            name = _tokenizer_name(short.removeprefix(f"network_tokenizers.{atlas}."))
        elif short.startswith(_TRANSFORMER):
            name = _transformer_name(short.removeprefix(_TRANSFORMER))
        else:
            # The final LayerNorm is this outer `norm`; that of the transformer is never used.
            name = short if short.startswith("norm.") else None
        if name:
            renamed[name] = state[key]
    return _reshape(renamed)


def _tokenizer_name(key: str) -> str | None:
    number, parameter = key.split(".", 1)
    for theirs, ours in _TOKENIZER.items():
        if parameter.startswith(theirs):
            return f"tokenizers.{number}.{ours}{parameter.removeprefix(theirs)}"
    buffers = {"multiplier": "decay_C1", "kernel_norm": "norm_HC1"}
    ours = buffers.get(parameter.rsplit(".", 1)[-1], "")
    return f"tokenizers.{number}.structured.{ours}" if ours else None


def _transformer_name(key: str) -> str | None:
    if key.startswith("transformer_blocks."):
        _, number, parameter = key.split(".", 2)
        for theirs, ours in _BLOCK.items():
            if parameter.startswith(theirs):
                return f"blocks.{number}.{ours}{parameter.removeprefix(theirs)}"
    return {
        "mask_embedding": "mask_embedding",
        "cls_token": "cls_embedding",
        "network_learnable_pos_embedding.weight": "network_embedding",
    }.get(key)


def _reshape(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove the reference's leading axes of length one."""
    for name in ("mask_embedding", "cls_embedding"):
        state[name] = state[name].flatten()
    for name in [name for name in state if name.endswith("decay_C1")]:
        state[name] = state[name][0]
    return state


def _projector_state(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    layers = {"mlp.0": "hidden", "mlp.2": "output"}
    return {
        f"{ours}.{kind}": state[f"{prefix}{theirs}.{kind}"]
        for theirs, ours in layers.items()
        for kind in ("weight", "bias")
    }


def _architecture(encoder: dict[str, Tensor], state: dict[str, Tensor], patch: int) -> Architecture:
    """Derive the sizes from the renamed weights of an encoder and the whole checkpoint's."""
    first = "tokenizers.0."
    dense = encoder[f"{first}dense.weight"]
    decay_C1 = encoder[f"{first}structured.decay_C1"]
    # A fixed sine-cosine table, of which only the length (patches of a window) is needed.
    patches = len(state[f"student_encoder.{_TRANSFORMER}temporal_pos_embedding"])
    # No shape depends on the width of a head; the default of 64 is that of the reference.
    return Architecture(
        window=patch * patches,
        patch=patch,
        depth=len({name.split(".")[1] for name in encoder if name.startswith("blocks.")}),
        projector_hidden=state["student_predictor.mlp.0.weight"].shape[0],
        projector_output=state["student_predictor.mlp.2.weight"].shape[0],
        tokenizer=Tokenizer(
            dense_channels=dense.shape[0],
            dense_kernel=dense.shape[2],
            structured_channels=encoder[f"{first}structured.projection.bias"].shape[0],
            structured_kernel=encoder[f"{first}structured.kernels.0"].shape[2],
            scales=sum(name.startswith(f"{first}structured.kernels.") for name in encoder),
            decay_min=float(decay_C1[0]),
            decay_max=float(decay_C1[-1]),
        ),
    )

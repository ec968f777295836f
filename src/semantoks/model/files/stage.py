"""The rule `get_model`: use a trained model instead of pretraining one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.model.files.checkpoint import CONFIG, load_encoder, save
from semantoks.model.files.settings import GetModelSettings


def get_model(settings: GetModelSettings, *, out: Path, files: Sequence[Path] = ()) -> list[Path]:
    """Load a trained encoder and save it in the same files as `pretrain` does.

    Parameters
    ----------
    settings : GetModelSettings
        The checkpoint, on this machine or on the Hugging Face hub.
    out : Path
        ``encoder.safetensors``; ``config.json`` is written to the same folder.
    files : sequence of Path
        Files of a checkpoint on this machine, so that their hashes are recorded.

    Returns
    -------
    list of Path
        Weights and description.

    Raises
    ------
    UserError
        If there is no usable model at the checkpoint.
    """
    # `semantoks status` recognises a given model by this key.
    save(load_encoder(settings.checkpoint), out.parent, {"checkpoint": settings.checkpoint})
    return [out, out.with_name(CONFIG)]

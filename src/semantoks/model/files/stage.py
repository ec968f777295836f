"""Take a trained model, from this machine or from the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.model.files.checkpoint import CONFIG, load_encoder, save
from semantoks.model.files.settings import GetModelSettings


def get_model(settings: GetModelSettings, *, out: Path, files: Sequence[Path] = ()) -> list[Path]:
    """Write the encoder of a trained model as `pretrain` would.

    Parameters
    ----------
    settings : GetModelSettings
    out : Path
        ``encoder.safetensors``; ``config.json`` goes beside it.
    files : sequence of Path
        Files of a model on this machine, so that their hashes are recorded.

    Returns
    -------
    list of Path
        Weights and description.
    """
    save(load_encoder(settings.checkpoint), out.parent, {"checkpoint": settings.checkpoint})
    return [out, out.with_name(CONFIG)]

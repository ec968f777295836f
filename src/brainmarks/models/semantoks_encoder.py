"""Plug-in for Brainmarks, MedARC's benchmark suite: models of Semantoks, and the reference's.

The suite imports every module of the namespace package ``brainmarks.models`` and calls what is
registered there (docs/brainmarks.md). It is not needed for anything else in Semantoks.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from brainmarks.models.registry import register_model
from torch import Tensor, nn

from semantoks.artifacts.zscores import zscore
from semantoks.config import Block
from semantoks.data.signals import MIN_VOLUMES, clean, resample_time
from semantoks.errors import UserError
from semantoks.model.embed.embedder import SeriesEmbedder
from semantoks.model.embed.embedding import WINDOWS
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.network.encoder import Encoder

# Our atlas by the suite's name of the same regions in the same order; its Schaefer atlas is in the
# order of 17 networks.
SPACES = {"semantoks457": "schaefer400_tians3_buckner7", "schaefer400x17": "schaefer400"}
REFERENCE = "hf:SamGijsen/Brain-Semantoks/brainsemantoks_ckpt_epoch_100.pth"
TR, BAND = 2.0, (0.01, 0.1)  # of reference checkpoints, in s and Hz
VARIABLE = "SEMANTOKS_CHECKPOINT"
TOKENS = "tokens"


class Embeddings(NamedTuple):
    """What the suite expects of a model, in this order.

    Attributes
    ----------
    cls_B1D : Tensor
    registers_BRD, patches_BLD : Tensor or None
    """

    cls_B1D: Tensor
    registers_BRD: Tensor | None
    patches_BLD: Tensor | None


class Transform:
    """From a sample of the suite to what the model reads.

    Parameters
    ----------
    embedder : SeriesEmbedder
    readout : str
        `TOKENS`, or a readout of whole scans, which is made here.
    windows : int
        Most windows per scan.
    seconds : float, optional
        Use only the first so many seconds.
    band_pass : bool
    """

    def __init__(
        self,
        embedder: SeriesEmbedder,
        readout: str,
        windows: int,
        seconds: float | None,
        band_pass: bool,
    ) -> None:
        self.embedder, self.readout = embedder, readout
        self.windows, self.seconds = windows, seconds
        self.sizes = embedder.encoder.architecture
        manifest = embedder.manifest
        self.tr = manifest.tr if manifest else TR
        band = (manifest.high_pass, manifest.low_pass) if manifest else BAND
        self.band = band if band_pass and band[1] else None

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Replace ``bold`` (volumes, regions) by windows, their weights and their patches."""
        others = {key: sample[key] for key in sample if key not in ("bold", "mean", "std")}
        series_CT = self._series(np.asarray(sample["bold"], float), float(sample["tr"]))
        if self.readout in ("spectrum", "coupling", "coupling_gsr", "distilled"):
            features = self.embedder.embed_array(series_CT, self.readout)  # type: ignore[arg-type]
            # The suite has no missing values; zero is the mean of the model's scans in all but
            # `spectrum`, where it is the same power in every band.
            return others | {"features": torch.from_numpy(np.nan_to_num(features))}
        return others | self._cut(series_CT)

    def _series(self, bold_TC: np.ndarray, tr: float) -> np.ndarray:
        """Filter, resample and z-score as Semantoks does; return (regions, volumes)."""
        if self.seconds is not None:
            bold_TC = bold_TC[: max(round(self.seconds / tr), 1)]
        changes_C = bold_TC.std(axis=0) > 0
        signals_TC = bold_TC[:, changes_C]
        # A clip of a task may be too short for the filter.
        if self.band and len(bold_TC) >= MIN_VOLUMES and changes_C.any():
            high_pass, low_pass = self.band
            signals_TC = clean(signals_TC, None, tr, low_pass or 0.5 / tr, high_pass or 0.0)
        signals_TC = resample_time(signals_TC, tr, self.tr)
        series_CT = np.full((bold_TC.shape[1], len(signals_TC)), np.nan)
        series_CT[changes_C] = zscore(signals_TC.T)
        return series_CT

    def _cut(self, series_CT: np.ndarray) -> dict[str, Tensor]:
        """Cut evenly spaced windows; those that are too many repeat the first with weight 0."""
        window, patch = self.sizes.window, self.sizes.patch
        volumes = series_CT.shape[1]
        patches = min(-(-volumes // patch), window // patch)
        padded_CT = np.pad(series_CT, ((0, 0), (0, max(window - volumes, 0))))
        last = padded_CT.shape[1] - window
        starts = np.unique(np.linspace(0, last, self.windows).round().astype(int))
        cut = [padded_CT[:, start : start + window] for start in starts]
        cut += [cut[0]] * (self.windows - len(cut))
        windows_WCT = torch.from_numpy(np.stack(cut).astype(np.float32))
        weights_W = (torch.arange(self.windows) < len(starts)).float()
        return {"bold": windows_WCT, "weights": weights_W, "patches": torch.tensor(patches)}


class Wrapper(nn.Module):
    """A model as the suite calls it: a batch of samples in, embeddings out.

    Parameters
    ----------
    encoder : Encoder
    readout : str
    space : str
        The suite's name of the regions.
    """

    __space__: str

    def __init__(self, encoder: Encoder, readout: str, space: str) -> None:
        super().__init__()
        self.encoder, self.readout, self.__space__ = encoder, readout, space

    def forward(self, batch: dict[str, Tensor]) -> Embeddings:
        """Embed a batch of what `Transform` returns; means over the windows of a scan."""
        if "features" in batch:
            return Embeddings(batch["features"][:, None], None, None)
        x_BWCT, patches_B = batch["bold"], batch["patches"]
        size, windows = x_BWCT.shape[:2]
        networks, width = len(self.encoder.order), self.encoder.architecture.width
        count = x_BWCT.shape[-1] // self.encoder.architecture.patch
        padded_BP = torch.arange(count, device=x_BWCT.device) >= patches_B[:, None]
        mask_QNP = padded_BP.repeat_interleave(windows, 0)[:, None]
        output = self.encoder(x_BWCT.flatten(0, 1), mask_QNP if padded_BP.any() else None)
        # Not in the transform: worker processes cannot use the GPU that the model is on.
        present_BW = self.encoder.presence(x_BWCT.flatten(0, 1)).any(1).view(size, windows)
        weights_BW = batch["weights"] * present_BW
        weights_BW = weights_BW / weights_BW.sum(1, keepdim=True)
        cls_BD = (output.cls_BD.unflatten(0, (size, windows)) * weights_BW[..., None]).sum(1)
        tokens_BWLD = output.tokens_BLD.unflatten(0, (size, windows))
        tokens_BLD = (tokens_BWLD * weights_BW[..., None, None]).sum(1)
        tokens_BNPD = tokens_BLD.view(size, networks, count, width)
        # Behind the end of a scan there is the mean of its network, so that means over tokens are
        # those of the scan.
        with_data_BP = (~padded_BP).to(tokens_BNPD.dtype)
        sums_BND = torch.einsum("bnpd,bp->bnd", tokens_BNPD, with_data_BP)
        means_BND = sums_BND / patches_B[:, None, None]
        is_padded = padded_BP[:, None, :, None]
        tokens_BNPD = torch.where(is_padded, means_BND[:, :, None].to(tokens_BNPD), tokens_BNPD)
        if self.readout == "pooled":
            return Embeddings(torch.cat([means_BND.mean(1), cls_BD], 1)[:, None], None, None)
        if self.readout == "networks":
            return Embeddings(means_BND.flatten(1)[:, None], None, None)
        return Embeddings(cls_BD[:, None], means_BND, tokens_BNPD.flatten(1, 2))


def semantoks(
    checkpoint: str | None = None,
    readout: str = TOKENS,
    windows: int = WINDOWS,
    seconds: float | None = None,
    band_pass: bool = True,
    space: str | None = None,
) -> tuple[Transform, Wrapper]:
    """Load a model for the suite; the arguments are its ``model_kwargs``.

    Parameters
    ----------
    checkpoint : str, optional
        As for `semantoks.load` in a configuration: folder, ``.pth`` file or ``hf:owner/name``;
        default: what the environment variable ``SEMANTOKS_CHECKPOINT`` names, or else the published
        checkpoint of the reference.
    readout : str
        ``tokens``: cls is [CLS], reg one vector per network, patch all tokens. Others are the cls:
        ``pooled``, ``networks``, ``spectrum``, ``coupling``, ``coupling_gsr``, ``distilled``.
    windows : int
        Most windows per scan, evenly spaced.
    seconds : float, optional
        Use only the first so many seconds of each sample (the suite's own wrapper of the reference
        uses 200).
    band_pass : bool
        Filter to the band that the model was trained on.
    space : str, optional
        The suite's name of the model's regions, where it does not follow from its atlas.

    Raises
    ------
    UserError
        If there is no such model or readout, or the suite has no such regions.
    """
    known = (TOKENS, *(name for name in get_args(Block) if name != "amplitude"))
    if readout not in known:
        raise UserError(f"readout is '{readout}'; the suite can have {', '.join(known)}.")
    source = checkpoint or os.environ.get(VARIABLE) or REFERENCE
    encoder = load_encoder(source)
    embedder = SeriesEmbedder(source, encoder)
    transform = Transform(embedder, readout, windows, seconds, band_pass)
    return transform, Wrapper(encoder, readout, space or _space_of(encoder))


def _space_of(encoder: Encoder) -> str:
    """Return the suite's name of the regions of a model."""
    atlas = encoder.manifest.atlas if encoder.manifest else "semantoks457"
    if atlas not in SPACES:
        raise UserError(
            f"The model has the atlas {atlas}, and the suite's data are of {', '.join(SPACES)}. "
            "Train a model on one of these; or, if the suite has its regions in the same order, "
            "name them by model_kwargs.space."
        )
    return SPACES[atlas]


register_model(semantoks)

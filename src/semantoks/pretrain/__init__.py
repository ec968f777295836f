"""Pretraining: from time series to an encoder."""

from semantoks.pretrain.loop import fit, pretrain

__all__ = ["fit", "pretrain"]

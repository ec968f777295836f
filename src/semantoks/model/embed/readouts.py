"""Read blocks of features out of whole scans, from whatever each needs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.config import Block, Readout
from semantoks.errors import UserError
from semantoks.model.embed.coupling import Coupling
from semantoks.model.embed.embedding import embed_windows, embedding_size
from semantoks.model.embed.regional import BANDS, centred_amplitude, spectrum
from semantoks.model.network.encoder import Encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readouts:
    """What blocks are read from.

    Attributes
    ----------
    regions : int
    edges : ndarray, shape (bands + 1,)
        Of the spectrum, in Hz.
    encoder : Encoder, optional
    coupling : Coupling, optional
    has_amplitude : bool
        Whether any of the files has amplitudes.
    """

    regions: int
    edges: np.ndarray
    encoder: Encoder | None = None
    coupling: Coupling | None = None
    has_amplitude: bool = False

    def lacks(self, block: Block) -> str:
        """Say why there is no such block; empty if there is."""
        if block == "amplitude" and not self.has_amplitude:
            return (
                "the time series have no amplitudes, as those that come z-scored, blocks of tasks, "
                "and files of earlier versions"
            )
        if block == "distilled" and not self._coupling.distilled_features:
            return (
                "the model has no distilled map, because it is untrained, or was fitted to too few "
                "scans of two minutes"
            )
        return ""

    def size(self, block: Block) -> int:
        """Return the number of features of a block."""
        if block in ("coupling", "coupling_gsr"):
            return self.regions * (self.regions + 1) // 2
        if block == "distilled":
            return self._coupling.distilled_features
        if block == "spectrum":
            return self.regions * BANDS
        return self.regions if block == "amplitude" else embedding_size(self._encoder, block)

    def read(self, block: Block, scan: Scan) -> np.ndarray:
        """Return the features of a block, shape (features,); NaN where they are unknown."""
        if block == "coupling":
            return self._coupling.coupling(scan)
        if block == "coupling_gsr":
            return self._coupling.coupling_gsr(scan)
        if block == "distilled":
            return self._coupling.distilled(scan)
        if block == "spectrum":
            return spectrum(scan.timeseries_CT, scan.tr, self.edges)
        if block == "amplitude":
            # Of several files, some may be without the column.
            unknown_C = np.full(self.regions, np.nan)
            return centred_amplitude(unknown_C if scan.amplitude_C is None else scan.amplitude_C)
        return np.asarray(self.windows(block, scan).mean(axis=0))

    def read_all(self, blocks: Sequence[Block], scan: Scan) -> np.ndarray:
        """Return the features of several blocks, one after another."""
        return np.concatenate([self.read(block, scan) for block in blocks])

    def windows(self, block: Readout, scan: Scan) -> np.ndarray:
        """Embed the windows of a scan, and say why where it has no embedding."""
        embedding = embed_windows(self._encoder, scan.timeseries_CT, block)
        if not np.isfinite(embedding).any():
            log.warning(
                "%s has too few regions with data in every network: its features are NaN.",
                scan.scan or "The scan",
            )
        return embedding

    @property
    def _coupling(self) -> Coupling:
        if self.coupling is None:
            raise ValueError("this block needs a connectome")
        return self.coupling

    @property
    def _encoder(self) -> Encoder:
        if self.encoder is None:
            raise ValueError("this block needs an encoder")
        return self.encoder


def present_blocks(blocks: Sequence[Block], readouts: Readouts) -> list[Block]:
    """Leave out the blocks that cannot be read, with a warning.

    Raises
    ------
    UserError
        If none is left.
    """
    reasons = {block: readouts.lacks(block) for block in blocks}
    present = [block for block, reason in reasons.items() if not reason]
    if not present:
        block, reason = next(iter(reasons.items()))
        raise UserError(
            f"There is no {block} to read: {reason}. Take {block} out of `readouts` or `blocks` of "
            "the model."
        )
    for block, reason in reasons.items():
        if reason:
            log.warning("The block %s is left out: %s.", block, reason)
    return present

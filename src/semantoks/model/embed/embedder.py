"""Embed time series that are cleaned and resampled already, one scan or a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import open_parquet
from semantoks.artifacts.timeseries import (
    AMPLITUDE,
    SCAN_ENTITIES,
    Manifest,
    Scan,
    iter_scans,
    read_manifest,
)
from semantoks.config import FULL, OF_CONNECTOME, Block, Readout
from semantoks.errors import UserError
from semantoks.model.embed.coupling import Coupling
from semantoks.model.embed.readouts import Readouts, present_blocks
from semantoks.model.embed.regional import band_edges
from semantoks.model.files.connectome import load_connectome
from semantoks.model.files.hub import locate_connectome
from semantoks.model.files.match import require_fit, require_match
from semantoks.model.network.encoder import Encoder

TR = 2.0  # of a reference checkpoint, which does not say it


@dataclass(frozen=True)
class SeriesEmbedder:
    """A trained model, for time series that are cleaned and resampled already.

    Attributes
    ----------
    source : str
        Where it was loaded from.
    encoder : Encoder
    """

    source: str
    encoder: Encoder = field(repr=False)

    @property
    def manifest(self) -> Manifest | None:
        """The time series that it was trained on; None of a reference checkpoint."""
        return self.encoder.manifest

    def embed_array(self, timeseries_CT: np.ndarray, readout: Readout = "pooled") -> np.ndarray:
        """Embed z-scored time series with the regions and the TR of `manifest`.

        Parameters
        ----------
        timeseries_CT : ndarray, shape (regions, volumes)
            A region with a NaN counts as not covered.
        readout : str

        Returns
        -------
        ndarray, shape (features,)

        Raises
        ------
        UserError
            If the number of regions is another, or the model has no such readout.
        """
        if len(timeseries_CT) != len(self.encoder.networks):
            raise UserError(
                f"The model expects {len(self.encoder.networks)} regions, but the time series have "
                f"{len(timeseries_CT)}. Take the atlas that the model was trained with."
            )
        tr = self.manifest.tr if self.manifest else TR
        scan = Scan("", "", "", "", "", tr, timeseries_CT.astype(np.float32))
        return self.embed_scan(scan, readout)

    def embed_scan(self, scan: Scan, readout: Readout = "pooled") -> np.ndarray:
        """Embed a scan that is z-scored and has the TR of the model, shape (features,)."""
        has_amplitude = scan.amplitude_C is not None
        readouts, blocks = self._readouts(readout, self.manifest, has_amplitude)
        return self._read(readouts, blocks, scan)

    def embed_file(
        self, path: Path, readout: Readout = "pooled", allow_mismatch: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Embed all included scans of a file of time series.

        Its manifest is compared with that of the model. One row per scan, indexed by
        `SCAN_ENTITIES`, and one column per feature.
        """
        manifest = read_manifest(path)
        require_fit(self.encoder, manifest, str(path), allow_mismatch)
        # The connectome has a manifest of its own, which is compared, too.
        has_amplitude = AMPLITUDE in open_parquet(path).schema_arrow.names
        readouts, blocks = self._readouts(readout, manifest, has_amplitude, allow_mismatch)
        names, rows = list[tuple[str, ...]](), list[np.ndarray]()
        for scan in iter_scans([path]):
            names.append(tuple(getattr(scan, key) for key in SCAN_ENTITIES))
            rows.append(self._read(readouts, blocks, scan))
        if not rows:
            raise UserError(f"{path} has no included scan, so there is nothing to embed.")
        return pd.DataFrame(
            np.stack(rows), pd.MultiIndex.from_tuples(names, names=list(SCAN_ENTITIES))
        )

    def features(self, readout: Readout, has_amplitude: bool = True) -> int:
        """Return how many features a readout has."""
        readouts, blocks = self._readouts(readout, self.manifest, has_amplitude)
        return sum(map(readouts.size, blocks))

    def _readouts(
        self,
        readout: Readout,
        manifest: Manifest | None,
        has_amplitude: bool,
        allow_mismatch: Sequence[str] = (),
    ) -> tuple[Readouts, list[Block]]:
        """Gather what a readout needs, and list the blocks that it consists of.

        Raises
        ------
        UserError
        """
        if readout not in get_args(Readout):
            raise UserError(
                f"There is no readout '{readout}'; a model has {', '.join(get_args(Readout))}."
            )
        blocks: list[Block] = list(FULL) if readout == "full" else [readout]
        coupling = None
        if not set(OF_CONNECTOME).isdisjoint(blocks):
            coupling = self._coupling
            if manifest:
                expected = coupling.connectome.manifest
                require_match(expected, manifest, "The time series", allow_mismatch)
        bands = self.manifest or manifest
        readouts = Readouts(
            regions=len(self.encoder.networks),
            edges=band_edges(bands) if bands else np.array([]),
            encoder=self.encoder,
            coupling=coupling,
            has_amplitude=has_amplitude,
        )
        if readout == "full":
            return readouts, present_blocks(blocks, readouts)
        reason = readouts.lacks(readout)
        if readout == "spectrum" and bands is None:
            reason = "it is not known which frequencies the model was trained on"
        if reason:
            raise UserError(f"There is no {readout} to read: {reason}. Choose another readout.")
        return readouts, blocks

    @cached_property
    def _coupling(self) -> Coupling:
        return Coupling(load_connectome(locate_connectome(self.source)))

    @staticmethod
    def _read(readouts: Readouts, blocks: Sequence[Block], scan: Scan) -> np.ndarray:
        return np.asarray(readouts.read_all(blocks, scan), np.float32)

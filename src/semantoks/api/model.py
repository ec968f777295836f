"""A trained model for use from Python: `semantoks.load`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from semantoks.api.features import is_series, series_files
from semantoks.api.images import IMAGES, require_image, require_series, scan_of_image
from semantoks.api.series import scan_of_series
from semantoks.artifacts.timeseries import Manifest, Scan
from semantoks.config import ManifestField, Parcellation, Readout
from semantoks.errors import UserError
from semantoks.model.embed.embedder import SeriesEmbedder
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.files.hub import HUB_PREFIX, is_repository
from semantoks.model.files.match import require_fit
from semantoks.model.network.encoder import Encoder

log = logging.getLogger(__name__)
MODELS = (".safetensors", ".pth")  # endings of files
MIN_COVERAGE: float = Parcellation.model_fields["min_coverage"].default


def load(source: str | Path) -> TrainedModel:
    """Load a trained model.

    Parameters
    ----------
    source : str or Path
        A folder that `pretrain` wrote, ``encoder.safetensors`` in such a folder, a ``.pth``
        checkpoint of the reference implementation, or a model on the Hugging Face hub:
        ``owner/name``, or ``hf:owner/name`` with or without ``@revision``. Downloads are cached.

    Returns
    -------
    TrainedModel

    Raises
    ------
    UserError
        If there is no usable model.
    """
    name = str(source)
    if Path(name).is_file() and Path(name).suffix not in MODELS:
        raise UserError(
            f"{name} is no model. Name a folder of results/models, a file that ends in "
            f"{' or '.join(MODELS)}, or owner/name on the Hugging Face hub."
        )
    # A typing error in a path is not looked up on the hub, where others own the names.
    is_path = Path(name).exists() or Path(name).parent.exists()
    if not is_path and is_repository(name):
        name = HUB_PREFIX + name
    try:
        encoder = load_encoder(name)
    except UserError as error:
        if name == str(source):
            raise
        raise UserError(f"There is no folder {source} on this machine. {error}") from error
    return TrainedModel(name, encoder.to("cuda" if torch.cuda.is_available() else "cpu"))


@dataclass(frozen=True)
class TrainedModel:
    """A trained model.

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

    def embed(
        self,
        scan: np.ndarray | pd.DataFrame | str | Path | Sequence[str | Path],
        readout: Readout = "pooled",
        *,
        regions: Sequence[str] | None = None,
        repetition_time: float | None = None,
        filtered: bool = False,
        confounds: str | Path | None = None,
        atlas: str | Path | None = None,
        min_coverage: float = MIN_COVERAGE,
        allow_mismatch: ManifestField | Sequence[ManifestField] = (),
    ) -> Any:
        """Embed a scan, or all included scans of a file of time series.

        Parameters
        ----------
        scan : ndarray, DataFrame, path or list of paths
            Of one scan, regional time series of which confounds have been regressed out: an array
            (regions, volumes), or a table (volumes, regions) whose columns are names of regions.
            They are band-passed, resampled to the TR of the model and z-scored by the code of the
            workflow; a region with a NaN, or that is missing, counts as not covered.

            Or the path of a preprocessed image in fMRIPrep's layout (``.nii.gz``,
            ``.dtseries.nii``), which is averaged, cleaned, filtered and resampled as `manifest`
            says by the code of the workflow.

            Or the path of a Parquet file that `parcellate` wrote, of a folder of such files, or
            several paths.
        readout : str
            ``pooled``, ``networks``, ``spectrum``, ``amplitude``; with ``connectome.safetensors``
            also ``coupling``, ``coupling_gsr``, ``distilled``, and ``full``, all of these but
            ``pooled`` one after another, as far as the model and the scan have them.
        regions : sequence of str, optional
            Names of the rows of an array (default: those of `manifest`, in its order), or of the
            columns of a table that only counts them.
        repetition_time : float, optional
            Seconds; needed for arrays and tables, and for images that do not state it.
        filtered : bool
            Arrays and tables are band-passed already, and are only resampled and z-scored. They
            may then have any length; a filter needs 34 volumes.
        confounds : path, optional
            fMRIPrep's table of confounds of an image (default: the one beside it).
        atlas : path, optional
            Label image that the workflow wrote, for images and models whose atlas is not built in.
        min_coverage : float
            Regions of an image of which the brain mask covers less are NaN.
        allow_mismatch : str or sequence of str
            Fields of `manifest`, such as ``engine``, in which a file or an image may differ.

        Returns
        -------
        ndarray, shape (features,), or DataFrame
            Of Parquet files one row per scan, indexed by its entities, and one column per feature.

        Raises
        ------
        UserError
            If the scan does not fit the model, or it has no such readout.
        """
        if isinstance(allow_mismatch, str):
            allow_mismatch = [allow_mismatch]
        is_path = isinstance(scan, str | Path)
        if confounds is not None and not (is_path and str(scan).endswith(IMAGES)):
            raise UserError(
                "`confounds` goes with an image, and this is none. Regress them out of the time "
                "series first (nilearn.signal.clean), and give what is left."
            )
        if is_series(scan) and not str(scan).endswith(IMAGES):
            require_series(scan)
            files = series_files(scan)
            embed = partial(self._series.embed_file, readout=readout, allow_mismatch=allow_mismatch)
            return pd.concat([embed(file) for file in files])
        if isinstance(scan, str | Path):
            path = Path(scan)
            require_image(path)
            prepared, described = scan_of_image(
                path,
                self.manifest,
                confounds=None if confounds is None else Path(confounds),
                atlas=None if atlas is None else Path(atlas),
                repetition_time=repetition_time,
                min_coverage=min_coverage,
            )
            require_fit(self.encoder, described, path.name, allow_mismatch)
        else:
            prepared = scan_of_series(
                scan,
                self.manifest,
                len(self.encoder.networks),
                regions=regions,
                repetition_time=repetition_time,
                filtered=filtered,
            )
        features = self._series.embed_scan(prepared, readout)
        _warn_of_unknown(features, prepared)
        return features

    def count_features(self, readout: Readout = "pooled") -> int:
        """Return how many features a readout has."""
        return self._series.features(readout)

    @cached_property
    def _series(self) -> SeriesEmbedder:
        return SeriesEmbedder(self.source, self.encoder)


def _warn_of_unknown(features: np.ndarray, scan: Scan) -> None:
    """Say how many features are NaN, and of how many regions there are no data."""
    unknown = int(np.isnan(features).sum())
    if unknown:
        covered_C = np.isfinite(scan.timeseries_CT).all(axis=1)
        log.warning(
            "%d of %d features are NaN, since %d of %d regions have no data.",
            unknown,
            len(features),
            int((~covered_C).sum()),
            len(covered_C),
        )

"""Parcellate one shard: read its table and the atlas, write its time series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.timeseries import write_timeseries
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import DerivativeScan, RawScan, read_scans
from semantoks.data.layout import generated_by
from semantoks.data.parcellate.readers.fmriprep import FmriprepReader, PreprocessedReader
from semantoks.data.parcellate.readers.reader import ScanReader
from semantoks.data.parcellate.readers.template_images import TemplateImageReader
from semantoks.data.parcellate.readers.timeseries import TimeseriesReader, read_region_names
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.shard import ShardTimeseries, parcellate_scans
from semantoks.errors import UserError
from semantoks.gate import Gate


def parcellate(
    settings: ParcellateSettings,
    *,
    shard: Path,
    data: Path,
    atlas_table: Path,
    atlas_metadata: Path,
    out: Path,
    atlas_image: Path | None = None,
    derivatives: Sequence[Path] = (),
    regions: Sequence[Path] = (),
    excluded: Sequence[Path] = (),
    link_targets: Sequence[str] = (),
) -> list[Path]:
    """Write the time series of one shard; an excluded scan is a row with its reason.

    Parameters
    ----------
    settings : ParcellateSettings
    shard : Path
        Table of the shard, written by `semantoks.data.index`.
    data : Path
        Derivatives that `preprocess` wrote for the shard; or the data set itself, if it starts
        from preprocessed images or time series (a file if it is HDF5).
    atlas_image, atlas_table, atlas_metadata : Path
        The atlas, written by `semantoks.data.atlas`: label image (None for an atlas that is only a
        table), regions, and the JSON file beside them that names the template space. `Atlas.read`
        derives the path of the JSON file; it is an argument so that its hash is recorded.
    out : Path
        Parquet file.
    derivatives, regions : sequence of Path
        Also read through `data` and `settings`; arguments so that their hashes are recorded.
    excluded : sequence of Path
        Tables of scans that are excluded by hand, written by `semantoks.data.index`.
    link_targets : sequence of str
        Folders that links of the data set may lead to.

    Returns
    -------
    list of Path
        `out`.
    """
    atlas = Atlas.read(settings.atlas, atlas_image, atlas_table)
    if atlas.image is None and settings.origin.source != "timeseries":
        raise UserError(
            f"The atlas {settings.atlas} has no image, and images cannot be averaged without one. "
            "Name it as --atlas-image."
        )
    with Gate(data, [Path(folder) for folder in link_targets]):
        result = _parcellate(settings, shard, data, atlas, _by_hand(excluded))
    write_timeseries(
        out, result.table, result.timeseries, result.manifest, result.means, result.amplitudes
    )
    return [out]


def _parcellate(
    settings: ParcellateSettings,
    shard: Path,
    data: Path,
    atlas: Atlas,
    excluded: Mapping[str, str],
) -> ShardTimeseries:
    """Parcellate the scans of a table with the reader for their source."""
    engine = generated_by(data)
    if settings.origin.source == "bids":
        # The reason of a successful scan is empty, which pandas would read as NaN.
        outcomes = pd.read_csv(data / "scans.tsv", sep="\t", keep_default_na=False)
        fmriprep = _fmriprep_reader(settings, data, atlas)
        reader = PreprocessedReader(fmriprep, outcomes.set_index("scan"))
        raw = read_scans(shard, RawScan)
        return parcellate_scans(raw, reader, atlas, settings.parcellation, engine, excluded)
    given = read_scans(shard, DerivativeScan)
    given_reader = _derivative_reader(settings, data, atlas)
    return parcellate_scans(given, given_reader, atlas, settings.parcellation, engine, excluded)


def _by_hand(tables: Sequence[Path]) -> dict[str, str]:
    """Read the scans that are excluded by hand, and why."""
    rows = (pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False) for path in tables)
    return {scan: why for table in rows for scan, why in table.itertuples(index=False, name=None)}


def _derivative_reader(
    settings: ParcellateSettings, data: Path, atlas: Atlas
) -> ScanReader[DerivativeScan]:
    """Choose the reader for a data set that starts from preprocessed images or time series."""
    origin = settings.origin
    if origin.source == "timeseries":
        names = read_region_names(Path(origin.regions)) if origin.regions else None
        return TimeseriesReader(data, atlas, names, origin.variable)
    if origin.template is not None:
        return TemplateImageReader(
            data, atlas, settings.parcellation, origin.space, origin.registration
        )
    return _fmriprep_reader(settings, data, atlas)


def _fmriprep_reader(settings: ParcellateSettings, data: Path, atlas: Atlas) -> FmriprepReader:
    strategy = settings.origin.confounds or settings.parcellation.confounds
    return FmriprepReader(data, atlas, settings.parcellation, strategy)

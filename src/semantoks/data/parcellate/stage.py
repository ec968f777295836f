"""One shard: each scan read, cleaned and judged; one that fails is kept with its reason."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.provenance import generated_by
from semantoks.artifacts.tables import read_shard
from semantoks.artifacts.timeseries import SCAN_ENTITIES, Manifest, write_timeseries
from semantoks.config import Origin, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.images import find_bold, read_fmriprep, read_image
from semantoks.data.parcellate.quality import MEASURES, require_quality
from semantoks.data.parcellate.run import Run
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.timeseries_files import read_names, read_timeseries
from semantoks.data.signals import MIN_VOLUMES, clean, resample_time, zscore
from semantoks.errors import ScanError

log = logging.getLogger(__name__)

Read = Callable[[dict[str, Any]], Run]


def parcellate(
    settings: ParcellateSettings,
    *,
    scans: Path,
    data: Path,
    atlas_image: Path,
    atlas_table: Path,
    atlas_metadata: Path,
    out: Path,
    derivatives: Sequence[Path] = (),
    regions: Sequence[Path] = (),
) -> list[Path]:
    """Write the time series of one shard; a scan that fails is kept as a row with its reason.

    Parameters
    ----------
    settings : ParcellateSettings
    scans : Path
        Table of the shard, as `semantoks.data.index` writes it.
    data : Path
        Derivatives, or the data set's own folder where it enters preprocessed.
    atlas_image, atlas_table, atlas_metadata : Path
        The atlas, as `semantoks.data.atlas` writes it.
    out : Path
        Parquet file.
    derivatives, regions : sequence of Path
        Files that are read by names in `settings`, so that their hashes are recorded.

    Returns
    -------
    list of Path
        `out`.
    """
    atlas = Atlas.read(settings.atlas, atlas_image, atlas_table)
    parcellate_shard(read_shard(scans), data, atlas, settings.parcellation, settings.origin, out)
    return [out]


def parcellate_shard(
    scans: pd.DataFrame,
    folder: Path,
    atlas: Atlas,
    settings: Parcellation,
    origin: Origin,
    out: Path,
) -> None:
    """Write the time series of the scans of a table."""
    read, rows, arrays, means, spaces = _reader(folder, atlas, settings, origin), [], [], [], set()
    started = time.monotonic()
    for number, scan in enumerate(scans.to_dict("records"), 1):
        row: dict[str, Any] = {key: scan[key] for key in SCAN_ENTITIES}
        array = mean = None
        try:
            run = read(scan)
            array, measures = scan_timeseries(run, settings)
            mean = run.means_TC.T if settings.keep_means else None
            row |= measures | {"status": "ok", "reason": "", "fingerprint": fingerprint(array)}
            spaces.add(run.space)
        except ScanError as reason:
            row |= reason.measures | {"status": "excluded", "reason": str(reason)}
        except Exception as error:  # whatever odd data do to a library, the cohort goes on
            log.exception("%s failed", scan["scan"])
            row |= {"status": "excluded", "reason": f"{type(error).__name__}: {error}"}
        rows.append(row)
        arrays.append(array)
        means.append(mean)
        log.info("%d of %d scans, %.0f s", number, len(scans), time.monotonic() - started)
    columns = [*SCAN_ENTITIES, "status", "reason", "fingerprint", *MEASURES]
    write_timeseries(
        out,
        pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(MEASURES, float)),
        arrays,
        _manifest(atlas, settings, origin, ", ".join(sorted(spaces)), generated_by(folder)),
        means if settings.keep_means else None,
    )


def fingerprint(timeseries_CT: np.ndarray) -> str:
    """Hash a time series: the same scan under another name has the same."""
    return hashlib.sha256(np.ascontiguousarray(timeseries_CT).tobytes()).hexdigest()[:16]


def scan_timeseries(run: Run, settings: Parcellation) -> tuple[np.ndarray, dict[str, float]]:
    """Make the cleaned time series of one run.

    Returns
    -------
    timeseries_CT : ndarray of float32, shape (regions, volumes)
    measures : dict
        `quality.MEASURES` as far as they are known.

    Raises
    ------
    ScanError
        When the run is not good enough.
    """
    covered_C = _covered(run.means_TC)
    measures = run.measures | measure(run, covered_C, settings)
    require_quality(measures, settings)
    if len(run.means_TC) * (1 - measures["censored"]) < MIN_VOLUMES:
        raise ScanError(f"fewer than {MIN_VOLUMES} volumes, too few to filter", measures)
    if settings.low_pass >= 1 / (2 * run.tr):
        raise ScanError(
            f"a TR of {run.tr:g} s shows frequencies up to {1 / (2 * run.tr):.3f} Hz, the band "
            f"ends at {settings.low_pass:g} Hz",
            measures,
        )
    signals_TC = clean(
        run.means_TC[:, covered_C],
        run.confounds,
        run.tr,
        settings.low_pass,
        settings.high_pass,
        run.kept,
    )
    signals_TC = resample_time(signals_TC, run.tr, settings.repetition_time)
    timeseries_CT = np.full((len(covered_C), len(signals_TC)), np.nan, np.float32)
    timeseries_CT[covered_C] = zscore(signals_TC.T)
    if np.isnan(timeseries_CT).all():
        raise ScanError("no region changes over time", measures)
    return timeseries_CT, measures


def measure(run: Run, covered_C: np.ndarray, settings: Parcellation) -> dict[str, float]:
    """Measure what cleaning would leave of a run.

    The band-pass and the confounds leave 2 · seconds · bandwidth − confounds degrees of freedom:
    240 s have 43 between 0.01 and 0.1 Hz, and 24 motion regressors take most of them.
    """
    volumes = len(run.means_TC)
    good = volumes if run.kept is None else len(run.kept)
    confounds = 0 if run.confounds is None else run.confounds.shape[1]
    seconds = good * run.tr
    return {
        "repetition_time": run.tr,
        "seconds": seconds,
        "dof": 2 * seconds * (settings.low_pass - settings.high_pass) - confounds,
        "censored": 1 - good / volumes,
        "coverage": float(covered_C.mean()),
    }


def _covered(means_TC: np.ndarray) -> np.ndarray:
    """Say which regions have data; a volume that no region has is an error."""
    finite_TC = np.isfinite(means_TC)
    if not finite_TC.any():
        raise ScanError("no region of the atlas has data")
    holes = np.flatnonzero(~finite_TC.any(axis=1))
    if len(holes):
        raise ScanError(f"{len(holes)} of {len(means_TC)} volumes have no data in any region")
    covered_C = np.asarray(finite_TC.all(axis=0))
    if not covered_C.any():
        raise ScanError("every region of the atlas lacks data in some volume")
    return covered_C


def _reader(folder: Path, atlas: Atlas, settings: Parcellation, origin: Origin) -> Read:
    """Return how a scan of this origin is read; one with a known problem is not."""
    read = _plain_reader(folder, atlas, settings, origin)

    def unless_problem(scan: dict[str, Any]) -> Run:
        if scan["problem"]:
            raise ScanError(scan["problem"])
        return read(scan)

    return unless_problem


def _plain_reader(folder: Path, atlas: Atlas, settings: Parcellation, origin: Origin) -> Read:
    strategy = origin.confounds or settings.confounds
    if origin.source == "timeseries":
        names = read_names(Path(origin.regions)) if origin.regions else None
        return partial(_timeseries, folder=folder, atlas=atlas, names=names)
    if origin.template is not None:
        return partial(_image, folder=folder, atlas=atlas, settings=settings, space=origin.space)
    status = _status(folder) if origin.source == "bids" else None
    return partial(
        _fmriprep, folder=folder, atlas=atlas, settings=settings, strategy=strategy, status=status
    )


def _timeseries(scan: dict[str, Any], folder: Path, atlas: Atlas, names: list[str] | None) -> Run:
    file = folder if folder.is_file() else folder / scan["file"]
    return read_timeseries(file, scan["scan"], atlas, scan["repetition_time"], names)


def _image(
    scan: dict[str, Any], folder: Path, atlas: Atlas, settings: Parcellation, space: str | None
) -> Run:
    return read_image(folder / scan["file"], atlas, scan["repetition_time"], settings, space)


def _fmriprep(
    scan: dict[str, Any],
    folder: Path,
    atlas: Atlas,
    settings: Parcellation,
    strategy: str,
    status: pd.DataFrame | None,
) -> Run:
    known = {} if status is None else _preprocessed(status, scan["scan"])
    place = (folder / scan["file"]).parent if "file" in scan else folder / scan["participant_id"]
    bold = find_bold(place, scan["scan"], atlas, strategy)
    tr = scan.get("repetition_time")
    run = read_fmriprep(bold, atlas, strategy, settings, None if tr != tr else tr)
    return replace(run, measures=run.measures | known)


def _status(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "scans.tsv", sep="\t", keep_default_na=False)
    return table.set_index("scan")


def _preprocessed(status: pd.DataFrame, scan: str) -> dict[str, float]:
    """Return what preprocessing measured of a run, or pass its reason on."""
    row = status.loc[scan]
    numbers = pd.to_numeric(row[["mean_fd", "dice", "correlation"]], errors="coerce").dropna()
    measures = {key: float(value) for key, value in numbers.items()}
    if row["status"] != "ok":
        raise ScanError(str(row["reason"]), measures)
    return measures


def _manifest(
    atlas: Atlas, settings: Parcellation, origin: Origin, space: str, engine: str
) -> Manifest:
    strategy = origin.confounds or settings.confounds
    if origin.source == "timeseries" or origin.template is not None:
        confounds = "as given"
    elif strategy in ("36p", "none", "ica_aroma"):
        confounds = strategy
    else:
        confounds = f"{strategy}, motion {settings.motion}"
    return Manifest(
        atlas=atlas.name,
        atlas_sha256=atlas.sha256,
        labels=tuple(atlas.regions["name"]),
        networks=tuple(atlas.regions["network"]),
        space=space,
        tr=settings.repetition_time,
        low_pass=settings.low_pass,
        high_pass=settings.high_pass,
        confounds=confounds,
        engine=engine,
    )

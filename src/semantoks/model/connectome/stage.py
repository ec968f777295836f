"""The rule `connectome`: what a model knows of connectivity, from the scans that it may see."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from semantoks.artifacts.timeseries import Manifest
from semantoks.config import ConnectomeMap
from semantoks.connectivity.reference import (
    Estimator,
    MeanCovariance,
    Reference,
    regions_with_data,
)
from semantoks.errors import UserError
from semantoks.model.connectome.distillation import (
    MIN_HALF_SECONDS,
    drawn_evenly,
    fit_map,
    halves,
)
from semantoks.model.connectome.settings import ConnectomeSettings
from semantoks.model.corpus.manifest import common_manifest
from semantoks.model.corpus.seen import SeenScans
from semantoks.model.files.connectome import (
    Connectome,
    DistilledMap,
    Summary,
    load_connectome,
    save_connectome,
)
from semantoks.model.files.hub import locate_connectome
from semantoks.system.memory import advise_when_out_of_memory

log = logging.getLogger(__name__)

# Diagnosis and age in ABIDE are read better with 0.3 than with 0.1 (docs/representation.md).
PLAIN = Estimator(shrinkage=0.3)
WITHOUT_GLOBAL_SIGNAL = Estimator(shrinkage=0.3, without_global_signal=True)
MIN_SCANS_OF_MAP = 10
MEMORY_ADVICE = "Set models.<name>.connectome.scans to a smaller number, or give the job more."


@advise_when_out_of_memory(MEMORY_ADVICE)
def connectome(
    settings: ConnectomeSettings,
    *,
    out: Path,
    timeseries: Sequence[Path] = (),
    scans: Sequence[Path] = (),
    files: Sequence[Path] = (),
    threads: int = 1,
) -> list[Path]:
    """Write reference covariances and the distilled map, or take them from a given model.

    Two passes over the files, with one scan at a time in memory, and the tangent vectors of the
    scans that the map is fitted to.

    Parameters
    ----------
    settings : ConnectomeSettings
    out : Path
        ``connectome.safetensors``.
    timeseries : sequence of Path
        Files of `semantoks.artifacts.timeseries`; all must have the same manifest.
    scans : sequence of Path
        Tables of scans, if people are held out; see `semantoks.model.corpus.seen.SeenScans`.
    files : sequence of Path
        ``connectome.safetensors`` of a checkpoint on this machine, so that its hash is recorded.
    threads : int
        CPU threads.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If there is no usable file at the checkpoint, the manifests differ, no scan can be used, or
        it is not known who is held out.
    """
    if settings.checkpoint is not None:
        save_connectome(out, load_connectome(locate_connectome(settings.checkpoint)))
        return [out]
    if not timeseries:
        raise UserError("A connectome needs files of time series, found none. Name some data sets.")
    manifest = common_manifest(timeseries, settings.allow_mismatch)
    # Matrices of a few hundred rows, for which threads cost more than they save; see `_distil`.
    with threadpool_limits(1, user_api="blas"):
        made = _fit(SeenScans(timeseries, scans, settings.people), manifest, settings.map, threads)
    save_connectome(out, made)
    return [out]


def _fit(
    seen: SeenScans, manifest: Manifest, settings: ConnectomeMap | None, threads: int
) -> Connectome:
    """Make references in a first pass over the scans, and the map in a second one."""
    regions = len(manifest.labels)
    means = [MeanCovariance(kind, regions) for kind in (PLAIN, WITHOUT_GLOBAL_SIGNAL)]
    long_enough = 0
    for scan in seen.scans():
        for mean in means:
            mean.add(scan.timeseries_CT)
        long_enough += _has_halves(scan.timeseries_CT, scan.tr)
    if not means[0].scans:
        raise UserError(
            "None of the scans has two regions with data, so there is no covariance between "
            "regions. Correct the time series, or raise parcellation.min_scan_coverage."
        )
    plain, without = (mean.reference() for mean in means)
    distilled, scans_of_map = None, 0
    if settings is not None and long_enough < MIN_SCANS_OF_MAP:
        log.warning(
            "No map is distilled: %d scan(s) have halves of %g s, and it needs %d.",
            long_enough,
            MIN_HALF_SECONDS,
            MIN_SCANS_OF_MAP,
        )
    elif settings is not None:
        chosen = drawn_evenly(long_enough, settings.scans)
        scans_of_map = len(chosen)
        distilled = _distil(seen, without, chosen, settings, threads)
    summary = Summary(
        scans=means[0].scans,
        people=seen.people(),
        scans_of_map=scans_of_map,
        penalty=settings.penalty if settings and distilled else 0.0,
    )
    log.info(
        "Reference covariances of %d scans of %d people; the map is of %d scans.",
        summary.scans,
        summary.people,
        summary.scans_of_map,
    )
    return Connectome(manifest, plain, without, distilled, summary)


def _has_halves(timeseries_CT: np.ndarray, tr: float) -> bool:
    """Whether a scan is long enough, and each half has two regions with data."""
    parts = halves(timeseries_CT, tr)
    return parts is not None and all(regions_with_data(part).sum() >= 2 for part in parts)


def _distil(
    seen: SeenScans,
    reference: Reference,
    chosen: set[int],
    settings: ConnectomeMap,
    threads: int,
) -> DistilledMap:
    """Fit the map to the halves of the chosen ones of the scans that are long enough."""
    regions = len(reference.covariance_CC)
    rows_RF = np.empty((2 * len(chosen), regions * (regions + 1) // 2), np.float32)
    usable = (scan for scan in seen.scans() if _has_halves(scan.timeseries_CT, scan.tr))
    row = 0
    for number, scan in enumerate(usable):
        if number in chosen:
            for part in halves(scan.timeseries_CT, scan.tr) or ():
                rows_RF[row] = reference.tangent_vector(part)
                row += 1
    with threadpool_limits(threads, user_api="blas"):
        return fit_map(rows_RF, settings.components, settings.penalty)
